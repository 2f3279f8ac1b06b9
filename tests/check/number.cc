// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers as people write them.

#include "gst/sphere/base/number.h"

#include <string>

// The last include, because its macro `fail` would change the standard library.
#include <gst/check/gstcheck.h>

using namespace sphere;

GST_START_TEST(decimal_numbers_are_read) {
  const std::pair<const char*, double> cases[] = {
      {"0", 0},        {"-0.5", -0.5},
      {"+12", 12},     {".5", 0.5},
      {"-.25", -0.25}, {"5.", 5},
      {"010", 10},     {"1e3", 1000},
      {"1E-2", 0.01},  {"4503599627370497.5", 4503599627370497.5},
  };
  for (const auto& [text, expected] : cases) {
    const std::optional<double> value = parse_number(text);
    fail_unless(value && *value == expected, "%s", text);
  }
  fail_unless(parse_integer("-12") == -12 && parse_integer("+7") == 7 &&
              parse_integer("010") == 10);
  fail_unless(parse_integer("9223372036854775807") == INT64_MAX);
}
GST_END_TEST

GST_START_TEST(other_text_is_no_number) {
  for (const char* text : {"",          " ",     "0x10",   "0X1p3", "nan", "NaN",     "-nan", "inf",
                           "-infinity", " 1",    "1 ",     "1,5",   "+",   "-",       "+-1",  "--1",
                           ".",         "1e999", "-1e999", "1.2.3", "1e",  "\xd9\xa1"}) {
    fail_unless(!parse_number(text), "%s", text);
    fail_unless(!parse_integer(text), "%s", text);
  }
  for (const char* text : {"1.0", "1e3", "9223372036854775808", "0b1"})
    fail_unless(!parse_integer(text), "%s", text);
  fail_unless(!parse_number(std::string_view("1\0", 2)));
}
GST_END_TEST

GST_START_TEST(numbers_are_taken_from_the_beginning) {
  std::string_view text = "-30.5deg,0x10";
  fail_unless(take_number(&text) == -30.5 && text == "deg,0x10");
  fail_unless(!take_number(&text) && text == "deg,0x10");
  text.remove_prefix(4);
  fail_unless(take_number(&text) == 0.0 && text == "x10");
}
GST_END_TEST

GST_START_TEST(pairs_are_two_integers) {
  const std::optional<IntegerPair> size = parse_integer_pair("1920x960", 'x');
  fail_unless(size && size->first == 1920 && size->second == 960);
  for (const char* text : {"", "x", "1920", "1920x", "x960", "1920x960x2", " 1920x960", "1920 x960",
                           "1920X960", "0x10x2", "99999999999x2", "1920/960"})
    fail_unless(!parse_integer_pair(text, 'x'), "%s", text);
}
GST_END_TEST

static Suite* number_suite() {
  Suite* suite = suite_create("number");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, decimal_numbers_are_read);
  tcase_add_test(tests, other_text_is_no_number);
  tcase_add_test(tests, numbers_are_taken_from_the_beginning);
  tcase_add_test(tests, pairs_are_two_integers);
  return suite;
}

GST_CHECK_MAIN(number)

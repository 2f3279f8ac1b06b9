// SPDX-License-Identifier: LGPL-2.1-or-later
// Text from outside, made fit for a terminal.

#include "gst/sphere/base/printable.h"

#include "gst/sphere/base/json.h"

// The last include, because its macro `fail` would change the standard library.
#include <gst/check/gstcheck.h>

using namespace std::string_literals;
using sphere::printable;

GST_START_TEST(visible_text_stays) {
  for (const std::string text : {"", "Mi Sphere", "Gr\u00fc\u00dfe \u7c73\u5bb6 \U0001f30d"})
    fail_unless(printable(text) == text, "%s", text.c_str());
}
GST_END_TEST

GST_START_TEST(control_characters_are_escaped) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x1b[31mred", "\\x1b[31mred"},
      {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
      {"\u009b31m", "\\x9b31m"},  // CSI as one character
      {"\x9b"
       "31m",
       "\\x9b31m"},  // and as a byte that is not UTF-8
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xe7\xb1", "\\xe7\\xb1"},  // a character that is cut
      {"\xc0\xaf", "\\xc0\\xaf"},  // written longer than needed
      {"abc\u202etxt.exe", "abc\\u{202e}txt.exe"},
      {"a\u200bb", "a\\u{200b}b"},
      {"\u2028", "\\u{2028}"},
      {"\x7f", "\\x7f"},
      {"a\0b"s, "a\\x00b"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string shown = printable(text);
    fail_unless_equals_string(shown.c_str(), expected);
    fail_unless(printable(shown) == expected, "%s", expected);
  }
}
GST_END_TEST

GST_START_TEST(every_byte_and_pair_of_bytes_is_printable) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string shown = printable(std::string{static_cast<char>(a), static_cast<char>(b)});
      fail_unless(g_utf8_validate(shown.data(), static_cast<gssize>(shown.size()), nullptr));
      for (const char* at = shown.c_str(); *at; at = g_utf8_next_char(at))
        fail_unless(g_unichar_isgraph(g_utf8_get_char(at)) || *at == ' ' ||
                        g_unichar_type(g_utf8_get_char(at)) == G_UNICODE_SPACE_SEPARATOR,
                    "bytes %02x %02x", a, b);
    }
}
GST_END_TEST

GST_START_TEST(long_text_is_cut_between_characters) {
  fail_unless(printable("abcdef", 6) == "abcdef");
  fail_unless(printable("abcdefg", 6) == "abcdef...");
  fail_unless(printable("abc\u7c73", 5) == "abc...");
  fail_unless(printable("ab\x1b", 4) == "ab...");
}
GST_END_TEST

GST_START_TEST(json_errors_do_not_quote_the_text) {
  const char* texts[] = {
      R"({"rval":0,"SN":SECRET-SERIAL})",
      R"({"passwd":"SECRET)",
      R"(SECRET)",
      R"({"a":1 SECRET})",
      "{\"a\":1 \x1b[31mSECRET}",
      R"({SECRET:1})",
      R"([1,SECRET])",
  };
  for (const char* text : texts) {
    const auto parsed = sphere::JsonDocument::parse(text, "the reply");
    fail_unless(!parsed, "%s is taken for JSON", text);
    const std::string& message = parsed.error().message;
    fail_unless(message.starts_with("the reply: not JSON"), "%s", message.c_str());
    fail_if(message.find("SECRET") != std::string::npos, "%s", message.c_str());
    fail_if(message.find('\x1b') != std::string::npos);
  }
}
GST_END_TEST

GST_START_TEST(json_complaints_are_printable) {
  auto parsed = sphere::JsonDocument::parse(R"({"kind":"a\u001b[31m"})", "lens\x1b.json");
  fail_unless(!!parsed);
  parsed->root()["kind"].choice({"one", "two"});
  fail_unless(parsed->problem().has_value());
  const std::string& message = parsed->problem()->message;
  fail_unless_equals_string(message.c_str(),
                            "lens\\x1b.json: kind: is \"a\\x1b[31m\", must be one of one, two");
}
GST_END_TEST

static Suite* printable_suite() {
  Suite* suite = suite_create("printable");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, visible_text_stays);
  tcase_add_test(tcase, control_characters_are_escaped);
  tcase_add_test(tcase, every_byte_and_pair_of_bytes_is_printable);
  tcase_add_test(tcase, long_text_is_cut_between_characters);
  tcase_add_test(tcase, json_errors_do_not_quote_the_text);
  tcase_add_test(tcase, json_complaints_are_printable);
  return suite;
}

GST_CHECK_MAIN(printable)

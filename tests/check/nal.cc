// SPDX-License-Identifier: LGPL-2.1-or-later
// Parameter sets of H.264 and H.265 end where they say: what x264 and x265 have written, and what
// is put behind it.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <gst/check/gstcheck.h>

#include "gst/sphere/media/nal.h"

using namespace sphere::media;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes bytes_of_hex(std::string_view digits) {
  Bytes bytes;
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(value(digits[i]) << 4 | value(digits[i + 1])));
  return bytes;
}

// Of x264: baseline, main with fields, high with JVT's matrices and a buffer that is described, ten
// bits, and full colours with and without matrices.
constexpr std::string_view sets[] = {
    "6742c00ad9045b011000000300100000030140f1226480",
    "68cb83cb20",
    "674d4015eca25b011000000300100000030141f1429960",
    "68fba3cb20",
    "67640014acd9445b016a02020280000003008000000a3020007a12000f425259403c50a658",
    "68ebe3cb3002c0",
    "67f4000a919b288b6022000003000200000300281e244b2c",
    "68ebe3c44c000440",
    "676e000aa6cd9445b011000003000100000300140f122596",
    "68ebe3cb22c0",
    "68ebe3c44844",
};

// Of x265: main, a buffer that is described, ten bits with colours and an aspect of its own, full
// colours of twelve bits, two slices, grey without loss.
constexpr std::string_view sets_of_h265[] = {
    "40010c01ffff01600000030090000003000003001e959409",
    "42010101600000030090000003000003001ea0208105965654a4c2f0168080000003008000000504",
    "4401c073c089",
    "42010101600000030090000003000003003ca0208105965654a4c2f0168080000003008000000530064a27000f4200"
    "03"
    "d091",
    "40010c01ffff0408000003009d0800000300001e959809",
    "4201010408000003009d0800000300001eb028831365959929385ffe0022001ed42440241000000300100000030"
    "0a080",
    "420101040800000300980800000300001e9002440a38f8f294b2b2a5269780b4040000030004000003002820",
    "4401c07318301890",
    "42010101600000030090000003000003003ca00a080a16595952930ac05a020000030002000003001410",
    "4401c07331c9429090",
    "4201010408000003009fc80000030000ffc0820416595952930bc05b020000030002000003001410",
    "4401c0718912",
};

size_t length_of(const Bytes& unit) {
  // The first bit of both kinds of heads is zero, and units of H.265 have two bytes of head.
  const bool h264 = !unit.empty() && (unit[0] == 0x67 || unit[0] == 0x68);
  const auto length = h264 ? h264_parameter_length(unit) : h265_parameter_length(unit);
  return length ? *length : 0;
}

std::vector<std::string_view> all_sets() {
  std::vector<std::string_view> all(std::begin(sets), std::end(sets));
  all.insert(all.end(), std::begin(sets_of_h265), std::end(sets_of_h265));
  return all;
}

}  // namespace

GST_START_TEST(each_set_ends_with_its_last_byte) {
  for (const std::string_view digits : all_sets()) {
    const Bytes unit = bytes_of_hex(digits);
    fail_unless(length_of(unit) == unit.size(), "%.*s: %zu", static_cast<int>(digits.size()),
                digits.data(), length_of(unit));
  }
}
GST_END_TEST

GST_START_TEST(sequence_sets_tell_the_form_of_times) {
  struct Case {
    std::string_view digits;
    PictureTiming timing;
  };
  const Case cases[] = {
      {sets[0], {0, 0, 24, false}},
      {sets[2], {0, 0, 24, true}},
      // Of x264 with a buffer that is described.
      {"67f4000d90d964116c05a83030320000030002000003006"
       "5e040fa0002579d139807c50a92",
       {8, 7, 0, true}},
  };
  for (const Case& one : cases) {
    const auto timing = h264_picture_timing(bytes_of_hex(one.digits));
    fail_unless(timing.has_value());
    fail_unless(*timing == one.timing, "%u %u %u %d", timing->removal_delay, timing->output_delay,
                timing->offset, timing->structure);
  }
  fail_if(h264_picture_timing(bytes_of_hex(sets[1])));
  fail_if(h264_picture_timing(bytes_of_hex("6742c0")));
  std::vector<PictureTiming> timings;
  for (const std::string_view digits : sets) add_picture_timing(bytes_of_hex(digits), &timings);
  add_picture_timing(bytes_of_hex(sets[0]), &timings);
  fail_unless_equals_int(timings.size(), 3);
}
GST_END_TEST

GST_START_TEST(what_is_behind_it_does_not_belong_to_it) {
  for (const std::string_view digits : all_sets()) {
    const Bytes unit = bytes_of_hex(digits);
    for (const std::string_view more : {"A SECRET", "SECRET SECRET SECRET"}) {
      Bytes longer = unit;
      longer.insert(longer.end(), more.begin(), more.end());
      fail_unless(length_of(longer) == unit.size(), "%.*s: %zu", static_cast<int>(digits.size()),
                  digits.data(), length_of(longer));
    }
    // Zeros say nothing, and may be anywhere behind it.
    Bytes padded = unit;
    padded.resize(unit.size() + 3);
    fail_unless(length_of(padded) == unit.size());
  }
}
GST_END_TEST

GST_START_TEST(a_set_that_is_cut_off_can_not_be_read) {
  for (const std::string_view digits : all_sets()) {
    Bytes unit = bytes_of_hex(digits);
    for (unit.pop_back(); !unit.empty(); unit.pop_back())
      fail_unless(length_of(unit) <= unit.size());
  }
  fail_unless(length_of(bytes_of_hex("6742000a")) == 0);
  fail_unless(length_of(bytes_of_hex("67")) == 0);
  fail_unless(length_of(bytes_of_hex("4201010160000003")) == 0);
  // Of a second layer, and of another kind.
  fail_unless(length_of(bytes_of_hex("4409c073c089")) == 0);
  fail_unless(length_of(bytes_of_hex("2601c073c089")) == 0);
  fail_unless(length_of({}) == 0);
}
GST_END_TEST

static Suite* nal_suite(void) {
  Suite* suite = suite_create("nal");
  TCase* tc = tcase_create("general");
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, each_set_ends_with_its_last_byte);
  tcase_add_test(tc, sequence_sets_tell_the_form_of_times);
  tcase_add_test(tc, what_is_behind_it_does_not_belong_to_it);
  tcase_add_test(tc, a_set_that_is_cut_off_can_not_be_read);
  return suite;
}

GST_CHECK_MAIN(nal)

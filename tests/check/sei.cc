// SPDX-License-Identifier: LGPL-2.1-or-later
// SEI messages of H.264 and H.265: each is found and classed, goes or is blanked, and the units
// remain readable for a decoder.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gst/check/gstcheck.h>

#include "gst/sphere/media/position_text.h"
#include "gst/sphere/media/sei.h"

using namespace sphere;
using namespace sphere::media;

namespace {

using Bytes = std::vector<uint8_t>;

/// How the standard writes a message, worked out here once more.
Bytes message(unsigned type, const Bytes& payload) {
  Bytes out;
  for (size_t number : {size_t{type}, payload.size()}) {
    for (; number >= 255; number -= 255) out.push_back(255);
    out.push_back(static_cast<uint8_t>(number));
  }
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Bytes unit(NalCodec codec, const std::vector<Bytes>& messages) {
  Bytes plain = codec == NalCodec::h264 ? Bytes{6} : Bytes{39 << 1, 1};
  for (const Bytes& one : messages) plain.insert(plain.end(), one.begin(), one.end());
  plain.push_back(0x80);
  Bytes out;
  for (const uint8_t byte : plain) {
    const size_t n = out.size();
    if (n >= 2 && out[n - 1] == 0 && out[n - 2] == 0 && byte <= 3) out.push_back(3);
    out.push_back(byte);
  }
  return out;
}

Bytes text_message(std::string_view text, size_t zeros = 0) {
  constexpr size_t uuid_size = 16;
  Bytes payload(uuid_size + text.size() + zeros);
  std::fill_n(payload.begin(), uuid_size, uint8_t{0x42});
  std::copy(text.begin(), text.end(), payload.begin() + uuid_size);
  return message(5, payload);
}

bool has(const Bytes& bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

/// Checks that a unit has no start code and no other forbidden sequence.
void expect_well_formed(const Bytes& bytes) {
  for (size_t i = 0; i + 2 < bytes.size(); ++i)
    if (bytes[i] == 0 && bytes[i + 1] == 0)
      fail_unless(
          bytes[i + 2] > 3 || (bytes[i + 2] == 3 && i + 3 < bytes.size() && bytes[i + 3] <= 3),
          "at %zu", i);
  fail_unless(!bytes.empty() && bytes.back() != 0);
}

std::vector<uint32_t> types_of(NalCodec codec, const Bytes& bytes) {
  std::vector<uint32_t> types;
  for (const SeiMessage& one : read_sei(codec, bytes, {})) types.push_back(one.type);
  return types;
}

const Bytes recovery_point = message(6, {0x84});
const KeepSei keep_harmless = keep_allowed(Policy());
// Times of a picture of H.264 without delays.
const std::vector<PictureTiming> plain_timing = {{0, 0, 24, true}};
constexpr NalCodec codecs[] = {NalCodec::h264, NalCodec::h265};

}  // namespace

GST_START_TEST(test_units_are_told_from_others) {
  const uint8_t h264[] = {0x06, 0x65, 0x0c}, prefix[] = {39 << 1, 1}, suffix[] = {40 << 1, 1},
                slice[] = {19 << 1, 1};
  fail_unless(is_sei(NalCodec::h264, std::span(h264, 1)));
  fail_if(is_sei(NalCodec::h264, std::span(h264 + 1, 1)));
  fail_unless(is_sei(NalCodec::h265, prefix) && is_sei(NalCodec::h265, suffix));
  fail_if(is_sei(NalCodec::h265, slice));
  fail_if(is_sei(NalCodec::h265, {}));
}
GST_END_TEST

GST_START_TEST(test_classes) {
  struct Case {
    Bytes bytes;
    PartClass part_class;
  };
  Bytes banner = {0xdc, 0x45, 0xe9, 0xbd, 0xe6, 0xd9, 0x48, 0xb7,
                  0x96, 0x2c, 0xd8, 0x20, 0xd9, 0x23, 0xee, 0xef};
  for (const char c : std::string_view("x264 - core 164"))
    banner.push_back(static_cast<uint8_t>(c));
  Bytes clock(16);
  std::ranges::copy(std::string_view("MISPmicrosectime"), clock.begin());
  clock.resize(28, 0x11);
  Bytes misb(16, 0x42);
  for (const uint8_t byte : {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01}) misb.push_back(byte);
  const Bytes captions = {0xb5, 0, 0x31, 'G', 'A', '9', '4', 3, 0xc1, 0xff, 0xfc, 0x20, 0x41, 0xff};
  Bytes padded_captions = captions;
  padded_captions.insert(padded_captions.end(), {'h', 'i', 'd', 'd', 'e', 'n'});
  const std::vector<Case> cases = {
      {message(0, {0x80}), PartClass::useful},
      {message(1, {0x14}), PartClass::useful},
      {recovery_point, PartClass::useful},
      {message(45, {0x01, 0x02, 0x03}), PartClass::useful},
      {message(137, Bytes(24)), PartClass::useful},
      {message(137, Bytes(25)), PartClass::unknown},
      {message(144, Bytes(4)), PartClass::useful},
      {message(147, {1}), PartClass::useful},
      {message(150, {0x44}), PartClass::useful},
      {message(151, {0x40}), PartClass::useful},
      {message(152, Bytes(40)), PartClass::stitching},
      {message(154, Bytes(13)), PartClass::useful},
      {message(155, Bytes(40)), PartClass::useful},
      {message(3, Bytes(300, 0xff)), PartClass::useful},
      {message(3, {0xff, 'h', 'i'}), PartClass::unknown},
      {message(4, captions), PartClass::useful},
      {message(4, padded_captions), PartClass::unknown},
      {message(4, {0xb5, 0, 0x77, 1, 2, 3}), PartClass::unknown},
      {message(136, {0x40, 0x12, 0x34}), PartClass::time},
      {message(133, {0x40, 0x12, 0x34}), PartClass::unknown},
      {message(5, banner), PartClass::identity},
      {message(5, clock), PartClass::time},
      {message(5, misb), PartClass::place},
      {text_message("+39.9042+116.4074+044/"), PartClass::place},
      {text_message("$GPGGA,120000,3954.252,N,11624.444,E,1,08,0.9,44.0,M,,M,,*00"),
       PartClass::place},
      {text_message("nothing that is known"), PartClass::unknown},
      {message(4000, {1, 2, 3}), PartClass::unknown},
  };
  for (const NalCodec codec : codecs)
    for (const Case& one : cases) {
      const Bytes bytes = unit(codec, {one.bytes});
      const auto found = read_sei(codec, bytes, plain_timing);
      fail_unless_equals_int(found.size(), 1);
      fail_unless(found[0].part_class == one.part_class, "type %u is %s", found[0].type,
                  std::string(name_of(found[0].part_class)).c_str());
      fail_if(found[0].what.empty());
      const size_t header = codec == NalCodec::h264 ? 1 : 2;
      fail_unless_equals_uint64(found[0].offset, header);
      fail_unless_equals_uint64(found[0].length, bytes.size() - header - 1);
      const bool stays = Policy().allows(one.part_class);
      const Bytes removed = remove_sei(codec, bytes, plain_timing, keep_harmless);
      fail_unless(removed == (stays ? bytes : Bytes()));
      const Bytes blanked = blank_sei(codec, bytes, plain_timing, keep_harmless);
      fail_unless_equals_uint64(blanked.size(), bytes.size());
      fail_unless(stays == (blanked == bytes));
    }
}
GST_END_TEST

/// Bits, as text, with the bit that ends a message.
Bytes payload(std::string_view bits) {
  Bytes bytes;
  size_t used = 0;
  const auto put = [&](bool bit) {
    if (used % 8 == 0) bytes.push_back(0);
    if (bit) bytes.back() |= static_cast<uint8_t>(0x80 >> used % 8);
    ++used;
  };
  for (const char c : bits)
    if (c != ' ') put(c == '1');
  if (used % 8) put(true);
  return bytes;
}

// Of the times of a picture, the time of day goes, and how it is made of fields stays.
GST_START_TEST(test_time_codes) {
  // 14:03:27:05, complete, and in the short form; 24 bits that correct it.
  const std::string clock =
      "01 0 00000 1 0 0 00000101 011011 000011 01110 000000000000000000000111";
  const std::string brief =
      "01 0 00000 0 0 0 00000101 1 011011 1 000011 1 01110" + std::string(24, '0');
  struct Case {
    PictureTiming timing;
    std::string before, after, value;
  };
  const Case cases[] = {
      {{0, 0, 24, true}, "0000 1" + clock, "0000 0", "14:03:27:05"},
      {{0, 0, 24, true}, "0000 1" + brief, "0000 0", "14:03:27:05"},
      // Two fields, of which the second one has a code.
      {{5, 3, 24, true}, "10101 110 0011 0 1" + clock, "10101 110 0011 00", "14:03:27:05"},
      {{5, 3, 24, true}, "10101 110 0101 0 0 0", "", ""},
      {{24, 24, 24, false}, std::string(48, '1'), "", ""},
  };
  for (const Case& one : cases) {
    const std::vector<PictureTiming> timings = {{9, 9, 5, true}, one.timing};
    const Bytes before = message(1, payload(one.before));
    const Bytes after = one.after.empty() ? before : message(1, payload(one.after));
    const Bytes whole = unit(NalCodec::h264, {recovery_point, before});
    const auto found = read_sei(NalCodec::h264, whole, timings);
    fail_unless_equals_int(found.size(), 2);
    fail_unless_equals_string(found[1].value.c_str(), one.value.c_str());
    fail_unless(found[1].part_class == (one.after.empty() ? PartClass::useful : PartClass::time));
    const Bytes less = remove_sei(NalCodec::h264, whole, timings, keep_harmless);
    fail_unless(less == unit(NalCodec::h264, {recovery_point, after}));
    const Bytes blanked = blank_sei(NalCodec::h264, whole, timings, keep_harmless);
    fail_unless_equals_uint64(blanked.size(), whole.size());
    for (const SeiMessage& each : read_sei(NalCodec::h264, blanked, timings))
      fail_unless(each.part_class == PartClass::useful);
    fail_unless(blanked == whole || types_of(NalCodec::h264, blanked)[1] == 1 ||
                types_of(NalCodec::h264, blanked)[2] == 1);
    Policy times;
    times.time = true;
    fail_unless(remove_sei(NalCodec::h264, whole, timings, keep_allowed(times)) == whole);
    // Without the parameter sets, and with others, nobody can tell what is in it.
    for (const std::vector<PictureTiming>& others :
         {std::vector<PictureTiming>(), {{1, 1, 0, false}}})
      fail_unless(remove_sei(NalCodec::h264, whole, others, keep_allowed(times)) ==
                  unit(NalCodec::h264, {recovery_point}));
  }
  // What follows the last bit is no time.
  Bytes longer = payload("0000 0");
  longer.insert(longer.end(), {'S', 'E', 'C'});
  fail_unless(remove_sei(NalCodec::h264, unit(NalCodec::h264, {message(1, longer)}), plain_timing,
                         keep_harmless)
                  .empty());
  // Two ways to read it, with different rests.
  const std::vector<PictureTiming> both = {{0, 0, 24, true}, {1, 0, 23, true}};
  const Bytes unclear = unit(NalCodec::h264, {message(1, payload("0000 1" + clock))});
  for (const SeiMessage& each : read_sei(NalCodec::h264, unclear, both))
    fail_unless(each.part_class != PartClass::useful);
}
GST_END_TEST

GST_START_TEST(test_what_is_told) {
  Traces traces;
  const Bytes bytes = unit(NalCodec::h264, {text_message("CAMERA 0815"), recovery_point,
                                            text_message("39.90420, 116.40740")});
  const auto found = read_sei(NalCodec::h264, bytes, {}, &traces);
  fail_unless_equals_int(found.size(), 3);
  fail_unless_equals_string(found[0].value.c_str(), "CAMERA 0815");
  fail_unless_equals_int(traces.identities.size(), 2);
  fail_unless_equals_int(traces.positions.size(), 1);
  fail_unless(std::abs(traces.positions[0].latitude - 39.9042) < 1e-9);
}
GST_END_TEST

// Some of several messages are removed; the others stay bit-exact and in their order.
GST_START_TEST(test_some_stay) {
  const Bytes zeros = message(2, {0, 0, 0, 0, 0, 1, 0, 0});
  for (const NalCodec codec : codecs) {
    const Bytes whole = unit(codec, {text_message("SECRET-1"), zeros, text_message("SECRET-2", 5),
                                     recovery_point, text_message("SECRET-3")});
    const Bytes less = remove_sei(codec, whole, {}, keep_harmless);
    fail_unless(less == unit(codec, {zeros, recovery_point}));
    expect_well_formed(less);
    const Bytes blanked = blank_sei(codec, whole, {}, keep_harmless);
    expect_well_formed(blanked);
    fail_unless_equals_uint64(blanked.size(), whole.size());
    fail_if(has(blanked, "SECRET"));
    fail_unless(types_of(codec, blanked) == std::vector<uint32_t>({2, 6, 3}));
    fail_unless(remove_sei(codec, blanked, {}, [](const SeiMessage& m) { return m.type != 3; }) ==
                less);
    // Once more changes nothing.
    fail_unless(remove_sei(codec, less, {}, keep_harmless) == less);
    fail_unless(blank_sei(codec, blanked, {}, keep_harmless) == blanked);
    fail_unless(remove_sei(codec, whole, {}, keep_allowed(Policy::everything())) == whole);
  }
}
GST_END_TEST

// Filler of one, two and three bytes of size, and the lengths between that no single filler has.
GST_START_TEST(test_every_gap_is_filled) {
  for (const NalCodec codec : codecs)
    for (const std::vector<Bytes>& kept : {std::vector<Bytes>(),
                                           {recovery_point},
                                           {message(2, {1, 0, 0})},
                                           {message(0, {1, 0}), recovery_point}}) {
      size_t payload = 0;
      for (; payload < 1100; ++payload) {
        std::vector<Bytes> all = kept;
        all.push_back(message(200, Bytes(payload, 'x')));
        const Bytes whole = unit(codec, all);
        const Bytes blanked = blank_sei(codec, whole, {}, keep_harmless);
        fail_unless_equals_uint64(blanked.size(), whole.size());
        expect_well_formed(blanked);
        const auto found = read_sei(codec, blanked, {});
        size_t others = 0;
        for (const SeiMessage& one : found) {
          fail_unless(one.part_class == PartClass::useful);
          if (one.type != 3) ++others;
        }
        fail_unless(others == kept.size(), "gap of %zu with %zu kept", payload + 2, kept.size());
      }
    }
}
GST_END_TEST

GST_START_TEST(test_damage_does_not_stay) {
  for (const NalCodec codec : codecs) {
    Bytes cut = unit(codec, {recovery_point, text_message("SECRET that is cut")});
    cut.resize(cut.size() - 4);
    const auto found = read_sei(codec, cut, {});
    fail_unless_equals_int(found.size(), 2);
    fail_unless(found[1].type == damaged_sei && found[1].part_class == PartClass::unknown);
    fail_unless_equals_uint64(found[1].offset + found[1].length, cut.size());
    fail_unless(remove_sei(codec, cut, {}, keep_harmless) == unit(codec, {recovery_point}));
    const Bytes blanked = blank_sei(codec, cut, {}, keep_harmless);
    fail_unless_equals_uint64(blanked.size(), cut.size());
    fail_if(has(blanked, "SECRET"));
    // A policy that allows everything keeps it.
    fail_unless(remove_sei(codec, cut, {}, keep_allowed(Policy::everything())) == cut);
    // Too short for any message.
    for (size_t size = 1; size <= 5; ++size) {
      Bytes tiny = codec == NalCodec::h264 ? Bytes{6} : Bytes{39 << 1, 1};
      tiny.resize(std::max(size, tiny.size()), 0x55);
      fail_unless(remove_sei(codec, tiny, {}, keep_harmless).empty());
      const Bytes filled = blank_sei(codec, tiny, {}, keep_harmless);
      fail_unless_equals_uint64(filled.size(), tiny.size());
      fail_unless(std::ranges::find(filled, 0x55) == filled.end());
    }
  }
}
GST_END_TEST

GST_START_TEST(test_random_units) {
  std::minstd_rand random(7);
  const auto below = [&](size_t n) { return random() % n; };
  size_t kept_all = 0, rounds = 0;
  for (int round = 0; round < 4000; ++round) {
    const NalCodec codec = codecs[below(2)];
    std::vector<Bytes> messages, stay;
    for (size_t i = 0, n = 1 + below(4); i < n; ++i) {
      // Mostly zeros and threes, where emulation prevention matters.
      Bytes payload(below(12));
      for (uint8_t& byte : payload) byte = static_cast<uint8_t>(below(4));
      const bool harmless = below(2);
      messages.push_back(message(harmless ? 0 : 222, payload));
      if (harmless) stay.push_back(messages.back());
    }
    const Bytes whole = unit(codec, messages);
    const Bytes less = remove_sei(codec, whole, {}, keep_harmless);
    fail_unless(less == (stay.empty() ? Bytes() : unit(codec, stay)));
    const Bytes blanked = blank_sei(codec, whole, {}, keep_harmless);
    fail_unless_equals_uint64(blanked.size(), whole.size());
    expect_well_formed(blanked);
    size_t others = 0;
    for (const SeiMessage& one : read_sei(codec, blanked, {})) {
      fail_unless(one.part_class == PartClass::useful);
      if (one.type != 3) ++others;
    }
    ++rounds;
    kept_all += others == stay.size();
  }
  // An allowed message is lost only if no filler of the needed length exists.
  fail_unless(kept_all * 100 >= rounds * 99, "%zu of %zu", kept_all, rounds);
}
GST_END_TEST

GST_START_TEST(test_equirectangular) {
  fail_unless(equirectangular_sei(NalCodec::h264) == Bytes({0x06, 0x96, 0x01, 0x44, 0x80}));
  fail_unless(equirectangular_sei(NalCodec::h265) == Bytes({0x4e, 0x01, 0x96, 0x01, 0x44, 0x80}));
  for (const NalCodec codec : codecs)
    fail_unless(types_of(codec, equirectangular_sei(codec)) == std::vector<uint32_t>({150}));
}
GST_END_TEST

GST_START_TEST(test_positions_in_text) {
  struct Case {
    const char* text;
    double latitude, longitude;
  };
  const Case cases[] = {
      {"+39.9042+116.4074+044.000/", 39.9042, 116.4074},
      {"-33.8688-151.2093/", -33.8688, -151.2093},
      {"+3954.252+11624.444/", 39.9042, 116.4074},
      {"+395415.12+1162426.64/", 39.9042, 116.4074},
      {"at 39.9042,116.4074 today", 39.9042, 116.4074},
      {"lat=39.9042 lon=-116.4074", 39.9042, -116.4074},
      {"lat 39.9042\xc2\xb0 S, 116.4074\xc2\xb0 W", -39.9042, -116.4074},
      {"{\"lat\": -39.9042, \"lon\": 116.4074}", -39.9042, 116.4074},
      {"$GPRMC,120000,A,3954.252,N,11624.444,W,0,0,010125,,*00", 39.9042, -116.4074},
      {"$GNGLL,3954.252,S,11624.444,E,1,A*00", -39.9042, 116.4074},
  };
  for (const Case& one : cases) {
    const auto found = positions_in(one.text);
    fail_unless(found.size() == 1, "'%s': %zu", one.text, found.size());
    fail_unless(std::abs(found[0].latitude - one.latitude) < 1e-6 &&
                    std::abs(found[0].longitude - one.longitude) < 1e-6,
                "'%s': %f %f", one.text, found[0].latitude, found[0].longitude);
  }
  fail_unless(positions_in("+39.9042+116.4074+044.000/")[0].altitude == 44);
  for (const char* text :
       {"", "x264 - core 164 r3095 baee400 - ratetol=1.0 qcomp=0.60", "2026-11-29T10:00:00+01:00",
        "1.22.0, 1.20.3", "00:00:01.000 --> 00:00:02.000", "+0.0000+0.0000/",
        "9999999999.123,1.123", "$GPGGA,,,,,,0,,,,,,,,", "3.14 and 2.71828, 999.99999"})
    fail_unless(positions_in(text).empty(), "'%s'", text);
}
GST_END_TEST

static Suite* sei_suite() {
  Suite* s = suite_create("sei");
  TCase* tc = tcase_create("messages");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_units_are_told_from_others);
  tcase_add_test(tc, test_classes);
  tcase_add_test(tc, test_time_codes);
  tcase_add_test(tc, test_what_is_told);
  tcase_add_test(tc, test_some_stay);
  tcase_add_test(tc, test_every_gap_is_filled);
  tcase_add_test(tc, test_damage_does_not_stay);
  tcase_add_test(tc, test_random_units);
  tcase_add_test(tc, test_equirectangular);
  tcase_add_test(tc, test_positions_in_text);
  return s;
}
GST_CHECK_MAIN(sei)

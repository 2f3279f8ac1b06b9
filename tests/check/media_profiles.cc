// SPDX-License-Identifier: LGPL-2.1-or-later
// What a colour profile tells beside colours goes: the device, its serial number, who has made it,
// and when. The colours stay, bit by bit, in each format.

#include "tests/check/clean_file.h"

#include <zlib.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/png_walk.h"
#include "gst/sphere/media/profile_texts.h"
#include "tests/check/photo_builder.h"
#include "tests/check/video_builder.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

/// The forms of a text in versions 2 and 4, and the plain one.
Bytes version_2(std::string_view text) {
  return join(bytes_of("desc"), zeros(4), big(text.size() + 1), bytes_of(text), zeros(1), zeros(8),
              zeros(3), zeros(67));
}
Bytes version_4(std::string_view text, std::string_view second = "") {
  Bytes wide;
  for (const std::string_view each : {text, second})
    for (const char c : each) wide = join(wide, big(static_cast<uint8_t>(c), 2));
  return join(bytes_of("mluc"), zeros(4), big(2), big(12), bytes_of("enUS"), big(2 * text.size()),
              big(40), bytes_of("deDE"), big(2 * second.size()), big(40 + 2 * text.size()), wide);
}
Bytes plain(std::string_view text) {
  return join(bytes_of("text"), zeros(4), bytes_of(text), zeros(1));
}
Bytes wide_secret() { return bytes_of(std::string_view("S\0E\0C\0R\0E\0T", 11)); }

const Bytes white = join(bytes_of("XYZ "), zeros(4), bytes_of("KEEP_WHITE_1"));
const Bytes curve = join(bytes_of("curv"), zeros(4), big(6), bytes_of("KEEP_CURVE_1"));

/// A header that tells: when, on which device, with which program.
Bytes with_header(Bytes profile) {
  const auto write = [&](size_t at, const Bytes& bytes) {
    std::ranges::copy(bytes, profile.begin() + static_cast<std::ptrdiff_t>(at));
  };
  write(24, join(big(2026, 2), big(11, 2), big(30, 2), big(14, 2), big(3, 2), big(27, 2)));
  for (const size_t at : {4, 48, 52, 80}) write(at, bytes_of("BOBS"));
  write(84, bytes_of("SECRET checksum!"));
  write(108, bytes_of("SECRET reserved"));
  return profile;
}

std::vector<Bytes> telling_profiles() {
  const Bytes screen = join(bytes_of("mmod"), zeros(4), bytes_of("SECRET serial number"));
  std::vector<Bytes> all;
  for (const Bytes& text :
       {version_2("SECRET screen of Bob"), version_4("SECRET screen", "SECRET"), plain("SECRET")})
    all.push_back(profile_of({{"desc", text},
                              {"wtpt", white},
                              {"cprt", plain("Copyright SECRET")},
                              {"dmnd", version_2("SECRET maker")},
                              {"mmod", screen},
                              {"rTRC", curve},
                              {"gTRC", plain("SECRET")},
                              {"vcgt", join(bytes_of("vcgt"), zeros(4), bytes_of("SECRET"))}}));
  return all;
}

/// The tags, in their order.
std::vector<std::string> tags_of(const Bytes& profile) {
  std::vector<std::string> names;
  for (size_t i = 0; i < profile[131]; ++i)
    names.emplace_back(profile.begin() + 132 + static_cast<std::ptrdiff_t>(12 * i),
                       profile.begin() + 136 + static_cast<std::ptrdiff_t>(12 * i));
  return names;
}

struct Cleaned {
  Bytes bytes;  ///< empty: nothing was to be done
  Examination found;
};
Cleaned cleaned(const Bytes& profile, const Policy& policy = Policy()) {
  fail_unless(is_colour_profile(profile));
  Request request;
  request.policy = policy;
  Cleaned result;
  Findings findings(request, &result.found);
  if (auto made = clean_profile(profile, {0, profile.size(), "ICC"}, &findings))
    result.bytes = std::move(*made);
  return result;
}

}  // namespace

GST_START_TEST(texts_go_and_colours_stay) {
  for (const Bytes& plain_profile : telling_profiles()) {
    const Bytes profile = with_header(plain_profile);
    const Cleaned clean = cleaned(profile);
    fail_unless_equals_int(clean.bytes.size(), profile.size());
    fail_unless(is_colour_profile(clean.bytes));
    no_secret(clean.bytes);
    fail_if(has(clean.bytes, wide_secret()) || has(clean.bytes, "BOBS") || has(clean.bytes, "Bob"));
    fail_unless(has(clean.bytes, white) && has(clean.bytes, curve));
    fail_unless(tags_of(clean.bytes) == std::vector<std::string>({"desc", "wtpt", "cprt", "rTRC"}));
    fail_unless(std::all_of(clean.bytes.begin() + 24, clean.bytes.begin() + 36,
                            [](uint8_t byte) { return byte == 0; }));
    fail_unless_equals_int(clean.found.parts.size(), 2);
    fail_unless(clean.found.parts[0].part_class == PartClass::identity &&
                clean.found.parts[0].value.find("SECRET") != std::string::npos);
    fail_unless(clean.found.parts[1].part_class == PartClass::time);
    fail_unless_equals_string(clean.found.parts[1].value.c_str(), "2026-11-30 14:03:27");
    const Cleaned again = cleaned(clean.bytes);
    fail_unless(again.bytes.empty() && again.found.parts.empty());

    Policy policy;
    policy.time = true;
    const Bytes timed = cleaned(profile, policy).bytes;
    fail_unless(std::equal(timed.begin() + 24, timed.begin() + 36, profile.begin() + 24));
    no_secret(timed);
    policy = Policy();
    policy.identity = true;
    fail_unless(has(cleaned(profile, policy).bytes, "BOBS"));
    fail_unless(cleaned(profile, Policy::everything()).bytes.empty());
  }
}
GST_END_TEST

GST_START_TEST(published_profiles_stay_as_they_are) {
  struct Case {
    Bytes description, copyright;
    bool time_stays;
  };
  const Case cases[] = {
      {version_2("sRGB IEC61966-2.1"), plain("Copyright (c) 1998 Hewlett-Packard Company"), true},
      {version_4("Display P3", "Display P3"), version_4("Copyright Apple Inc., 2017"), true},
      {version_2("Adobe RGB (1998)"), plain("Copyright 1999 Adobe Systems Incorporated"), true},
      // A program makes it when it saves a picture.
      {version_4("sRGB built-in"), version_4("No copyright, use freely"), false},
  };
  for (const Case& one : cases) {
    Bytes profile =
        profile_of({{"desc", one.description}, {"cprt", one.copyright}, {"rTRC", curve}});
    fail_unless(cleaned(profile).bytes.empty());
    std::ranges::copy(big(2017, 2), profile.begin() + 24);
    std::ranges::copy(bytes_of("appl"), profile.begin() + 4);
    fail_unless(cleaned(profile).bytes.empty() == one.time_stays);
  }
  // What only looks like one of them does not.
  for (const Bytes& text :
       {version_2("sRGB IEC61966-2.1 SECRET"), plain("Copyright Apple Inc., 123456789"),
        join(plain("sRGB"), bytes_of("SECRET")), join(version_4("sRGB"), bytes_of("SECRET")),
        join(version_2("sRGB"), bytes_of("SECRET"))})
    fail_if(cleaned(profile_of({{"desc", text}, {"rTRC", curve}})).bytes.empty());
}
GST_END_TEST

GST_START_TEST(damaged_tags_are_emptied) {
  for (const Bytes& text :
       {bytes_of("desc"), Bytes{1}, Bytes(), join(bytes_of("mluc"), zeros(4), big(99), big(12)),
        join(bytes_of("desc"), zeros(4), big(1u << 31), bytes_of("SECRET")),
        join(bytes_of("mluc"), zeros(4), big(1), big(12), zeros(4), big(99), big(99),
             bytes_of("SECRET"))})
    for (const char* name : {"desc", "cprt", "dmdd"}) {
      const Bytes profile = profile_of({{name, text}, {"rTRC", curve}});
      const Cleaned clean = cleaned(profile);
      fail_if(clean.bytes.empty());
      no_secret(clean.bytes);
      fail_unless(is_colour_profile(clean.bytes) && has(clean.bytes, curve));
      fail_unless(cleaned(clean.bytes).bytes.empty() || text.size() < 4);
    }
  // A text that is in the same bytes as a curve: the curve stays.
  Bytes shared = profile_of({{"desc", zeros(16)}, {"rTRC", curve}});
  std::ranges::copy_n(shared.begin() + 132 + 16, 8, shared.begin() + 132 + 4);
  fail_unless(has(cleaned(shared).bytes, curve));
}
GST_END_TEST

GST_START_TEST(in_each_format) {
  const Bytes profile = with_header(telling_profiles()[0]);
  const auto check = [&](const Bytes& file, const char* what) {
    fail_unless(has(file, "SECRET") || what == std::string_view("PNG"));
    const Bytes clean = changed(file, removing());
    no_secret(clean);
    fail_unless(changed(clean, removing()) == clean, "%s: a second time changed something", what);
    Request everything = removing();
    everything.policy = Policy::everything();
    fail_unless(changed(file, everything) == file, "%s", what);
    return clean;
  };
  const Bytes jpeg = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  const auto segment = [&](uint8_t number, size_t begin, size_t end) {
    const auto at = profile.begin();
    return join(
        Bytes{0xff, 0xe2}, big(end - begin + 16, 2),
        bytes_of(std::string_view("ICC_PROFILE\0", 12)), Bytes{number, 2},
        Bytes(at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end)));
  };
  const Bytes in_two = join(Bytes(jpeg.begin(), jpeg.begin() + 2), segment(1, 0, 150),
                            segment(2, 150, profile.size()), Bytes(jpeg.begin() + 2, jpeg.end()));
  Bytes clean = check(in_two, "JPEG");
  fail_unless_equals_int(clean.size(), in_two.size());
  fail_unless(has(clean, white) && has(clean, curve));

  Bytes packed(compressBound(static_cast<uLong>(profile.size())));
  auto size = static_cast<uLongf>(packed.size());
  fail_unless(compress(packed.data(), &size, profile.data(), static_cast<uLong>(profile.size())) ==
              Z_OK);
  packed.resize(size);
  const Bytes png = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! pngenc ! "
      "filesink location=%s");
  constexpr std::ptrdiff_t behind_header = 8 + 25;
  const Bytes chunk = png_chunk("iCCP", join(bytes_of("icc"), zeros(2), packed));
  clean = check(join(Bytes(png.begin(), png.begin() + behind_header), chunk,
                     Bytes(png.begin() + behind_header, png.end())),
                "PNG");
  const std::string_view all(reinterpret_cast<const char*>(clean.data()), clean.size());
  const size_t at = all.find("iCCP");
  fail_unless(at != all.npos);
  Bytes unpacked(profile.size());
  size = unpacked.size();
  fail_unless(uncompress(unpacked.data(), &size, clean.data() + at + 4 + 5,
                         static_cast<uLong>(clean.size() - at - 9)) == Z_OK);
  no_secret(unpacked);
  fail_unless(has(unpacked, white) && has(unpacked, curve));

  const auto riff = [](std::string_view type, const Bytes& content) {
    return join(bytes_of(type), little(static_cast<uint32_t>(content.size())), content,
                zeros(content.size() % 2));
  };
  const Bytes chunks =
      join(bytes_of("WEBP"), riff("VP8X", join(Bytes{0x20, 0, 0, 0}, Bytes{15, 0, 0, 0, 0, 0})),
           riff("ICCP", profile), riff("VP8L", Bytes{0x2f, 0x0f, 0, 0, 0, 0}));
  clean =
      check(join(bytes_of("RIFF"), little(static_cast<uint32_t>(chunks.size())), chunks), "WebP");
  fail_unless(has(clean, white) && has(clean, curve));

  TestTrack track;
  track.entry = picture_entry(box("colr", bytes_of("prof"), profile));
  track.samples = {picture(1)};
  TestVideo video;
  video.tracks = {track};
  clean = check(video.build(), "MP4");
  fail_unless(has(clean, white) && has(clean, curve));
}
GST_END_TEST

static Suite* media_profiles_suite(void) {
  Suite* s = suite_create("media_profiles");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, texts_go_and_colours_stay);
  tcase_add_test(tc, published_profiles_stay_as_they_are);
  tcase_add_test(tc, damaged_tags_are_emptied);
  tcase_add_test(tc, in_each_format);
  return s;
}
GST_CHECK_MAIN(media_profiles)

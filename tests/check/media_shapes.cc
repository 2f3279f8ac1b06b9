// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known to be useful is kept only in its own form: tables, colour profiles, chunks and
// boxes with something behind what they say themselves lose it, or the file is refused.

#include "tests/check/pipeline.h"

#include <zlib.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/png_walk.h"
#include "tests/check/photo_builder.h"
#include "tests/check/video_builder.h"
#include "tests/fuzz/redacted.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

bool has(std::span<const uint8_t> bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(text) !=
         std::string_view::npos;
}
const Bytes secret = bytes_of("SECRET 39.9042,116.4074");

Request denied(bool in_place = false) {
  Request request;
  request.policy = {};
  request.in_place = in_place;
  return request;
}
/// The edited file; empty if it is refused.
Bytes redacted(const Bytes& bytes, const Request& request) {
  return check_redacted(&examine, bytes, request);
}
/// In both ways the secret goes, and the file is not refused.
void expect_gone(const Bytes& bytes, const char* what) {
  for (const bool in_place : {false, true}) {
    const Bytes clean = redacted(bytes, denied(in_place));
    fail_if(clean.empty(), "%s is refused", what);
    fail_if(has(clean, "SECRET"), "%s stays", what);
  }
  fail_unless(redacted(bytes, Request()) == bytes, "%s changes the file where all may stay", what);
}
void expect_refused(const Bytes& bytes, const char* what) {
  fail_unless(redacted(bytes, denied()).empty(), "%s is not refused", what);
}

TestTrack two_pictures() {
  TestTrack track;
  track.entry = picture_entry();
  track.samples = {picture(1), picture(2)};
  return track;
}

Bytes plain_jpeg() {
  static const Bytes jpeg = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  return jpeg;
}
Bytes plain_png() {
  static const Bytes png = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! pngenc ! "
      "filesink location=%s");
  return png;
}
Bytes segment(int marker, const Bytes& content) {
  return join(Bytes{0xff, static_cast<uint8_t>(marker)}, big(content.size() + 2, 2), content);
}
Bytes inserted(const Bytes& bytes, size_t at, const Bytes& more) {
  const auto place = static_cast<std::ptrdiff_t>(at);
  return join(Bytes(bytes.begin(), bytes.begin() + place), more,
              Bytes(bytes.begin() + place, bytes.end()));
}
/// Where the first segment with this marker begins.
size_t find_segment(const Bytes& jpeg, int marker) {
  size_t at = 2;
  while (jpeg[at + 1] != marker) at += 2 + (size_t{jpeg[at + 2]} << 8 | jpeg[at + 3]);
  return at;
}
/// The JPEG with bytes at the end of the content of its first segment with this marker.
Bytes with_longer_segment(int marker, const Bytes& more) {
  Bytes jpeg = plain_jpeg();
  const size_t at = find_segment(jpeg, marker);
  const size_t size = (size_t{jpeg[at + 2]} << 8 | jpeg[at + 3]);
  jpeg[at + 2] = static_cast<uint8_t>((size + more.size()) >> 8);
  jpeg[at + 3] = static_cast<uint8_t>(size + more.size());
  return inserted(jpeg, at + 2 + size, more);
}
Bytes profile_segment(uint8_t number, uint8_t count, const Bytes& content) {
  return segment(0xe2, join(bytes_of({"ICC_PROFILE\0", 12}), Bytes{number, count}, content));
}

Bytes deflated(const Bytes& bytes) {
  Bytes packed(compressBound(static_cast<uLong>(bytes.size())));
  auto size = static_cast<uLongf>(packed.size());
  fail_unless(compress(packed.data(), &size, bytes.data(), static_cast<uLong>(bytes.size())) ==
              Z_OK);
  packed.resize(size);
  return packed;
}
constexpr size_t behind_png_header = 8 + 25;
Bytes png_with(std::string_view type, const Bytes& content) {
  return inserted(plain_png(), behind_png_header, png_chunk(type, content));
}
/// The chunks of the picture's pixels, as one, with other packed pixels.
Bytes png_with_pixels(const Bytes& packed) {
  const Bytes png = plain_png(), end = png_chunk("IEND", {});
  return join(Bytes(png.begin(), png.begin() + behind_png_header), png_chunk("IDAT", packed), end);
}

}  // namespace

GST_START_TEST(tables_of_a_jpeg) {
  fail_if(redacted(plain_jpeg(), denied()).empty());
  for (const int marker : {0xdb, 0xc4, 0xc0, 0xda})  // DQT, DHT, SOF, SOS
    expect_refused(with_longer_segment(marker, secret), "a longer table");
  for (const int marker : {0xdc, 0xdd})  // DNL, DRI
    expect_refused(inserted(plain_jpeg(), 2, segment(marker, join(zeros(2), secret))), "a number");
  for (const int marker : {0xcc, 0xde, 0xdf})  // DAC, DHP, EXP
    expect_gone(inserted(plain_jpeg(), 2, segment(marker, join(secret, zeros(1)))),
                "a table of another code");
  // Arithmetic code needs its table, which stands behind the header.
  Bytes coded = plain_jpeg();
  const size_t frame = find_segment(coded, 0xc0);
  coded[frame + 1] = 0xc9;
  const Bytes table = segment(0xcc, {0, 0x10, 0x10, 5});
  const Bytes with_table = inserted(coded, find_segment(coded, 0xda), table);
  fail_unless(has(redacted(with_table, denied()), "\x10\x10\x05"));
  expect_refused(inserted(coded, 2, table), "a table before the header");
}
GST_END_TEST

GST_START_TEST(colour_profiles) {
  const Bytes profile = colour_profile("KEEP_THIS");
  fail_unless(is_colour_profile(profile));
  fail_unless(is_colour_profile(join(profile, zeros(3))));
  fail_if(is_colour_profile(join(profile, secret)));
  for (size_t i = 0; i < profile.size(); ++i)
    fail_if(is_colour_profile(std::span(profile).first(i)), "%zu bytes", i);
  const auto jpeg = [](const Bytes& segments) { return inserted(plain_jpeg(), 2, segments); };
  fail_unless(has(redacted(jpeg(profile_segment(1, 1, profile)), denied()), "KEEP_THIS"));
  const std::span<const uint8_t> whole(profile);
  const Bytes first(whole.begin(), whole.begin() + 50), second(whole.begin() + 50, whole.end());
  const Bytes in_two = join(profile_segment(1, 2, first), profile_segment(2, 2, second));
  fail_unless(has(redacted(jpeg(in_two), denied()), "KEEP_THIS"));
  expect_gone(jpeg(profile_segment(1, 1, secret)), "no profile");
  expect_gone(jpeg(profile_segment(1, 1, join(profile, secret))), "bytes after a profile");
  expect_gone(jpeg(join(in_two, profile_segment(3, 3, secret))), "a part too many");

  const auto png = [](const char* name, const Bytes& content) {
    return png_with("iCCP", join(bytes_of(name), zeros(2), content));
  };
  const Bytes packed = deflated(profile);
  fail_unless(has(redacted(png("icc", packed), denied()), "iCCP"));
  expect_gone(png("icc", secret), "no profile in a PNG");
  expect_gone(png("icc", join(packed, secret)), "bytes after a packed profile");
  expect_gone(png("icc", deflated(join(profile, secret))), "bytes after a profile, packed");
  expect_gone(png("SECRET", packed), "the name of a profile");
  fail_unless(has(redacted(png("SECRET", packed), denied()), "iCCP"), "the profile goes");
}
GST_END_TEST

GST_START_TEST(chunks_of_a_png) {
  const struct {
    const char* type;
    size_t size;
  } chunks[] = {{"gAMA", 4}, {"cHRM", 32}, {"sRGB", 1}, {"pHYs", 9},  {"cICP", 4}, {"mDCV", 24},
                {"cLLI", 8}, {"sBIT", 3},  {"bKGD", 6}, {"hIST", 16}, {"sPLT", 9}};
  for (const auto& chunk : chunks) {
    const bool is_bits = chunk.type == std::string_view("sBIT");
    const Bytes content(chunk.size, is_bits ? 8 : 0);
    const bool stays = has(redacted(png_with(chunk.type, content), denied()), chunk.type);
    fail_unless_equals_int(stays, chunk.size != 16 && chunk.type[1] != 'P');
    expect_gone(png_with(chunk.type, join(content, secret)), chunk.type);
  }
  expect_gone(png_with("sBIT", bytes_of("SEC")), "letters where numbers are due");
  for (const char* type : {"acTL", "PLTE", "tRNS"})
    expect_refused(png_with(type, join(zeros(type[0] == 'P' ? 3 : 6), secret)), type);
  Bytes header = plain_png();
  header.erase(header.begin() + 8, header.begin() + behind_png_header);
  const Bytes plain = plain_png();
  const Bytes longer(plain.begin() + 16, plain.begin() + 29);
  expect_refused(inserted(header, 8, png_chunk("IHDR", join(longer, secret))), "a longer header");
}
GST_END_TEST

GST_START_TEST(keyword_of_xmp_in_a_png) {
  constexpr std::string_view packet =
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
      "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
      "<rdf:Description rdf:about=\"\" xmlns:GPano=\"http://ns.google.com/photos/1.0/panorama/\" "
      "GPano:ProjectionType=\"equirectangular\"/></rdf:RDF></x:xmpmeta>";
  const Bytes png =
      png_with("iTXt", join(bytes_of({"XML:com.adobe.xmp\0\0\0", 20}),
                            bytes_of({"SECRET\0SECRET\0", 14}), bytes_of(packet), Bytes(300, ' ')));
  expect_gone(png, "the language of XMP");
  for (const bool in_place : {false, true})
    fail_unless(has(redacted(png, denied(in_place)), "equirectangular"), "the XMP goes");
}
GST_END_TEST

GST_START_TEST(pixels_of_a_png) {
  const Bytes rows(24 * (48 * 3 + 1));
  const Bytes packed = deflated(rows);
  fail_if(redacted(png_with_pixels(packed), denied()).empty());
  expect_refused(png_with_pixels(join(packed, secret)), "bytes after the pixels");
  expect_refused(png_with_pixels(deflated(join(rows, secret))), "too many pixels");
  expect_refused(png_with_pixels(secret), "pixels that can't be unpacked");
  const Bytes two = png_with_pixels(packed);
  expect_refused(inserted(two, two.size() - 12, png_chunk("IDAT", secret)),
                 "a chunk after the last");
}
GST_END_TEST

GST_START_TEST(boxes_of_a_video) {
  TestVideo video;
  const TestTrack pictures = two_pictures();
  const auto sound = [](const Bytes& more) {
    return box("mp4a", zeros(6), big(1, 2), zeros(8), big(2, 2), big(16, 2), zeros(4),
               big(48000u << 16), more);
  };
  const Bytes channels = join(zeros(4), big(1), big(0), big(0));
  for (const Bytes& more :
       {box("esds", zeros(4), Bytes{3, 0x80, 0x80, 0x80, 2, 7, 7}, secret),
        box("dOps", Bytes{0, 2}, zeros(9), secret), box("chan", channels, secret),
        box("SA3D", zeros(8), big(4), zeros(16), secret), box("srat", zeros(8), secret),
        box("pcmC", zeros(6), secret), box("dac3", zeros(3), secret)}) {
    TestTrack track{"soun", "SoundHandler", sound(more), {bytes_of("sound")}, 1, {}};
    video.tracks = {pictures, track};
    expect_gone(video.build(), std::string(more.begin() + 4, more.begin() + 8).c_str());
    const Bytes clean = redacted(video.build(), denied());
    fail_unless(has(clean, std::string(more.begin() + 4, more.begin() + 8)));
  }
}
GST_END_TEST

namespace {

TestVideo video_of(const TestTrack& track) {
  TestVideo video;
  video.tracks = {track};
  return video;
}
/// Its box stays, without what is behind its content.
void expect_cut(TestVideo video, std::string_view type) {
  const std::string name(type);
  expect_gone(video.build(), name.c_str());
  fail_unless(has(redacted(video.build(), denied()), type), "%s goes", name.c_str());
}
TestTrack sound_of(const Bytes& more) {
  const Bytes entry = box("mp4a", zeros(6), big(1, 2), zeros(8), big(2, 2), big(16, 2), zeros(4),
                          big(48000u << 16), more);
  return {"soun", "SoundHandler", entry, {bytes_of("sound")}, 1, {}, {}};
}
Bytes descriptor(uint8_t tag, const Bytes& content) {
  return join(Bytes{tag, static_cast<uint8_t>(content.size())}, content);
}
/// A description of AAC.
Bytes aac(const Bytes& config, const Bytes& behind = {}, const Bytes& last = {},
          const Bytes& address = {}) {
  const uint8_t flags = address.empty() ? 0 : 0x40;
  const Bytes head = join(Bytes{0, 1, flags}, address);
  return box(
      "esds", zeros(4),
      descriptor(
          3, join(head,
                  descriptor(4, join(Bytes{0x40, 0x15}, zeros(11), descriptor(5, config), behind)),
                  descriptor(6, {2}), last)));
}

}  // namespace

// Boxes whose length has to be worked out.
GST_START_TEST(longer_boxes_of_a_video) {
  const Bytes profile = colour_profile("KEEP_THIS");
  for (const Bytes& more :
       {box("d263", bytes_of("FFMP"), zeros(3), secret), box("cclv", Bytes{4}, zeros(4), secret),
        box("chrm", zeros(4), secret), box("vpcC", Bytes{1, 0, 0, 0}, zeros(8), secret)}) {
    TestTrack track = two_pictures();
    track.entry = picture_entry(more);
    expect_cut(video_of(track), std::string(more.begin() + 4, more.begin() + 8));
  }
  TestTrack track = two_pictures();
  track.entry = picture_entry(box("colr", bytes_of("prof"), profile));
  fail_unless(has(redacted(video_of(track).build(), denied()), "KEEP_THIS"));
  for (const Bytes& content :
       {join(bytes_of("prof"), secret), join(bytes_of("prof"), profile, secret),
        join(bytes_of("test"), secret), join(bytes_of("nclc"), zeros(6), secret)}) {
    track.entry = picture_entry(box("colr", content));
    expect_gone(video_of(track).build(), "no colours");
  }
  const Bytes lists = box("chan", zeros(4), secret), spatial = box("SA3D", zeros(8), secret);
  const Bytes layout = box("chnl", zeros(4), Bytes{1, 0}, secret);
  TestVideo video;
  for (const Bytes& more : {lists, spatial, layout}) {
    video.tracks = {two_pictures(), sound_of(more)};
    expect_gone(video.build(), "a list of channels");
  }
  for (const Bytes& more :
       {box("dec3", Bytes{0, 0, 0, 0, 0}, secret),
        box("dec3", Bytes{0, 0, 0, 0, 2, 0, 1, 7}, secret),
        box("mhaC", Bytes{1, 2, 3, 0, 2, 7, 7}, secret), box("dac4", zeros(64), secret),
        box("chnl", zeros(4), Bytes{1, 0, 0, 1, 126, 1, 2, 3, 0}, Bytes{99}, secret),
        box("chnl", zeros(4), Bytes{3, 2}, zeros(9), secret)}) {
    video.tracks = {two_pictures(), sound_of(more)};
    expect_gone(video.build(), "a description of sound");
  }
  video.tracks = {two_pictures(), sound_of(box("wave", box("mp4a", zeros(4), secret)))};
  expect_gone(video.build(), "a box of QuickTime");
}
GST_END_TEST

GST_START_TEST(tables_of_samples) {
  for (const bool fragmented : {false, true}) {
    const auto with = [&](const Bytes& tables) {
      TestTrack track = two_pictures();
      track.more_tables = tables;
      TestVideo video = video_of(track);
      video.fragmented = fragmented;
      return video;
    };
    expect_cut(with(box("sdtp", zeros(4), Bytes(fragmented ? 1 : 2, 0x18), secret)), "sdtp");
    expect_gone(with(box("sdtp", zeros(4), secret)).build(), "no dependencies of samples");
    const Bytes roll = bytes_of("roll");
    expect_cut(with(box("sgpd", big(0), roll, big(1), Bytes{0, 1}, secret)), "sgpd");
    expect_cut(with(box("sgpd", Bytes{1, 0, 0, 0}, roll, big(2), big(1), Bytes{0, 1}, secret)),
               "sgpd");
    expect_gone(
        with(box("sgpd", Bytes{1, 0, 0, 0}, roll, big(secret.size()), big(1), secret)).build(),
        "a group that is too long");
    expect_gone(
        with(box("sgpd", Bytes{1, 0, 0, 0}, roll, big(0), big(1), big(secret.size()), secret))
            .build(),
        "a group with a length that is too long");
  }
}
GST_END_TEST

GST_START_TEST(descriptions_of_aac) {
  const Bytes config = {0x11, 0x90, 0x56, 0xe5, 0};
  TestVideo video;
  video.time = 0;
  const auto with = [&](const Bytes& esds) {
    video.tracks = {two_pictures(), sound_of(esds)};
    return video.build();
  };
  fail_unless(redacted(with(aac(config)), denied()) == with(aac(config)), "a plain one changes");
  expect_gone(with(aac(join(config, secret))), "bytes behind the description");
  expect_gone(with(aac(config, descriptor(0x0d, secret))), "a descriptor of the decoder");
  expect_gone(with(aac(config, {}, descriptor(0x0d, secret))), "a descriptor of the stream");
  expect_gone(with(aac(config, {}, {}, descriptor(22, secret))), "an address");
  expect_gone(with(box("esds", zeros(4), descriptor(9, secret))), "no description");
  // Four channels, which encoders describe with their name.
  const Bytes program = {0x11, 0x80, 0x04, 0xc4, 0x04, 0, 0x21, 0x10};
  const Bytes named = with(aac(join(program, Bytes{6}, bytes_of("SECRET"))));
  expect_gone(named, "the name of the encoder");
  fail_unless(has(redacted(named, denied()), "\x04\xc4\x04"), "the channels go");
}
GST_END_TEST

// Of users' data, only numbers are useful, under the names that everyone uses.
GST_START_TEST(numbers_of_users) {
  const auto item = [](const Bytes& type, uint64_t form, const Bytes& content, const Bytes& more) {
    const Bytes parts = join(box("data", big(form), zeros(4), content), more);
    return join(big(parts.size() + 8), type, parts);
  };
  const auto list = [](std::string_view kind, const Bytes& keys, const Bytes& items) {
    return box("udta", box("meta", zeros(4), box("hdlr", zeros(8), bytes_of(kind), zeros(13)), keys,
                           box("ilst", items)));
  };
  const auto key = [](std::string_view name) {
    return box("keys", big(0), big(1), box("mdta", bytes_of(name)));
  };
  constexpr std::string_view rate = "com.android.capture.fps";
  const Bytes first = big(1), collection = bytes_of("cpil");
  constexpr uint64_t text = 1, integer = 21, real = 23;
  TestVideo video = video_of(two_pictures());
  const auto with = [&](const Bytes& boxes) {
    video.more = boxes;
    return video.build();
  };
  fail_unless(
      has(redacted(with(list("mdta", key(rate), item(first, real, big(0x41f00000), {}))), denied()),
          rate));
  fail_unless(
      has(redacted(with(list("mdir", {}, item(collection, integer, {1}, {}))), denied()), "cpil"));
  for (const Bytes& boxes :
       {box("udta", box("cpil", secret)), list("mdir", {}, item(collection, integer, secret, {})),
        list("mdir", {}, item(collection, text, bytes_of("SECRET"), {})),
        list("mdir", {}, item(collection, integer, {1}, box("name", zeros(4), secret))),
        list("mdta", key(rate), item(first, real, secret, {})),
        list("mdta", key("com.android.capture.fps.SECRET"), item(first, real, big(1), {})),
        list("mdta", key("com.apple.quicktime.model.SECRET"), item(first, text, secret, {}))})
    expect_gone(with(boxes), "a text of a user");
  // Such a list has keys that may stay.
  Request request = denied();
  request.policy.place = true;
  const Bytes keys = key("com.apple.quicktime.location.SECRET");
  fail_if(
      has(redacted(with(list("mdta", keys, item(first, text, bytes_of("+39+116/"), {}))), request),
          "SECRET"));
}
GST_END_TEST

// Bytes of headers that have no meaning.
GST_START_TEST(reserved_bytes_of_a_video) {
  TestVideo video;
  const TestTrack pictures = two_pictures();
  video.tracks = {pictures};
  const Bytes plain = video.build();
  const std::string_view text(reinterpret_cast<const char*>(plain.data()), plain.size());
  for (const auto& [type, offset] :
       {std::pair{"mvhd", 26}, {"mvhd", 72}, {"tkhd", 24}, {"avc1", 0}}) {
    Bytes file = plain;
    std::ranges::copy(bytes_of("SECRET"),
                      file.begin() + static_cast<std::ptrdiff_t>(text.find(type) + 4) + offset);
    expect_gone(file, type);
  }
  // QuickTime names the vendor of the encoder.
  video.tracks.push_back(sound_of({}));
  Bytes file = video.build();
  const Bytes type = bytes_of("mp4a");
  const auto name = std::search(file.begin(), file.end(), type.begin(), type.end());
  std::ranges::copy(bytes_of("SECR"), name + 4 + 12);
  fail_if(has(redacted(file, denied()), "SECR"));
}
GST_END_TEST

static Suite* media_shapes_suite() {
  Suite* suite = suite_create("media_shapes");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, tables_of_a_jpeg);
  tcase_add_test(tcase, colour_profiles);
  tcase_add_test(tcase, chunks_of_a_png);
  tcase_add_test(tcase, keyword_of_xmp_in_a_png);
  tcase_add_test(tcase, pixels_of_a_png);
  tcase_add_test(tcase, boxes_of_a_video);
  tcase_add_test(tcase, longer_boxes_of_a_video);
  tcase_add_test(tcase, tables_of_samples);
  tcase_add_test(tcase, descriptions_of_aac);
  tcase_add_test(tcase, numbers_of_users);
  tcase_add_test(tcase, reserved_bytes_of_a_video);
  return suite;
}

GST_CHECK_MAIN(media_shapes)

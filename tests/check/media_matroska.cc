// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known to be useful in a Matroska file is kept only in its own form.

#include "tests/check/pipeline.h"

#include <algorithm>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"
#include "tests/check/clean_file.h"
#include "tests/check/video_builder.h"
#include "tests/fuzz/redacted.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

const Bytes secret = bytes_of("SECRET 39.9042,116.4074");

Bytes element(uint32_t id, const Bytes& content) { return ebml_element(id, content, 1); }
Bytes element(uint32_t id, std::string_view text) { return element(id, bytes_of(text)); }
Bytes number(uint32_t id, uint64_t value) { return element(id, ebml_number(value, 1)); }

constexpr uint32_t doc_type = 0x4282, info = 0x1549A966, duration = 0x4489, tracks = 0x1654AE6B,
                   track = 0xAE, track_number = 0xD7, track_uid = 0x73C5, track_type = 0x83,
                   codec = 0x86, codec_private = 0x63A2, language = 0x22B59C,
                   language_tag = 0x22B59D, video = 0xE0, projection = 0x7670,
                   projection_private = 0x7672, cluster = 0x1F43B675, cluster_time = 0xE7,
                   simple_block = 0xA3, group = 0xA0, block = 0xA1, block_duration = 0x9B,
                   tags = 0x1254C367, tag = 0x7373, targets = 0x63C0, target_type = 0x63CA,
                   simple_tag = 0x67C8, tag_name = 0x45A3, tag_string = 0x4487, tag_binary = 0x4485,
                   crc = 0xBF, cue_time = 0xB3, cue_track = 0xF7, space = 0xEC;

/// A file with a track of pictures and one of sound.
struct TestFile {
  std::string type = "matroska", pictures = "V_VP8", sound = "A_OPUS";
  std::string frame = "picture";
  Bytes more_info, more_pictures, more_sound, more_video, more_cluster, more;

  Bytes build() const {
    const Bytes head = element(0x1A45DFA3, join(number(0x4286, 1), element(doc_type, type)));
    const auto entry = [](uint64_t index, uint64_t kind, const std::string& name,
                          const Bytes& rest) {
      return element(track, join(number(track_number, index), number(track_uid, index),
                                 number(track_type, kind), element(codec, name), rest));
    };
    const Bytes size = join(number(0xB0, 64), number(0xBA, 32), more_video);
    const Bytes list = join(entry(1, 1, pictures, join(element(video, size), more_pictures)),
                            entry(2, 2, sound, more_sound));
    const Bytes media = join(number(cluster_time, 0),
                             element(simple_block, join(Bytes{0x81, 0, 0, 0x80}, bytes_of(frame))),
                             element(simple_block, noise()), more_cluster);
    return join(head, element(0x18538067, join(element(info, more_info), element(tracks, list),
                                               element(cluster, media), more)));
  }
  static Bytes picture() { return join(Bytes{0x81, 0, 0, 0x80}, bytes_of("picture")); }
  static Bytes noise() { return join(Bytes{0x82, 0, 0, 0x80}, bytes_of("noise")); }
};

Request denied(bool in_place = false) {
  Request request;
  request.policy = {};
  request.policy.sound_tracks = true;
  request.in_place = in_place;
  return request;
}
Bytes redacted(const Bytes& bytes, const Request& request) {
  return check_redacted(&examine, bytes, request);
}
void expect_gone(const TestFile& file, const char* what) {
  const Bytes bytes = file.build();
  for (const bool in_place : {false, true}) {
    const Bytes clean = redacted(bytes, denied(in_place));
    fail_if(clean.empty(), "%s is refused", what);
    fail_if(has(clean, "SECRET"), "%s stays", what);
    fail_unless(has(clean, "picture"), "%s: the picture goes", what);
  }
  fail_unless(redacted(bytes, Request()) == bytes, "%s changes the file where all may stay", what);
}
void expect_refused(const TestFile& file, const char* what) {
  fail_unless(redacted(file.build(), denied()).empty(), "%s is not refused", what);
}
Bytes tag_of(const Bytes& parts) { return element(tags, element(tag, parts)); }
Bytes named(std::string_view name, const Bytes& value) {
  return element(simple_tag, join(element(tag_name, name), value));
}

/// An index with so many entries, each of which moves when the file is marked.
Bytes index_of(size_t entries) {
  const Bytes entry =
      element(ebml_id::cue_point,
              join(number(cue_time, 0),
                   element(ebml_id::cue_track_positions,
                           join(number(cue_track, 1),
                                element(ebml_id::cue_cluster_position, ebml_number(100'000, 4))))));
  Bytes all;
  for (size_t i = 0; i < entries; ++i) all.insert(all.end(), entry.begin(), entry.end());
  return ebml_element(ebml_id::cues, all);
}

/// The processor's time for marking, in seconds: the shortest of some.
double time_to_mark(size_t entries) {
  TestFile file;
  file.more_cluster = element(space, zeros(120'000));
  file.more = index_of(entries);
  const Bytes bytes = file.build();
  Request request;
  request.mark.emplace();
  double shortest = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto now = [] {
      timespec time = {};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    };
    const double begin = now();
    const auto found = examine(MemorySource(bytes), request);
    shortest = std::min(shortest, now() - begin);
    fail_unless(found && found->edits.size() > entries, "%zu", found ? found->edits.size() : 0);
  }
  return shortest;
}

}  // namespace

GST_START_TEST(plain_files_stay) {
  TestFile file;
  file.more_pictures = join(element(language, "eng"), element(language_tag, "es-419"));
  file.more_video = element(projection, element(projection_private, zeros(20)));
  file.more = tag_of(join(element(targets, element(target_type, "TRACK")),
                          named("DURATION", element(tag_string, "00:00:01.000000000")),
                          named("BPS", element(tag_string, "1234567"))));
  for (const std::string codec_name : {"A_OPUS", "A_AAC", "A_AAC/MPEG4/LC", "A_PCM/INT/LIT"}) {
    file.sound = codec_name;
    fail_unless(redacted(file.build(), denied()) == file.build(), "%s", codec_name.c_str());
  }
}
GST_END_TEST

GST_START_TEST(numbers_and_names) {
  for (const uint32_t id : {uint32_t{0x9A}, uint32_t{0x53B8}, uint32_t{0xB2}}) {
    TestFile file;
    file.more_video = element(id, secret);
    fail_if(has(redacted(file.build(), denied()), "SECRET"));
  }
  TestFile file;
  file.more_info = element(duration, secret);
  expect_refused(file, "a long number");
  file = {};
  file.type = "matroska SECRET";
  expect_refused(file, "a type of file");
  file = {};
  file.sound = "A_AAC/SECRET";
  expect_refused(file, "a codec");
  file.sound = std::string("A_OPUS\0SECRET", 13);
  expect_refused(file, "bytes behind a codec");
  file = {};
  file.more_pictures = element(track_uid, secret);
  expect_refused(file, "a second id");
  file.more_pictures = element(codec_private, secret);
  expect_gone(file, "data for a decoder that needs none");
  file.more_pictures = join(element(codec_private, secret), element(codec_private, zeros(1)));
  expect_refused(file, "data for a decoder twice");
  for (const uint32_t id : {language, language_tag}) {
    file.more_pictures = element(id, secret);
    expect_refused(file, "a language");
  }
}
GST_END_TEST

GST_START_TEST(data_for_decoders) {
  TestFile file;
  const Bytes head = join(bytes_of("OpusHead"), Bytes{1, 2}, zeros(9));
  const Bytes aac = {0x11, 0x90, 0x56, 0xe5, 0};
  const struct {
    const char* codec;
    Bytes data;
  } all[] = {{"A_OPUS", head}, {"A_AAC", aac}, {"A_ALAC", zeros(48)}, {"A_PCM/INT/LIT", {}}};
  for (const auto& [name, data] : all) {
    file.sound = name;
    file.more_sound = element(codec_private, data);
    fail_unless(redacted(file.build(), denied()) == file.build(), "%s changes", name);
    file.more_sound = element(codec_private, join(data, secret));
    expect_gone(file, name);
  }
}
GST_END_TEST

// Matroska leaves out the first two words of each picture.
GST_START_TEST(vendor_of_prores) {
  TestFile file;
  file.pictures = "V_PRORES";
  file.frame = std::string(4, 1) + "SECR picture";
  const Bytes clean = redacted(file.build(), denied());
  fail_unless(has(clean, "apl0 picture"));
}
GST_END_TEST

GST_START_TEST(meshes_of_lenses) {
  TestFile file;
  const Bytes mesh = join(zeros(8), bytes_of("dfl8"), secret);
  file.more_video = element(projection, element(projection_private, mesh));
  Request request = denied();
  request.policy.stitching = false;
  fail_if(has(redacted(file.build(), request), "SECRET"));
  request.policy.stitching = true;
  fail_unless(has(redacted(file.build(), request), "SECRET"));
  file.more_video = element(projection, element(projection_private, "SECRET 39.9042"));
  expect_gone(file, "bounds that are none");
}
GST_END_TEST

GST_START_TEST(tags_with_more_than_a_number) {
  TestFile file;
  const Bytes plain = element(tag_string, "12345"), text = element(tag_string, secret);
  for (const char* name : {"BPS", "DURATION", "NUMBER_OF_FRAMES", "_STATISTICS_TAGS"}) {
    file.more = tag_of(named(name, text));
    expect_gone(file, "a text instead of a number");
    file.more = tag_of(named(name, join(plain, element(tag_binary, secret))));
    expect_gone(file, "more than a number");
    file.more = tag_of(named(name, join(text, plain)));
    expect_gone(file, "two texts");
    file.more = tag_of(named(name, element(tag_string, join(bytes_of("1"), zeros(1), secret))));
    expect_gone(file, "bytes behind a text");
  }
  file.more = tag_of(named(std::string_view("BPS\0SECRET", 10), plain));
  expect_gone(file, "bytes behind a name");
  file.more = tag_of(named("SPHERICAL-VIDEO", join(text, plain)));
  expect_gone(file, "a marking with two texts");
  file.more = tag_of(element(targets, element(target_type, secret)));
  expect_refused(file, "what a tag is about");
  file.more = element(tags, join(element(tag, named("BPS", plain)), element(crc, secret)));
  expect_gone(file, "a checksum");
  file.more = {};
  file.more_info = element(crc, secret);
  expect_gone(file, "a checksum that is none");
}
GST_END_TEST

GST_START_TEST(groups_of_blocks) {
  TestFile file;
  const Bytes hidden = join(Bytes{0x82, 0, 0, 0}, secret);
  file.more_cluster =
      element(group, join(element(block, hidden), element(block, TestFile::picture())));
  Request request = denied();
  request.policy.sound_tracks = false;
  fail_if(has(redacted(file.build(), request), "SECRET"), "sound stays in a group of two blocks");
  file.more_cluster =
      element(group, join(element(block, TestFile::picture()), element(simple_block, hidden)));
  fail_if(has(redacted(file.build(), request), "SECRET"), "sound stays in a group");
  file.more_cluster =
      element(group, join(element(block, TestFile::picture()), element(block_duration, secret)));
  expect_gone(file, "a number of a group");
  file.more_cluster = element(0xA7, secret);
  expect_gone(file, "a number of a cluster");
  // No stack is that deep.
  constexpr int depth = 100'000, size_bytes = 4;
  const Bytes inner = element(block, TestFile::picture());
  file.more_cluster = {};
  for (size_t i = depth; i > 0; --i) {
    const size_t rest = (i - 1) * (1 + size_bytes + inner.size()) + inner.size();
    for (const Bytes& part : {Bytes{group}, ebml_size(rest, size_bytes), inner})
      file.more_cluster.insert(file.more_cluster.end(), part.begin(), part.end());
  }
  fail_if(redacted(file.build(), request).empty());
}
GST_END_TEST

GST_START_TEST(marking_takes_linear_time) {
  constexpr size_t entries = 5'000, factor = 16;
  // Where it grows with the square, no attempt of a busy machine makes it look like this.
  double growth = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    growth = time_to_mark(factor * entries) / time_to_mark(entries);
    if (growth < 2 * factor) return;
  }
  fail("%zu times the entries take %.0f times as long", factor, growth);
}
GST_END_TEST

static Suite* media_matroska_suite() {
  Suite* suite = suite_create("media_matroska");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, plain_files_stay);
  tcase_add_test(tcase, numbers_and_names);
  tcase_add_test(tcase, data_for_decoders);
  tcase_add_test(tcase, vendor_of_prores);
  tcase_add_test(tcase, meshes_of_lenses);
  tcase_add_test(tcase, tags_with_more_than_a_number);
  tcase_add_test(tcase, groups_of_blocks);
  tcase_add_test(tcase, marking_takes_linear_time);
  return suite;
}

GST_CHECK_MAIN(media_matroska)

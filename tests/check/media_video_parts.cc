// SPDX-License-Identifier: LGPL-2.1-or-later
// What MP4 and MOV files tell is found and taken out, and nothing else; what is put in is read
// back.

#include "tests/check/clean_file.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include <unistd.h>

#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/media_runs.h"
#include "tests/check/video_builder.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

constexpr double latitude = 39.9042, longitude = 116.4074;

/// A video that tells where it was made in all ways of this file.
TestVideo telling() {
  TestVideo video;
  TestTrack pictures;
  pictures.entry = picture_entry(
      join(box("st3d", zeros(5)), box("sv3d", box("svhd", big(0), bytes_of("SECRETtool"), zeros(1)),
                                      box("proj", box("prhd", zeros(16)), box("equi", zeros(20))))),
      "SECRET encoder");
  TestTrack sound{"soun", "SECRET sound", sound_entry(), {}, 2, {}};
  TestTrack records{"camm", "", data_entry("camm", bytes_of("SECRET")), {}, 2, {}};
  TestTrack gopro{"meta", "", data_entry("gpmd"), {}, 1, {}};
  TestTrack text{"text", "", data_entry("tx3g", zeros(30)), {}, 1, {}};
  for (uint8_t i = 0; i < 4; ++i) {
    pictures.samples.push_back(join(sei("SECRET 39.9042,116.4074"), picture(i)));
    for (int k = 0; k < 2; ++k) sound.samples.push_back(bytes_of("sound" + std::to_string(i)));
    records.samples.push_back(join(camm_gyro(i), camm_position(latitude, longitude)));
    records.samples.push_back(camm_position(latitude + i * 0.1, longitude));
    gopro.samples.push_back(gpmf(latitude, longitude, "SECRET camera"));
    text.samples.push_back(bytes_of("SECRET +39.9042+116.4074/"));
  }
  sound.samples.push_back(bytes_of("sound8"));
  video.tracks = {pictures, sound, records, gopro, text};
  const std::string place = "+39.9042+116.4074/SECRET";
  video.more = box("udta", box("\xa9xyz", big(place.size(), 2), big(0x15c7, 2), bytes_of(place)),
                   box("wxyz", bytes_of("SECRET")));
  video.before = join(box("free", bytes_of("SECRET")), box("free", zeros(16)),
                      box("uuid", bytes_of("SECRET4567890123")));
  video.after = bytes_of("\1\2\3\4\5\6\7\10SECRET after the last box");
  video.gap = bytes_of("SECRET between samples");
  return video;
}

std::vector<TestVideo> layouts(const TestVideo& video) {
  std::vector<TestVideo> all(6, video);
  all[1].movie_first = true;
  all[2].wide = true;
  all[3].wide = all[3].movie_first = true;
  all[4].movie_first = all[4].open_end = true;
  all[4].after.clear();
  all[5].fragmented = true;
  return all;
}

/// A video after its edits, which is complete.
Bytes changed_video(const Bytes& file, const Request& request) {
  const Bytes made = changed(file, request);
  const auto checked = check_isobmff(MemorySource(made));
  if (!checked) fail("%s", checked.error().message.c_str());
  return made;
}

/// All samples of a track.
std::vector<Bytes> samples_of(const Bytes& file, size_t track) {
  const MemorySource source(file);
  const Result<IsoLayout> layout = read_isobmff(source);
  fail_unless(bool(layout));
  std::vector<bool> wanted(layout->file.tracks.size());
  wanted[track] = true;
  MediaRuns runs(source, *layout, wanted);
  std::vector<Bytes> samples;
  for (;;) {
    const auto run = runs.next();
    fail_unless(bool(run));
    if (!*run) return samples;
    RunSizes sizes(source, *layout, **run);
    uint64_t at = (*run)->offset, size = 0;
    for (uint64_t i = 0; i < (*run)->samples; ++i) {
      fail_unless(sizes.next(&size));
      Bytes sample(size);
      fail_unless(source.read_all(at, sample));
      at += size;
      samples.push_back(sample);
    }
  }
}

const Part* find_part(const Examination& examination, std::string_view path) {
  const auto found = std::ranges::find(examination.parts, path, &Part::path);
  return found == examination.parts.end() ? nullptr : &*found;
}

/// Writes the edits into a copy of the file, as a file.
Bytes changed_in_place(const Bytes& file, Request request) {
  request.in_place = true;
  std::FILE* const temporary = std::tmpfile();
  fail_unless(std::fwrite(file.data(), 1, file.size(), temporary) == file.size());
  std::fflush(temporary);
  const Result<FileSource> source = FileSource::make(fileno(temporary));
  const Result<Examination> examination = examine(*source, request);
  if (!examination) fail("%s", examination.error().message.c_str());
  const Result<HeldEdits> held = hold_edits(*source, *examination);
  if (!held) fail("%s", held.error().message.c_str());
  const Status done = write_in_place(fileno(temporary), *source, *examination, *held);
  if (!done) fail("%s", done.error().message.c_str());
  Bytes bytes(file.size());
  fail_unless(source->read_all(0, bytes));
  std::fclose(temporary);
  const auto checked = check_isobmff(MemorySource(bytes));
  if (!checked) fail("%s", checked.error().message.c_str());
  return bytes;
}

}  // namespace

GST_START_TEST(every_layout_is_redacted) {
  for (const TestVideo& video : layouts(telling())) {
    const Bytes file = video.build();
    fail_unless(has(file, "SECRET"));
    const Bytes clean = changed_video(file, removing());
    no_secret(clean);
    fail_if(has(clean, little(latitude)));
    fail_if(has(clean, little(longitude)));
    fail_if(has(clean, big(static_cast<uint32_t>(latitude * 1e7))));
    fail_unless(has(clean, "sv3d"));

    // Pictures are as they were, apart from messages of the same length; sound is the same.
    const auto before = samples_of(file, 0), after = samples_of(clean, 0);
    fail_unless_equals_int(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      fail_unless_equals_int(before[i].size(), after[i].size());
      fail_unless(std::equal(before[i].end() - 10, before[i].end(), after[i].end() - 10));
    }
    fail_unless(samples_of(file, 1) == samples_of(clean, 1));

    fail_unless(changed_video(clean, removing()) == clean, "a second time changed something");
    fail_unless(changed_video(file, removing()) == clean, "it is not deterministic");
    const Examination again = examined(clean, removing());
    fail_if(again.changes());
    for (const Part& part : again.parts)
      fail_if(part.removed, "%s is still found", part.path.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(every_layout_is_blanked_in_place) {
  for (const TestVideo& video : layouts(telling())) {
    const Bytes file = video.build();
    const Bytes clean = changed_in_place(file, removing());
    fail_unless_equals_int(clean.size(), file.size());
    no_secret(clean);
    fail_if(has(clean, little(latitude)));
    fail_unless(has(clean, "sv3d"));
    fail_unless(samples_of(file, 1) == samples_of(clean, 1));
    fail_unless(changed_in_place(clean, removing()) == clean);
  }
}
GST_END_TEST;

GST_START_TEST(everything_allowed_changes_nothing) {
  Request request;
  request.makers = makers::all();
  for (const TestVideo& video : layouts(telling())) {
    const Bytes file = video.build();
    const Examination examination = examined(file, request);
    fail_if(examination.changes());
    fail_unless(examination.traces.positions.empty());
    for (const Part& part : examination.parts) fail_if(part.removed);
    const Part* place = find_part(examination, "moov/udta/©xyz");
    fail_unless(place && place->part_class == PartClass::place);
  }
}
GST_END_TEST;

GST_START_TEST(records_of_motion_stay) {
  for (const TestVideo& video : layouts(telling())) {
    const Bytes file = video.build();
    for (const Bytes& clean :
         {changed_video(file, removing()), changed_in_place(file, removing())}) {
      const auto records = samples_of(clean, 2);
      fail_unless_equals_int(records.size(), 8);
      for (uint8_t i = 0; i < 4; ++i) {
        fail_unless(records[size_t{2} * i] == camm_gyro(i));
        fail_unless(records[size_t{2} * i + 1].empty());
      }
      fail_unless(has(clean, "GYRO12"));
      fail_if(has(clean, "GPS5"));
      fail_if(has(clean, "DVNM"));
    }
    const Examination examination = examined(file, removing());
    const auto& positions = examination.traces.positions;
    fail_unless(std::ranges::any_of(positions, [](const Position& position) {
      return std::abs(position.latitude - latitude) < 1e-9;
    }));
    // The last one of the track is among them.
    fail_unless(std::ranges::any_of(positions, [](const Position& position) {
      return std::abs(position.latitude - latitude - 0.3) < 1e-9;
    }));
  }
}
GST_END_TEST;

GST_START_TEST(tracks_without_anything_useful_go) {
  TestVideo video = telling();
  for (Bytes& sample : video.tracks[2].samples) sample = camm_position(latitude, longitude);
  const Bytes clean = changed_video(video.build(), removing());
  const auto checked = check_isobmff(MemorySource(clean));
  fail_unless_equals_int(checked->tracks.size(), 3);  // pictures, sound, GPMF
  fail_if(has(clean, "camm"));
  const Examination examination = examined(video.build(), removing());
  fail_unless(std::ranges::any_of(examination.remarks, [](const std::string& remark) {
    return remark.find("subtitles") != std::string::npos;
  }));
}
GST_END_TEST;

namespace {

Request removing_sound() {
  Request request;
  request.policy.sound_tracks = false;
  return request;
}

}  // namespace

GST_START_TEST(sound_tracks_go_if_they_may_not_stay) {
  const Request request = removing_sound();
  for (const TestVideo& video : layouts(telling())) {
    const Bytes file = video.build();
    const Bytes silent = changed_video(file, request);
    fail_if(has(silent, "sound"));
    fail_unless(has(silent, "SECRET between samples"));
    fail_unless_equals_int(check_isobmff(MemorySource(silent))->tracks.size(), 4);
    fail_unless(samples_of(silent, 0) == samples_of(file, 0));
  }
}
GST_END_TEST;

// Between two that go, and at the end of the file.
GST_START_TEST(samples_without_bytes_stay) {
  TestVideo video;
  TestTrack pictures, sound{"soun", "SoundHandler", sound_entry(), {}, 1, {}, {}};
  pictures.entry = picture_entry();
  pictures.samples = {picture(1), {}, {}};
  sound.samples = {bytes_of("sound"), bytes_of("sound"), bytes_of("sound")};
  video.tracks = {pictures, sound};
  for (const bool first : {false, true}) {
    video.movie_first = first;
    const Bytes silent = changed_video(video.build(), removing_sound());
    fail_if(has(silent, "sound"));
    fail_unless(refusal(silent) == "", "%s", refusal(silent).c_str());
    fail_unless(samples_of(silent, 0) == samples_of(video.build(), 0));
  }
}
GST_END_TEST;

GST_START_TEST(only_what_is_denied_goes) {
  TestVideo video = telling();
  Request request = removing();
  request.policy.place = true;
  const Bytes clean = changed_video(video.build(), request);
  fail_unless(has(clean, "+39.9042+116.4074/"));
  fail_if(has(clean, "wxyz"));
  fail_unless(samples_of(clean, 2) == samples_of(video.build(), 2));
  request = removing();
  request.policy.time = true;
  fail_unless(has(changed_video(video.build(), request), big(video.time)));
  fail_if(has(changed_video(video.build(), removing()), big(video.time)));
}
GST_END_TEST;

GST_START_TEST(a_video_is_marked) {
  for (TestVideo video : layouts(telling())) {
    video.tracks[0].entry = picture_entry();
    const Bytes file = video.build();
    fail_if(check_isobmff(MemorySource(file))->tracks[0].spherical);
    Request request;
    request.mark = SphereMark{SphereMark::Stereo::top_bottom, 90, -10, 0, "gst-sphere", -1};
    const Bytes marked = changed_video(file, request);
    fail_unless(check_isobmff(MemorySource(marked))->tracks[0].spherical);
    fail_unless(has(marked, "GSpherical:Spherical"));
    fail_unless(has(marked, join(bytes_of("st3d"), zeros(4), Bytes{1})));
    // After the codec's configuration, before the shape of the pixels.
    const auto at = [&](std::string_view type) {
      const Bytes what = bytes_of(type);
      return std::search(marked.begin(), marked.end(), what.begin(), what.end()) - marked.begin();
    };
    fail_unless(at("avcC") < at("st3d") && at("st3d") < at("sv3d") && at("sv3d") < at("pasp"));
    fail_unless(samples_of(marked, 0) == samples_of(file, 0));
    fail_unless(changed_video(marked, request) == marked);
    request.mark->stereo = SphereMark::Stereo::mono;
    const Bytes again = changed_video(marked, request);
    fail_unless(has(again, join(bytes_of("st3d"), zeros(5))));
    fail_if(has(again, join(bytes_of("st3d"), zeros(4), Bytes{1})));
  }
}
GST_END_TEST;

GST_START_TEST(spatial_sound_is_marked) {
  TestVideo video = telling();
  Request request;
  request.mark = SphereMark();
  request.mark->ambisonic_order = 1;
  fail_if(refusal(video.build(), request).empty());  // two channels
  video.tracks[1].entry = sound_entry(4);
  const Bytes marked = changed_video(video.build(), request);
  fail_unless(has(marked, join(bytes_of("SA3D"), Bytes{0, 0}, big(1), Bytes{0, 0}, big(4), big(0),
                               big(1), big(2), big(3))));
  fail_unless(changed_video(marked, request) == marked);
}
GST_END_TEST;

GST_START_TEST(a_position_replaces_the_old_ones) {
  for (const char* brand : {"isom", "3gp5", "qt  "})
    for (TestVideo video : layouts(telling())) {
      video.brand = brand;
      Request request;
      request.position = Position{12.3456789, -98.7654321, 44};
      request.position_time = 1'700'000'000'000'000;
      const Bytes file = video.build();
      const Bytes placed = changed_video(file, request);
      fail_unless(has(placed, "+12.3456789-098.7654321+044.000/") ||
                  has(placed, "+12.3456789-098.7654321+44.000/"));
      fail_if(has(placed, "+39.9042+116.4074/"));
      fail_if(has(placed, little(latitude)));
      fail_unless(has(placed, "wxyz"));  // what else is allowed stays
      fail_unless_equals_int(has(placed, "loci"), brand[0] == '3');
      fail_unless_equals_int(has(placed, "location.ISO6709"), brand[0] == 'q');
      fail_unless_equals_int(has(placed, "2023-11-14T22:13:20Z"), brand[0] == 'q');
      const Bytes again = changed_video(placed, request);
      fail_unless(again == placed);
      request.in_place = true;
      fail_if(refusal(file, request).empty());
    }
}
GST_END_TEST;

// QuickTime's lists of user data may end with four zeros, behind which no program looks.
GST_START_TEST(a_position_is_put_in_before_the_end_of_a_list) {
  TestVideo video;
  TestTrack pictures;
  pictures.entry = picture_entry();
  pictures.samples = {picture(1)};
  pictures.more = bytes_of("no box");
  video.tracks = {pictures};
  Request request;
  request.position = Position{1, 2, {}};
  request.mark = SphereMark();
  video.more = box("udta", box("name", bytes_of("name")), zeros(4));
  const Bytes before_zeros = bytes_of({"/\0\0\0\0", 5});
  fail_unless(has(changed_video(video.build(), request), before_zeros));
  // What is no box stays behind them, too.
  video.more = bytes_of("NO BOX");
  const Bytes made = changed_video(video.build(), request);
  fail_unless(refusal(made) == "", "%s", refusal(made).c_str());
  fail_unless(has(made, "GSpherical") && has(made, "no box") && has(made, "NO BOX"));
}
GST_END_TEST;

// A place that is given less exactly: what records tell is rounded, whatever else they are in.
GST_START_TEST(positions_in_records_are_rounded) {
  const auto camm_gps = [](double time, double north, double east, float more) {
    return camm(6, join(little(time), little(int32_t{3}), little(north), little(east), little(more),
                        little(more), little(more), little(more), little(more), little(more),
                        little(more)));
  };
  const auto gps9 = [](double north, double east, uint64_t more) {
    const auto number = [](double value) {
      return big(static_cast<uint32_t>(static_cast<int32_t>(std::lround(value * 1e7))));
    };
    return join(klv("TYPE", 'c', 1, bytes_of("lllllllSS")),
                klv("SCAL", 'l', 4,
                    join(big(10000000), big(10000000), big(1000), big(1000), big(100), big(1),
                         big(1000), big(100), big(1))),
                klv("GPS9", '?', 32,
                    join(number(north), number(east), big(more), big(more), big(more), big(more),
                         big(more), big(more, 2), big(3, 2))));
  };
  Request request = removing();
  request.rounding = [](const Position& position) {
    return Position{std::round(position.latitude), std::round(position.longitude), {}};
  };
  request.position = Position{40, 116, {}};
  for (TestVideo video : layouts(telling())) {
    for (size_t i = 0; i < 8; i += 2)
      video.tracks[2].samples[i] = join(camm_gyro(1), camm_gps(1234567890, latitude, longitude, 5),
                                        camm(4, zeros(12)), camm(7, bytes_of("MAGNETOMETER")));
    // Coordinates that nothing on Earth has can't be rounded.
    video.tracks[2].samples[7] = camm_position(1000, longitude);
    video.tracks[3].samples[1] =
        klv("DEVC", '\0', 1,
            join(klv("STRM", '\0', 1,
                     join(klv("GPSU", 'U', 16, bytes_of("2021-11-03SECRET")),
                          gps9(latitude, longitude, 77)))));
    // A scale that is not one of numbers: the stream goes.
    video.tracks[3].samples[2] =
        klv("DEVC", '\0', 1,
            klv("STRM", '\0', 1,
                join(klv("SCAL", 'f', 4, little(1e7F)),
                     klv("GPS5", 'l', 8, join(big(399042000), big(1164074000))))));
    const Bytes file = video.build();
    const Bytes clean = changed_video(file, request);
    no_secret(clean);
    const auto records = samples_of(clean, 2);
    fail_unless_equals_int(records.size(), 8);
    fail_unless(records[0] == join(camm_gyro(1), camm_gps(0, 40, 116, 0)));
    fail_unless(records[1] == camm(5, join(little(40.0), little(116.0), little(0.0))));
    fail_unless(records[7].empty());
    const auto gopro = samples_of(clean, 3);
    const Bytes whole = join(big(400000000), big(1160000000));
    fail_unless(has(gopro[0], "GPS5") && has(gopro[0], join(whole, zeros(4))));
    fail_unless(has(gopro[0], "GYRO12"));
    fail_unless(has(gopro[1], join(whole, zeros(22), big(3, 2))));
    fail_if(has(gopro[1], "GPSU"));
    fail_if(has(gopro[2], "GPS5") || has(gopro[2], big(399042000)));
    fail_if(has(clean, little(latitude)) || has(clean, big(399042000)));
    fail_unless(changed_video(clean, request) == clean);
    // What stays is told as what it is.
    const Examination left = examined(clean, Request());
    for (const Part& part : left.parts)
      if (part.path.starts_with("track ") && part.part_class == PartClass::place)
        ck_assert_str_eq(part.what.c_str(), "position");
    // Where places may stay, nothing is rounded.
    request.policy.place = true;
    request.position.reset();
    fail_unless(samples_of(changed_video(file, request), 2)[0] == video.tracks[2].samples[0]);
    request.policy.place = false;
    request.position = Position{40, 116, {}};
  }
}
GST_END_TEST;

GST_START_TEST(a_list_of_keys_is_edited_item_by_item) {
  TestVideo video = telling();
  video.brand = "qt  ";
  const auto item = [](uint32_t index, std::string_view text) {
    const Bytes data = box("data", big(1), zeros(4), bytes_of(text));
    return join(big(data.size() + 8), big(index), data);
  };
  const Bytes keys = box(
      "keys", big(0), big(3), box("mdta", bytes_of("com.apple.quicktime.location.ISO6709")),
      box("mdta", bytes_of("com.apple.quicktime.model")), box("mdta", bytes_of("com.SECRET.key")));
  video.more = box(
      "meta", box("hdlr", zeros(8), bytes_of("mdta"), zeros(13)), keys,
      box("ilst", item(1, "+39.9042+116.4074/"), item(2, "SECRET model"), item(3, "SECRET value")));
  video.tracks.resize(2);
  for (Bytes& sample : video.tracks[0].samples) sample = picture(1);
  Request request = removing();
  request.policy.place = true;
  const Bytes clean = changed_video(video.build(), request);
  fail_unless(has(clean, "+39.9042+116.4074/"));
  no_secret(clean);
  fail_if(has(changed_video(video.build(), removing()), "mdta"));
  Request placing;
  placing.position = Position{1, 2, {}};
  const Bytes placed = changed_video(video.build(), placing);
  fail_if(has(placed, "+39.9042"));
  fail_unless(has(placed, "SECRET value"));
  fail_unless(has(placed, "com.SECRET.key"));
}
GST_END_TEST;

GST_START_TEST(boxes_of_a_maker_are_known) {
  TestVideo video = telling();
  video.tracks.resize(2);
  Bytes camera(128);
  std::copy_n("SECRETSERIAL", 12, camera.begin() + 96);
  const Bytes places = join(big(0), bytes_of("N"), zeros(1), zeros(24), bytes_of("E"),
                            bytes_of("SECRET"), zeros(541));
  video.more = box("udta", box("madv", box("caif", camera), box("gpsx", places),
                               box("lutz", bytes_of("TABLE")), box("tlyd", bytes_of("TRACK"))));
  const Bytes file = video.build();
  for (const Bytes& clean : {changed_video(file, removing()), changed_in_place(file, removing())}) {
    no_secret(clean);
    fail_unless(has(clean, "lutz") && has(clean, "TABLE") && has(clean, "TRACK"));
  }
  Request request = removing();
  request.policy.stitching = false;
  fail_if(has(changed_video(file, request), "madv"));
  fail_if(has(changed_video(file, request), "TABLE"));
}
GST_END_TEST;

GST_START_TEST(what_can_not_be_examined_is_refused) {
  const Request request = removing();
  TestVideo video = telling();
  const Bytes whole = video.build();
  for (size_t cut = 0; cut < whole.size() - video.after.size(); cut += 7) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    fail_if(refusal(part, request).empty(), "cut at %zu", cut);
  }

  const auto with_entry = [&](std::string_view type) {
    TestVideo other = telling();
    other.tracks[0].entry = picture_entry();
    std::copy(type.begin(), type.end(), other.tracks[0].entry.begin() + 4);
    return other.build();
  };
  fail_unless(refusal(with_entry("encv"), request).find("encrypted") != std::string::npos);
  fail_unless(refusal(with_entry("abcd"), request).find("abcd") != std::string::npos);
  fail_unless(refusal(with_entry("abcd"), Request()).empty());

  TestVideo elsewhere = telling();
  elsewhere.tracks[0].reference = box("url ", big(0), bytes_of("file:///SECRET"), zeros(1));
  fail_unless(refusal(elsewhere.build(), request).find("another file") != std::string::npos);

  TestVideo broken = telling();
  broken.tracks[0].samples[1] = Bytes{0, 0, 1, 0, 0x65, 1};
  fail_unless(refusal(broken.build(), request).find("track 1") != std::string::npos);

  TestVideo deep = telling();
  Bytes nested = bytes_of("SECRET");
  for (int i = 0; i < 40; ++i) nested = box("udta", nested);
  deep.more = nested;
  fail_unless(refusal(deep.build(), request).find("nested") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(samples_that_overlap_are_refused) {
  TestVideo video = telling();
  Bytes file = video.build();
  const Result<IsoLayout> layout = read_isobmff(MemorySource(file));
  fail_unless(bool(layout));
  // The text track's first chunk is where the first picture is.
  const uint64_t from = layout->tables[0].offsets.table, to = layout->tables[4].offsets.table;
  std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(from), 4,
              file.begin() + static_cast<std::ptrdiff_t>(to));
  fail_unless(refusal(file, removing()).find("overlap") != std::string::npos);
  // In the boxes of the movie.
  const Bytes moov = big(layout->moov.content);
  std::copy(moov.begin(), moov.end(), file.begin() + static_cast<std::ptrdiff_t>(to));
  fail_unless(refusal(file, removing()).find("not in the media data") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(unordered_chunks_are_sorted) {
  TestVideo video = telling();
  Bytes file = video.build();
  const Result<IsoLayout> layout = read_isobmff(MemorySource(file));
  // The sound's chunks change places; all have the same length, but for the last.
  const auto table = file.begin() + static_cast<std::ptrdiff_t>(layout->tables[1].offsets.table);
  std::swap_ranges(table, table + 4, table + 8);
  const Bytes clean = changed_video(file, removing());
  no_secret(clean);
  fail_unless(samples_of(file, 1) == samples_of(clean, 1));
}
GST_END_TEST;

GST_START_TEST(bytes_behind_a_table_go) {
  TestVideo video = telling();
  video.tracks.resize(2);
  Bytes file = video.build();
  // A box that says it is longer than its list.
  video.more = {};
  video.tracks[0].more =
      box("edts", box("elst", big(0), big(1), zeros(12), bytes_of("SECRET in a table")));
  const Bytes clean = changed_video(video.build(), removing());
  no_secret(clean);
  fail_unless(has(clean, "elst"));
}
GST_END_TEST;

// A second view, an alpha channel: players of the usual profiles ignore these units, so nothing is
// known about what is in them. Bytes behind a parameter set are no part of it.
GST_START_TEST(units_of_layers_go) {
  TestVideo video = telling();
  video.tracks.resize(1);
  video.tracks[0].samples.clear();
  const Bytes set = join(sequence_set, bytes_of("SECRET"));
  for (const uint8_t type : {13, 14, 15, 19, 20, 21})
    video.tracks[0].samples.push_back(join(nal(set), nal(picture_set),
                                           nal(join(Bytes{type}, bytes_of("SECRET unit"))),
                                           picture(type)));
  for (const bool in_place : {false, true}) {
    const Bytes file = video.build();
    const Bytes clean =
        in_place ? changed_in_place(file, removing()) : changed_video(file, removing());
    no_secret(clean);
    const std::vector<Bytes> samples = samples_of(clean, 0);
    fail_unless(samples.size() == 6);
    for (const Bytes& sample : samples)
      fail_unless(has(sample, sequence_set) && has(sample, picture_set) &&
                  has(sample, Bytes{0x65, sample.back()}));
    fail_unless(changed_video(clean, removing()) == clean);
  }
  const Examination found = examined(video.build(), removing());
  fail_unless(std::ranges::any_of(found.remarks, [](const std::string& remark) {
    return remark.find("second view") != std::string::npos;
  }));
  // Neither in the description of the pictures, nor behind it.
  const Bytes config = box("avcC", Bytes{1, 66, 0, 10, 0xff, 0xe1}, big(set.size(), 2), set,
                           Bytes{1}, big(picture_set.size(), 2), picture_set, bytes_of("SECRET"));
  const Bytes plain = picture_entry();
  const auto box_at = [&](const char* type) {
    const Bytes name = bytes_of(type);
    return std::search(plain.begin(), plain.end(), name.begin(), name.end()) - 4;
  };
  Bytes& entry = video.tracks[0].entry;
  entry = join(Bytes(plain.begin(), box_at("avcC")), config, Bytes(box_at("pasp"), plain.end()));
  const Bytes size = big(entry.size());
  std::ranges::copy(size, entry.begin());
  no_secret(changed_video(video.build(), removing()));
}
GST_END_TEST;

GST_START_TEST(an_unknown_brand_is_refused) {
  TestVideo video = telling();
  for (const std::string_view brand : {"isom", "qt  ", "3gp5", "M4V ", "mp42"}) {
    video.brand = brand;
    fail_unless(refusal(video.build()).empty(), "%s", refusal(video.build()).c_str());
  }
  video.brand = "zzzz";
  fail_unless(refusal(video.build()).find("zzzz") != std::string::npos);
  fail_unless(refusal(video.build(), Request()).empty());
}
GST_END_TEST

/// Apple's descriptions of two views, and of a sphere.
/// The index of a fragmented file, with the offset of its first fragment, goes with a track.
GST_START_TEST(indexes_of_which_something_is_gone_go) {
  TestTrack pictures;
  pictures.entry = picture_entry();
  pictures.samples = {picture(1), picture(2)};
  const TestTrack text{"text", "", data_entry("tx3g", zeros(30)), {bytes_of("SECRET")}, 1, {}};
  for (const bool has_text : {false, true}) {
    TestVideo video;
    video.fragmented = true;
    video.before = box("free", bytes_of("SECRET"));
    video.tracks = {pictures};
    if (has_text) video.tracks.push_back(text);
    const uint64_t first = video.build().size() - 1;  // behind the edits, at least
    video.after =
        box("mfra", box("tfra", big(0), big(1), big(0), big(1), big(0), big(first), Bytes{1, 1, 1}),
            box("mfro", big(0), big(67)));
    const Bytes clean = changed_video(video.build(), removing());
    no_secret(clean);
    fail_unless_equals_int(has(clean, "mfra"), !has_text);
    fail_unless(samples_of(clean, 0) == samples_of(video.build(), 0));
  }
}
GST_END_TEST

GST_START_TEST(vendors_of_codecs_go) {
  const auto entries = [](std::string_view vendor, char version) {
    const Bytes more = join(bytes_of(vendor), Bytes{static_cast<uint8_t>(version)});
    TestTrack pictures, sound{"soun", "", {}, {bytes_of("sound")}, 1, {}};
    pictures.entry = box("s263", zeros(6), big(1, 2), zeros(16), big(176, 2), big(144, 2),
                         big(0x480000), big(0x480000), zeros(4), big(1, 2), zeros(32), big(24, 2),
                         big(0xffff, 2), box("d263", more, Bytes{10, 0}));
    pictures.samples = {Bytes{0, 0, 0x80, 2, 8}};
    sound.entry = box("samr", zeros(6), big(1, 2), zeros(8), big(2, 2), big(16, 2), zeros(4),
                      big(8000 << 16), box("damr", more, big(0x81ff, 2), Bytes{0, 1}));
    TestVideo video;
    video.tracks = {pictures, sound};
    return video.build();
  };
  const Bytes clean = changed_video(entries("BOBS", 7), removing());
  fail_unless(clean == changed_video(entries({"\0\0\0\0", 4}, 0), removing()));
  fail_unless(has(changed_video(entries("FFMP", 7), removing()), "FFMP\7"));
  Request models = removing();
  models.policy.identity = true;
  fail_unless(has(changed_video(entries("BOBS", 7), models), "BOBS\7"));
}
GST_END_TEST

/// Two tables of descriptions in one track, of which a player may read either.
GST_START_TEST(two_tables_of_descriptions_are_refused) {
  TestVideo video;
  TestTrack pictures;
  pictures.entry = picture_entry();
  pictures.samples = {picture(1)};
  pictures.more_tables = box("stsd", big(0), big(1), picture_entry({}, "SECRET"));
  video.tracks = {pictures};
  fail_unless(refusal(video.build()).find("stsd") != std::string::npos);
}
GST_END_TEST

GST_START_TEST(descriptions_of_views_stay) {
  const auto units = [](int type, const Bytes& unit) {
    return join(Bytes{static_cast<uint8_t>(type)}, big(1, 2), big(unit.size(), 2), unit);
  };
  const auto full = [](std::string_view type, const Bytes& content) {
    return box(type, big(0), content);
  };
  const Bytes video_set = {0x40, 1, 0x0c, 1, 0xff, 0xff, 1, 0x60, 0,    0,    3,    0,
                           0x90, 0, 0,    3, 0,    0,    3, 0,    0x1e, 0x95, 0x94, 9};
  const auto entry = [&](const Bytes& more, const Bytes& hidden) {
    Bytes message = {39 << 1, 1, 5, static_cast<uint8_t>(16 + hidden.size())};
    message = join(message, bytes_of("0123456789abcdef"), hidden, Bytes{0x80});
    const Bytes config =
        box("hvcC", Bytes{1}, zeros(20), Bytes{3, 1}, units(32, join(video_set, more)));
    const Bytes second = box("lhvC", Bytes{1}, zeros(3), Bytes{3, 1}, units(39, message));
    const Bytes views = box("vexu",
                            box("eyes", full("stri", join(Bytes{3}, more)), full("hero", {1}),
                                more.empty() ? Bytes() : box("abcd", more)),
                            box("proj", full("prji", bytes_of("hequ"))));
    return box("hvc1", zeros(6), big(1, 2), zeros(16), big(64, 2), big(32, 2), zeros(12), big(1, 2),
               zeros(32), big(24, 2), big(0xffff, 2), config, second, views);
  };
  TestVideo video;
  TestTrack pictures;
  const Bytes slice = {19 << 1, 1, 0xaf, 0x12, 0x34}, slice_of_layer = {19 << 1, 9, 0xaf, 0x56};
  pictures.samples = {join(nal(slice), nal(slice_of_layer))};
  pictures.entry = entry(bytes_of("SECRET"), bytes_of("SECRET"));
  video.tracks = {pictures};
  const Bytes clean = changed_video(video.build(), removing());
  no_secret(clean);
  for (const std::string_view type : {"lhvC", "vexu", "stri", "hero", "prji", "hequ"})
    fail_unless(has(clean, type), "%.*s", static_cast<int>(type.size()), type.data());
  fail_unless(has(clean, video_set));
  fail_unless(samples_of(clean, 0) == pictures.samples);
}
GST_END_TEST

static Suite* media_video_parts_suite(void) {
  Suite* suite = suite_create("media_video_parts");
  TCase* tc = tcase_create("general");
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, every_layout_is_redacted);
  tcase_add_test(tc, every_layout_is_blanked_in_place);
  tcase_add_test(tc, everything_allowed_changes_nothing);
  tcase_add_test(tc, records_of_motion_stay);
  tcase_add_test(tc, tracks_without_anything_useful_go);
  tcase_add_test(tc, sound_tracks_go_if_they_may_not_stay);
  tcase_add_test(tc, samples_without_bytes_stay);
  tcase_add_test(tc, only_what_is_denied_goes);
  tcase_add_test(tc, a_video_is_marked);
  tcase_add_test(tc, spatial_sound_is_marked);
  tcase_add_test(tc, a_position_replaces_the_old_ones);
  tcase_add_test(tc, a_position_is_put_in_before_the_end_of_a_list);
  tcase_add_test(tc, positions_in_records_are_rounded);
  tcase_add_test(tc, a_list_of_keys_is_edited_item_by_item);
  tcase_add_test(tc, boxes_of_a_maker_are_known);
  tcase_add_test(tc, what_can_not_be_examined_is_refused);
  tcase_add_test(tc, samples_that_overlap_are_refused);
  tcase_add_test(tc, unordered_chunks_are_sorted);
  tcase_add_test(tc, bytes_behind_a_table_go);
  tcase_add_test(tc, units_of_layers_go);
  tcase_add_test(tc, an_unknown_brand_is_refused);
  tcase_add_test(tc, indexes_of_which_something_is_gone_go);
  tcase_add_test(tc, vendors_of_codecs_go);
  tcase_add_test(tc, two_tables_of_descriptions_are_refused);
  tcase_add_test(tc, descriptions_of_views_stay);
  return suite;
}

GST_CHECK_MAIN(media_video_parts)

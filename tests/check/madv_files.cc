// SPDX-License-Identifier: LGPL-2.1-or-later
// What the camera says in its own files: written, found again, and refused where it is damaged.

#include "tests/check/pipeline.h"

#include <cstring>
#include <limits>
#include <random>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/madv_write.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/orientation/event.h"
#include "gst/sphere/orientation/track.h"

using namespace sphere;
using namespace sphere::makers;
using namespace sphere::makers::madv;
using namespace sphere::media;
using sphere::test::made_by;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

Bytes small_mp4(const char* mux) {
  const std::string line =
      std::string(
          "videotestsrc num-buffers=5 ! video/x-raw,width=32,height=16,framerate=30/1 ! "
          "jpegenc quality=20 ! image/jpeg ! ") +
      mux + " ! filesink location=%s";
  return made_by(line.c_str());
}

Matrix entry_of(const Angles& angles) { return camera_matrix_of(rotation(angles)); }

CameraData some_data() {
  CameraData data;
  data.lens_table = *make_table(*load_profile("mi-sphere"), {91, 46});
  for (int n = 0; n < 5; ++n) data.matrices.push_back(entry_of({10.0 * n, 5, -7.0 * n}));
  return data;
}

void put_text(Bytes& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

/// A box as the camera writes it, of anything.
Bytes boxed(const char* type, const Bytes& content) {
  Bytes box;
  const auto size = static_cast<uint32_t>(content.size() + 8);
  for (int shift = 24; shift >= 0; shift -= 8) box.push_back(static_cast<uint8_t>(size >> shift));
  put_text(box, type);
  box.insert(box.end(), content.begin(), content.end());
  return box;
}

Bytes floats(const std::vector<float>& values) {
  Bytes bytes(values.size() * 4);
  // This machine and the camera are both little-endian.
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

CaptureInfo info_of(const Bytes& box) {
  CaptureInfo info;
  fail_unless(makers::read_box(box, &info));
  return info;
}

/// The orientations that must be read from this data.
std::vector<std::optional<Quaternion>> orientations_of(const CameraData& data) {
  std::vector<std::optional<Quaternion>> all;
  for (const Matrix& matrix : data.matrices) all.push_back(orientation_of(matrix));
  return all;
}

std::string problem(const CaptureInfo& info) {
  ck_assert_uint_eq(info.problems.size(), 1);
  return info.problems.front();
}

void expect(const std::string& text, const char* word) {
  fail_unless(text.find(word) != std::string::npos, "'%s' does not say '%s'", text.c_str(), word);
}

}  // namespace

GST_START_TEST(a_video_has_its_table_and_its_track) {
  const CameraData data = some_data();
  for (const char* mux : {"qtmux", "qtmux faststart=true"}) {
    const Bytes plain = small_mp4(mux);
    // The position and the serial number are stored beside the data, and are skipped.
    Bytes others = boxed("caif", Bytes(128, 'S'));
    const Bytes place = boxed("gpsx", Bytes(594, 'P'));
    others.insert(others.end(), place.begin(), place.end());
    const auto file = add_to_video(plain, make_box(data, 100, others));
    fail_unless(static_cast<bool>(file));
    const MemorySource source(*file);
    const auto whole = check_isobmff(source);
    if (!whole) fail_unless(false, "%s", whole.error().message.c_str());
    ck_assert_uint_eq(whole->first("vide")->samples, 5);
    const CaptureInfo read = makers::read_video(source);
    fail_unless(read.lens_table == data.lens_table);
    fail_unless(read.orientations == orientations_of(data), "%u entries",
                static_cast<unsigned>(read.orientations.size()));
    fail_unless(read.problems.empty());
    fail_unless(makers::read_video(MemorySource(plain)).empty());
  }
}
GST_END_TEST;

GST_START_TEST(fragmented_files_are_not_written_to) {
  const Bytes file = small_mp4("qtmux fragment-duration=60");
  fail_if(static_cast<bool>(add_to_video(file, make_box(some_data()))));
  fail_if(static_cast<bool>(add_to_video(Bytes(40, 0), make_box(some_data()))));
}
GST_END_TEST;

GST_START_TEST(boxes_without_a_parent) {
  CaptureInfo info;
  fail_unless(makers::read_box(boxed("lutz", {1, 2, 3}), &info));
  fail_unless(info.lens_table == Bytes({1, 2, 3}));
  const Bytes level = floats({1, 0, 0, 0, 1, 0, 0, 0, 1});
  fail_unless(makers::read_box(boxed("tlyd", level), &info));
  ck_assert_uint_eq(info.orientations.size(), 1);
  fail_if(makers::read_box(boxed("gpsx", level), &info));
  fail_if(makers::read_box(Bytes(7, 0), &info));
  fail_unless(info.problems.empty());
}
GST_END_TEST;

GST_START_TEST(recorded_track_is_preferred_to_the_exported_one) {
  const Bytes level = floats({1, 0, 0, 0, 1, 0, 0, 0, 1});
  const Bytes turned = floats({0, 0, 1, 0, 1, 0, -1, 0, 0});
  const auto joined = [](std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return boxed("madv", all);
  };
  const CaptureInfo first = info_of(joined({boxed("GYRA", turned), boxed("tlyd", level)}));
  ck_assert_uint_eq(first.orientations.size(), 1);
  fail_unless(first.orientations[0] == orientation_of({1, 0, 0, 0, 1, 0, 0, 0, 1}));
  const CaptureInfo exported =
      info_of(joined({boxed("tlyd", Bytes(72, 0)), boxed("GYRA", turned)}));
  ck_assert_uint_eq(exported.orientations.size(), 1);
  fail_unless(exported.orientations[0] == orientation_of({0, 0, 1, 0, 1, 0, -1, 0, 0}));
  // The same if each box is alone in the file, in either order.
  CaptureInfo alone;
  fail_unless(makers::read_box(boxed("tlyd", level), &alone));
  fail_unless(makers::read_box(boxed("GYRA", turned), &alone));
  fail_unless(alone.orientations == first.orientations);
}
GST_END_TEST;

GST_START_TEST(damaged_boxes_are_problems) {
  const Bytes level = floats({1, 0, 0, 0, 1, 0, 0, 0, 1});
  expect(problem(info_of(boxed("madv", boxed("tlyd", Bytes(35, 1))))), "multiple of 36");
  expect(problem(info_of(boxed("madv", boxed("lutz", {})))), "empty");
  // A valid track is used even if the data beside it is damaged.
  Bytes content = boxed("tlyd", level);
  put_text(content, "\xff\xff\xff\xfflutz");
  CaptureInfo data = info_of(boxed("madv", content));
  expect(problem(data), "damaged");
  ck_assert_uint_eq(data.orientations.size(), 1);
  // Cut anywhere, it gives no more than it contains, and always reports that it was cut off.
  const Bytes whole = make_box(some_data());
  for (size_t length = 8; length < whole.size(); length += 1 + length / 50) {
    CaptureInfo cut;
    fail_unless(makers::read_box(std::span(whole).first(length), &cut));
    expect(problem(cut), "cut off");
  }
  // Only zeros: there is no track.
  fail_unless(info_of(boxed("madv", boxed("tlyd", Bytes(36 * 1000, 0)))).orientations.empty());
}
GST_END_TEST;

GST_START_TEST(copies_of_the_first_record_come_before_the_track) {
  CameraData data = some_data();
  for (const uint32_t copies : {0u, 1u, 7u, 1800u}) {
    data.copies_of_first = copies;
    const CaptureInfo read = info_of(make_box(data, 20));
    fail_unless(read.problems.empty());
    ck_assert_uint_eq(read.orientations.size(), copies + data.matrices.size());
    for (size_t n = 0; n < read.orientations.size(); ++n)
      fail_unless(read.orientations[n] ==
                  orientation_of(data.matrices[n < copies ? 0 : n - copies]));
  }
  // The number behind the track counts as well; an impossible number is ignored.
  data.copies_of_first = 0;
  Bytes late = make_box(data);
  const Bytes content(late.begin() + 8, late.end());
  Bytes inner = content;
  inner.erase(inner.begin(), inner.begin() + 12);
  const Bytes fltr = boxed("fltr", {3, 0, 0, 0});
  inner.insert(inner.end(), fltr.begin(), fltr.end());
  ck_assert_uint_eq(info_of(boxed("madv", inner)).orientations.size(), 3 + data.matrices.size());
  data.copies_of_first = 0xFFFFFFFF;
  const CaptureInfo wrong = info_of(make_box(data));
  ck_assert_uint_eq(wrong.orientations.size(), data.matrices.size());
  expect(problem(wrong), "fltr");
}
GST_END_TEST;

GST_START_TEST(photo_has_table_and_orientation) {
  const CameraData data = some_data();
  const Bytes plain = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  const auto look = [](const Bytes& file) {
    const MemorySource source(file);
    const auto jpeg = check_jpeg(source);
    fail_unless(static_cast<bool>(jpeg));
    return makers::read_jpeg(source, *jpeg);
  };
  Bytes file = *add_to_jpeg(plain, data);
  const CaptureInfo read = look(file);
  fail_unless(read.lens_table == data.lens_table);
  ck_assert_uint_eq(read.orientations.size(), 1);
  fail_unless(read.orientations[0] == orientation_of(data.matrices[0]));
  fail_unless(read.fisheyes && !read.stitched);
  fail_unless(look(plain).empty());
  // The model of the camera is known without the table, too.
  ck_assert_str_eq(read.profile.c_str(), "mi-sphere");
  CameraData bare;
  bare.matrices = data.matrices;
  const CaptureInfo named = look(*add_to_jpeg(plain, bare));
  fail_unless(named.lens_table.empty() && named.orientations.size() == 1);
  ck_assert_str_eq(named.profile.c_str(), "mi-sphere");

  CameraData stitched;
  stitched.stitched = true;
  Bytes marked = *add_to_jpeg(plain, stitched);
  fail_unless(look(marked).stitched && !look(marked).fisheyes);
  // The entry of SceneType has the count 1, but all four bytes of its value are used.
  const Bytes entry = {0x01, 0xA3, 7, 0, 1, 0, 0, 0};
  const auto scene = std::search(marked.begin(), marked.end(), entry.begin(), entry.end());
  fail_unless(scene != marked.end());
  scene[8 + 2] = 0x59;
  fail_if(look(marked).stitched);

  // The comment of another camera is not a matrix, and other bytes after the picture are no table.
  const auto at = std::search(file.begin(), file.end(), "MADV", &"MADV"[4]);
  fail_unless(at != file.end());
  *at = 'X';
  fail_unless(look(file).orientations.empty());
  Bytes trailed = plain;
  put_text(trailed, std::string(100, 'x') + std::string("\x40\0\0\0", 4));
  fail_unless(look(trailed).empty());
  // A length that says more than there is.
  put_text(trailed, "\xff\xff\xff\x7f");
  fail_unless(look(trailed).empty());
}
GST_END_TEST;

GST_START_TEST(a_dng_has_them_in_its_tags) {
  const CameraData data = some_data();
  const Bytes file = make_tiff(data, true);
  const auto read = makers::read_tiff(MemorySource(file));
  fail_unless(static_cast<bool>(read));
  fail_unless(read->lens_table == data.lens_table);
  ck_assert_uint_eq(read->orientations.size(), 1);
  fail_unless(read->orientations[0] == orientation_of(data.matrices[0]));
  // Cut anywhere: only what is complete is read.
  for (size_t length = 0; length < file.size(); length += 1 + length / 50) {
    const Bytes cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(length));
    const auto less = makers::read_tiff(MemorySource(cut));
    if (!less) continue;
    fail_unless(less->lens_table.empty() || less->lens_table == data.lens_table);
    fail_unless(less->orientations.empty() ||
                less->orientations[0] == orientation_of(data.matrices[0]));
  }
  fail_if(static_cast<bool>(makers::read_tiff(MemorySource(Bytes(100, 'I')))));
}
GST_END_TEST;

GST_START_TEST(random_damage) {
  CameraData data = some_data();
  data.lens_table.resize(400);
  const Bytes box = make_box(data, 8), tiff = make_tiff(data, true);
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    for (const Bytes* original : {&box, &tiff}) {
      Bytes bytes = *original;
      for (int change = 0; change < 4; ++change)
        bytes[random() % std::min<size_t>(bytes.size(), 200)] = static_cast<uint8_t>(random());
      CaptureInfo read;
      makers::read_box(bytes, &read);
      (void)makers::read_tiff(MemorySource(bytes));
      if (!read.orientations.empty()) (void)OrientationTrack::make(read.orientations);
    }
  }
}
GST_END_TEST;

// --- orientation --------------------------------------------------------------------------------

GST_START_TEST(a_matrix_is_a_rotation_or_nothing) {
  const std::optional<Quaternion> level = orientation_of({-1, 0, 0, 0, -1, 0, 0, 0, 1});
  fail_unless(level && *level == Quaternion{});
  fail_if(orientation_of({1, 0, 0, 0, 1, 0, 0, 0, no_number}));
  fail_if(orientation_of({no_number, no_number, no_number, no_number, no_number, no_number,
                          no_number, no_number, no_number}));
  fail_if(orientation_of({1, 0, 0, 0, 1, 0, 0, 0, -1}));
  fail_if(orientation_of({2, 0, 0, 0, 2, 0, 0, 0, 2}));
  fail_if(orientation_of({0, 0, 0, 0, 0, 0, 0, 0, 0}));
  fail_if(orientation_of({1, 0, 0, 1, 0, 0, 0, 0, 1}));
  fail_if(orientation_of({1e30f, 0, 0, 0, 1e30f, 0, 0, 0, 1e30f}));
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const Angles angles = {random() % 360 * 1.0, random() % 360 * 1.0, random() % 360 * 1.0};
    const std::optional<Quaternion> q = orientation_of(entry_of(angles));
    fail_unless(q.has_value());
    const Mat3 back = matrix_of(*q), m = rotation(angles);
    for (int i = 0; i < 3; ++i)
      fail_unless(length(back.row[i] - m.row[i]) < 1e-6, "%g %g %g", angles.yaw, angles.pitch,
                  angles.roll);
    fail_unless(std::abs(dot(*q, *q) - 1) < 1e-9);
  }
}
GST_END_TEST;

GST_START_TEST(a_track_is_interpolated_and_its_holes_are_filled) {
  std::vector<std::optional<Quaternion>> entries;
  for (int n = 0; n < 10; ++n) entries.push_back(quaternion_of(rotation({0, 0, 8.0 * n})));
  entries[4].reset();
  entries[5].reset();
  const auto track = OrientationTrack::make(entries);
  fail_unless(static_cast<bool>(track));
  ck_assert_uint_eq(track->holes(), 2);
  for (double place = -2; place < 12; place += 0.23) {
    const Mat3 want = rotation({0, 0, 8 * std::clamp(place, 0.0, 9.0)});
    const Mat3 is = matrix_of(track->at(place));
    for (int i = 0; i < 3; ++i) fail_unless(length(is.row[i] - want.row[i]) < 1e-6, "at %g", place);
  }
  for (std::optional<Quaternion>& entry : entries) entry.reset();
  const auto none = OrientationTrack::make(entries);
  fail_if(static_cast<bool>(none));
  expect(none.error().message, "none of its 10 entries");
}
GST_END_TEST;

GST_START_TEST(an_event_carries_a_track) {
  std::vector<std::optional<Quaternion>> entries, read;
  for (int n = 0; n < 10; ++n) entries.push_back(quaternion_of(rotation({9.0 * n, 4, -8.0 * n})));
  entries[4].reset();
  const EventRef event(make_orientation_event(entries));
  fail_unless(parse_orientation_event(event.get(), &read));
  ck_assert_uint_eq(read.size(), entries.size());
  for (size_t n = 0; n < read.size(); ++n) {
    fail_unless(read[n].has_value() == entries[n].has_value());
    if (!read[n]) continue;
    fail_unless(std::abs(dot(*read[n], *entries[n]) - 1) < 1e-6);
    fail_unless(std::abs(dot(*read[n], *read[n]) - 1) < 1e-12);
  }
  // Other events, and events with wrong fields, are refused.
  const EventRef other(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                                            gst_structure_new_empty("sphere-lens")));
  fail_if(parse_orientation_event(other.get(), &read));
  ck_assert_uint_eq(read.size(), 10);
  const auto parsed = [&](const GstStructure* structure) {
    const EventRef made(
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, gst_structure_copy(structure)));
    fail_unless(parse_orientation_event(made.get(), &read));
    return read.size();
  };
  GstStructure* structure = gst_structure_new_empty("sphere-orientation");
  ck_assert_uint_eq(parsed(structure), 0);
  gst_structure_set(structure, "entries", G_TYPE_STRING, "no bytes", nullptr);
  ck_assert_uint_eq(parsed(structure), 0);
  const float wrong[4][4] = {{no_number, 0, 0, 0}, {2, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}};
  for (const gsize size : {sizeof wrong - 1, sizeof wrong}) {
    const BytesRef bytes(g_bytes_new(wrong, size));
    gst_structure_set(structure, "entries", G_TYPE_BYTES, bytes.get(), nullptr);
    ck_assert_uint_eq(parsed(structure), size == sizeof wrong ? 4 : 0);
  }
  fail_unless(!read[0] && !read[1] && !read[2] && read[3] == Quaternion{});
  gst_structure_free(structure);
}
GST_END_TEST;

GST_START_TEST(levels_remove_their_rotation) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    const Angles held = {static_cast<double>(random() % 360),
                         static_cast<double>(random() % 170) - 85,
                         static_cast<double>(random() % 360)};
    const Mat3 to_world = rotation(held);
    const Quaternion q = quaternion_of(to_world);
    // From the view to the camera, and from the camera to the world.
    const Mat3 full = to_world * level_view(Level::full, q, 0);
    const Mat3 horizon = to_world * level_view(Level::horizon, q, heading_of(q));
    const Mat3 heading = rotation({held.yaw, 0, 0});
    for (int i = 0; i < 3; ++i) {
      fail_unless(length(full.row[i] - Mat3().row[i]) < 1e-9);
      fail_unless(length(horizon.row[i] - heading.row[i]) < 1e-6, "%g %g %g", held.yaw, held.pitch,
                  held.roll);
    }
    fail_unless(level_view(Level::off, q, 0) == Mat3());
  }
  // A camera that looks straight up can be levelled, too.
  const Quaternion up = quaternion_of(rotation({0, 90, 0}));
  const Mat3 level = matrix_of(up) * level_view(Level::horizon, up, heading_of(up));
  fail_unless(length(level.column(1) - Vec3{0, 1, 0}) < 1e-9);
}
GST_END_TEST;

GST_START_TEST(smoothing_removes_shake_and_keeps_turns) {
  std::vector<std::optional<Quaternion>> entries;
  // Through south, where the angle jumps.
  const auto turn = [](double n) { return 120 + 0.5 * n; };
  for (int n = 0; n < 300; ++n)
    entries.push_back(quaternion_of(rotation({turn(n) + (n % 2 ? 3.0 : -3.0), 0, 0})));
  const auto track = OrientationTrack::make(entries);
  fail_unless(static_cast<bool>(track));
  for (int n = 60; n < 240; ++n) {
    const double off = degrees(track->smooth_heading(n, 30)) - turn(n);
    fail_unless(std::abs(off - 360 * std::round(off / 360)) < 0.1, "at %d: %g", n, off);
  }
  // Without smoothing, the heading is the measured one.
  const double off = degrees(track->smooth_heading(101, 0)) - turn(101) - 3;
  fail_unless(std::abs(off - 360 * std::round(off / 360)) < 1e-3);
}
GST_END_TEST;

static Suite* madv_files_suite() {
  Suite* suite = suite_create("madv_files");
  TCase* files = tcase_create("files");
  tcase_add_test(files, a_video_has_its_table_and_its_track);
  tcase_add_test(files, fragmented_files_are_not_written_to);
  tcase_add_test(files, boxes_without_a_parent);
  tcase_add_test(files, recorded_track_is_preferred_to_the_exported_one);
  tcase_add_test(files, damaged_boxes_are_problems);
  tcase_add_test(files, copies_of_the_first_record_come_before_the_track);
  tcase_add_test(files, photo_has_table_and_orientation);
  tcase_add_test(files, a_dng_has_them_in_its_tags);
  tcase_add_test(files, random_damage);
  suite_add_tcase(suite, files);
  TCase* orientation = tcase_create("orientation");
  tcase_add_test(orientation, a_matrix_is_a_rotation_or_nothing);
  tcase_add_test(orientation, a_track_is_interpolated_and_its_holes_are_filled);
  tcase_add_test(orientation, an_event_carries_a_track);
  tcase_add_test(orientation, levels_remove_their_rotation);
  tcase_add_test(orientation, smoothing_removes_shake_and_keeps_turns);
  suite_add_tcase(suite, orientation);
  return suite;
}

GST_CHECK_MAIN(madv_files);

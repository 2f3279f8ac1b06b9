// SPDX-License-Identifier: LGPL-2.1-or-later
// GPX tracks: positions by time, and nothing where there is none.

// The standard library comes first: check defines `fail` as a macro.
#include <cmath>
#include <memory>
#include <string>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "gst/sphere/media/gpx.h"

using namespace sphere;
using sphere::media::GpxTrack;

namespace {

constexpr int64_t noon = int64_t{1767268800} * G_USEC_PER_SEC;  // 2026-01-01T12:00:00Z
constexpr int64_t second = G_USEC_PER_SEC;

std::string gpx(const std::string& segments) {
  return "<?xml version=\"1.0\"?><gpx version=\"1.1\" creator=\"t\" "
         "xmlns=\"http://www.topografix.com/GPX/1/1\"><trk>" +
         segments + "</trk></gpx>";
}
std::string point(const char* latitude, const char* longitude, const char* time,
                  const char* more = "") {
  return std::string("<trkpt lat=\"") + latitude + "\" lon=\"" + longitude + "\">" + more +
         "<time>" + time + "</time></trkpt>";
}
Result<GpxTrack> parse(const std::string& text) {
  return GpxTrack::parse({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
void expect_at(const GpxTrack& track, int64_t time, double latitude, double longitude) {
  const auto position = track.at(time);
  fail_unless(position.has_value());
  fail_unless(std::abs(position->latitude - latitude) < 1e-9 &&
                  std::abs(position->longitude - longitude) < 1e-9,
              "%.9f %.9f", position->latitude, position->longitude);
}

}  // namespace

GST_START_TEST(test_positions_by_time) {
  // The points are not in order, and one has another time zone.
  const auto track = parse(
      gpx("<trkseg>" + point("39.92", "116.44", "2026-01-01T20:00:20+08:00", "<ele>50</ele>") +
          point("39.90", "116.40", "2026-01-01T12:00:00Z", "<ele>40</ele>") +
          point("39.91", "116.42", "2026-01-01T12:00:10.000Z") + "</trkseg>" + "<trkseg>" +
          point("-10", "179.9", "2026-01-01T13:00:00Z") +
          point("-10", "-179.9", "2026-01-01T13:00:10Z") + "</trkseg>"));
  fail_unless(bool(track));
  fail_unless_equals_int(track->size(), 5);
  expect_at(*track, noon, 39.9, 116.4);
  expect_at(*track, noon + 5 * second, 39.905, 116.41);
  expect_at(*track, noon + 20 * second, 39.92, 116.44);
  fail_unless(track->at(noon)->altitude == 40);
  fail_unless(!track->at(noon + second)->altitude);
  // Before, after, and while there was no reception.
  fail_unless(!track->at(noon - 1));
  fail_unless(!track->at(noon + 21 * second));
  fail_unless(!track->at(noon + 4000 * second));
  // Across the date line.
  expect_at(*track, noon + 3600 * second + second * 5 / 2, -10, 179.95);
  expect_at(*track, noon + 3600 * second + second * 15 / 2, -10, -179.95);
}
GST_END_TEST

GST_START_TEST(test_what_is_no_track_is_refused) {
  const std::string good = point("39.9", "116.4", "2026-01-01T12:00:00Z");
  const std::string wrong[] = {
      "",
      "no XML",
      "<kml></kml>",
      gpx(""),
      gpx("<trkseg><trkpt lat=\"39.9\" lon=\"116.4\"></trkpt></trkseg>"),
      gpx("<trkseg>" + point("91", "0", "2026-01-01T12:00:00Z") + "</trkseg>"),
      gpx("<trkseg>" + point("nan", "0", "2026-01-01T12:00:00Z") + "</trkseg>"),
      gpx("<trkseg>" + point("1", "2", "yesterday") + "</trkseg>"),
      "<!DOCTYPE gpx [<!ENTITY a \"b\">]>" + gpx("<trkseg>" + good + "</trkseg>").substr(21),
      gpx("<trkseg>" + good + "</trkseg>").substr(0, 180),
  };
  for (const std::string& text : wrong) {
    const auto track = parse(text);
    fail_unless(!track, "'%s'", text.c_str());
    fail_if(track.error().message.empty());
    fail_unless(track.error().message.find("39.9") == std::string::npos);
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (int i = 0; i < 100; ++i) deep += "</a>";
  fail_unless(!parse(gpx("<trkseg>" + good + "</trkseg>" + deep)));
}
GST_END_TEST

GST_START_TEST(test_files) {
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/walk.gpx";
  const std::string text =
      gpx("<trkseg>" + point("39.9", "116.4", "2026-01-01T12:00:00Z") + "</trkseg>");
  fail_unless(
      g_file_set_contents(path.c_str(), text.data(), static_cast<gssize>(text.size()), nullptr));
  const auto track = GpxTrack::read(path);
  fail_unless(track && track->begin() == noon && track->end() == noon);
  fail_unless(!GpxTrack::read(path + ".other"));
  fail_unless(!GpxTrack::read(folder));
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(test_positions_from_a_time) {
  const auto track =
      parse(gpx("<trkseg>" + point("39.90", "116.40", "2026-01-01T12:00:00Z") +
                point("39.92", "116.44", "2026-01-01T12:00:10Z") + "</trkseg>" + "<trkseg>" +
                point("10", "20", "2026-01-01T13:00:00Z") + "</trkseg>"));
  fail_unless(bool(track));
  auto found = track->from(noon + 5 * second);
  fail_unless_equals_int(found.size(), 3);
  fail_unless(found[0].time_ns == 0 && std::abs(found[0].position.latitude - 39.91) < 1e-9);
  fail_unless(found[1].time_ns == 5'000'000'000 && found[1].position.latitude == 39.92);
  fail_unless(found[2].time_ns == 3'595'000'000'000 && found[2].position.latitude == 10);
  // At a point it is there once; before the track there is none at first.
  fail_unless_equals_int(track->from(noon + 10 * second).size(), 2);
  found = track->from(noon - second);
  fail_unless(found.size() == 3 && found[0].time_ns == 1'000'000'000);
  fail_unless(track->from(noon + 7200 * second).empty());
}
GST_END_TEST

static Suite* gpx_suite() {
  Suite* s = suite_create("gpx");
  TCase* tc = tcase_create("tracks");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_positions_by_time);
  tcase_add_test(tc, test_positions_from_a_time);
  tcase_add_test(tc, test_what_is_no_track_is_refused);
  tcase_add_test(tc, test_files);
  return s;
}
GST_CHECK_MAIN(gpx)

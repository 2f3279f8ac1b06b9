// SPDX-License-Identifier: LGPL-2.1-or-later
// What a picture shows, as its pixels tell: two fisheyes, a 360 picture or an ordinary one.

#include "tests/check/pipeline.h"

#include "gst/sphere/media/picture_kind.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

const char* name_of(PictureKind kind) {
  constexpr const char* names[] = {"unclear", "two fisheyes", "sphere", "flat"};
  return names[static_cast<int>(kind)];
}

PictureKind classify(const Component& c) {
  return classify_picture({c.samples.data(), c.width, 1, c.width, c.height});
}

void expect(const std::string& line, PictureKind expected,
            const char* end = " ! videoconvert ! video/x-raw,format=I420") {
  const PictureKind kind = classify(luma_of(line + end));
  fail_unless(kind == expected, "%s: %s, not %s", line.c_str(), name_of(kind), name_of(expected));
}

std::string fisheyes(const char* lens, const char* pattern, int width) {
  return std::string("spheretestsrc num-buffers=1 supersample=1 lens=") + lens +
         " pattern=" + pattern + " ! video/x-raw,format=I420,width=" + std::to_string(width);
}

/// A photograph of ../shared, or "" where it is absent.
std::string photograph(const char* name, const char* decoder) {
  g_autofree char* path = g_build_filename(g_getenv("SPHERE_SHARED"), "data", name, nullptr);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_print("skip: ../shared/data/%s is absent\n", name);
    return {};
  }
  return std::string("filesrc location=") + path + " ! " + decoder + " ! videoconvert";
}

constexpr const char* through_jpeg =
    " ! jpegenc quality=40 ! jpegdec ! videoconvert ! video/x-raw,format=I420";
constexpr const char* through_h264 =
    " ! x264enc speed-preset=superfast pass=quant quantizer=35 ! avdec_h264 ! videoconvert ! "
    "video/x-raw,format=I420";

constexpr const char* patterns[] = {"scene", "graticule"};

}  // namespace

GST_START_TEST(two_fisheyes_are_known) {
  for (const char* lens : {"dual-190", "gear360", "theta-s"})
    for (const char* pattern : patterns) {
      expect(fisheyes(lens, pattern, 640), PictureKind::two_fisheyes, through_jpeg);
      expect(fisheyes(lens, pattern, 640), PictureKind::two_fisheyes, through_h264);
    }
}
GST_END_TEST

GST_START_TEST(our_own_pictures_are_known) {
  for (const char* pattern : patterns)
    for (const char* turn : {"", "yaw=90", "pitch=40 roll=10", "blend=off yaw=37"}) {
      const std::string line =
          fisheyes("dual-190", pattern, 640) + " ! cpuspherestitch lens=dual-190 " + turn;
      expect(line, PictureKind::sphere);
      expect(line, PictureKind::sphere, through_jpeg);
      expect(line, PictureKind::sphere, through_h264);
    }
}
GST_END_TEST

GST_START_TEST(ordinary_pictures_are_known) {
  for (const char* turn : {"", "yaw=60", "yaw=200 pitch=-20"})
    for (const char* fov : {"60", "100"}) {
      const std::string line =
          fisheyes("dual-190", "scene", 1280) +
          " ! cpuspherestitch lens=dual-190 projection=perspective fov=" + fov + " " + turn +
          " ! video/x-raw,width=640,height=360";
      expect(line, PictureKind::flat);
      expect(line, PictureKind::flat, through_jpeg);
    }
}
GST_END_TEST

GST_START_TEST(photographs_of_fisheyes_are_known) {
  for (const auto& [name, decoder] :
       {std::pair<const char*, const char*>{"gear360-street.png", "pngdec"},
        {"fisheye-208.jpg", "jpegdec"},
        {"theta-s-raw.jpg", "jpegdec"}}) {
    const std::string line = photograph(name, decoder);
    if (line.empty()) continue;
    expect(line, PictureKind::two_fisheyes);
    expect(line + " ! videoscale ! video/x-raw,width=320,pixel-aspect-ratio=1/1",
           PictureKind::two_fisheyes);
    // One fisheye above the other.
    expect(line + " ! videoflip method=clockwise", PictureKind::two_fisheyes);
  }
  // Stitched, the photograph is a 360 picture; parts of that are ordinary pictures.
  const std::string street = photograph("gear360-street.png", "pngdec");
  if (street.empty()) return;
  const std::string small = " ! video/x-raw,width=1280";
  for (const char* turn : {"", "yaw=90"}) {
    expect(street + " ! cpuspherestitch lens=gear360 " + turn + small, PictureKind::sphere);
    expect(street + " ! cpuspherestitch lens=gear360 blend=off " + turn + small,
           PictureKind::sphere, through_h264);
    expect(street + " ! cpuspherestitch lens=gear360 projection=perspective " + turn + small,
           PictureKind::flat);
  }
}
GST_END_TEST

GST_START_TEST(pictures_without_contrast_are_unclear) {
  for (const char* pattern : {"black", "white", "solid-color foreground-color=0xff808080"})
    expect(std::string("videotestsrc num-buffers=1 pattern=") + pattern +
               " ! video/x-raw,width=640,height=320",
           PictureKind::unclear);
  expect("videotestsrc num-buffers=1 ! video/x-raw,width=32,height=16", PictureKind::unclear);
  // A strip has no corners.
  expect("videotestsrc num-buffers=1 ! video/x-raw,width=640,height=160", PictureKind::unclear);
  const Component none;
  fail_unless(classify(none) == PictureKind::unclear);
}
GST_END_TEST

static Suite* picture_kind_suite() {
  Suite* suite = suite_create("kind");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_set_timeout(tcase, 0);
  tcase_add_test(tcase, two_fisheyes_are_known);
  tcase_add_test(tcase, our_own_pictures_are_known);
  tcase_add_test(tcase, ordinary_pictures_are_known);
  tcase_add_test(tcase, photographs_of_fisheyes_are_known);
  tcase_add_test(tcase, pictures_without_contrast_are_unclear);
  return suite;
}

GST_CHECK_MAIN(picture_kind)

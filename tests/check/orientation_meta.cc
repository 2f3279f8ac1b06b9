// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereOrientationMeta: pictures are levelled by it, and it stays with them.

#include "tests/check/rolling.h"

#include <functional>
#include <limits>

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/gstsphere.h"

using namespace sphere;
using namespace sphere::test;

namespace {

/// Pushes the rolling pictures with a meta on each; calls for each that comes out.
void with_metas(const std::string& text, const std::function<void(int, GstSample*)>& check,
                bool skip_some = false) {
  Pipeline pipeline(
      "appsrc name=src format=time caps=video/x-raw,format=RGB,width=480,height=240,"
      "framerate=30/1 ! " +
      text + " ! appsink name=sink sync=false");
  const GstRef<GstElement> source = pipeline.child("src");
  const std::vector<Vec3> directions = directions_of(lens_of_clip());
  pipeline.play();
  constexpr int count = 10;
  for (int n = 0; n < count; ++n) {
    const Mat3 to_world = rotation(held(n));
    const Bytes pixels = picture(directions, to_world);
    GstBuffer* buffer = gst_buffer_new_memdup(pixels.data(), pixels.size());
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(n, GST_SECOND, rate);
    const Quaternion q = quaternion_of(to_world);
    // The length of the quaternion does not matter.
    if (!skip_some || n % 2 == 0)
      fail_unless(
          gst_buffer_add_sphere_orientation_meta(buffer, 3 * q.w, 3 * q.x, 3 * q.y, 3 * q.z));
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  int n = 0;
  while (const SampleRef sample = pipeline.pull()) check(n++, sample.get());
  fail_unless(n == count, "%s: %d pictures", text.c_str(), n);
}

/// By how many degrees a meta is off; 1000 without one.
double meta_off(GstSample* sample, const Mat3& want) {
  const GstSphereOrientationMeta* meta =
      gst_buffer_get_sphere_orientation_meta(gst_sample_get_buffer(sample));
  if (!meta) return 1000;
  const Quaternion is = {meta->w, meta->x, meta->y, meta->z};
  return degrees(2 * std::acos(std::min(1.0, std::abs(dot(is, quaternion_of(want))))));
}

}  // namespace

GST_START_TEST(metas_level_the_pictures_they_are_on) {
  const std::string stitch =
      "videoconvert ! video/x-raw,format=RGBA ! cpuspherestitch lens=mi-sphere ";
  const std::string end = " ! video/x-raw,format=RGBA,width=128,height=64";
  with_metas(stitch + "level=full" + end, [&](int n, GstSample* s) {
    fail_unless(off(s, {}) < 0.1, "picture %d: %g", n, off(s, {}));
    // The output is level, and its meta says this.
    fail_unless(meta_off(s, Mat3()) < 1e-4, "picture %d: %g", n, meta_off(s, Mat3()));
  });
  with_metas(stitch + "level=horizon yaw=20" + end, [&](int n, GstSample* s) {
    const Angles want = {held(n).yaw + 20, 0, 0};
    fail_unless(off(s, want) < 0.1);
    fail_unless(meta_off(s, rotation(want)) < 1e-4);
  });
  with_metas(stitch + "roll=20" + end, [&](int n, GstSample* s) {
    fail_unless(meta_off(s, rotation(held(n)) * rotation({0, 0, 20})) < 1e-4);
  });
  // A picture without one is left as it is.
  with_metas(
      stitch + "level=full" + end,
      [&](int n, GstSample* s) {
        fail_unless(off(s, n % 2 ? held(n) : Angles{}) < 0.1, "picture %d", n);
      },
      true);
}
GST_END_TEST;

GST_START_TEST(metas_stay_where_the_picture_stays) {
  std::vector<std::string> keep = {"videoconvert ! video/x-raw,format=I420",
                                   "videoscale ! video/x-raw,width=240,height=120",
                                   "queue ! identity", "videorate", "pngenc ! pngdec"};
  g_autoptr(GstElementFactory) gl = gst_element_factory_find("glspherestitch");
  if (gl) {
    keep.push_back("videoconvert ! video/x-raw,format=RGBA ! spherestitch lens=mi-sphere");
    keep.push_back("videoconvert ! glupload ! glspherestitch lens=mi-sphere ! gldownload");
    // Memory that is not from the pool of glupload makes it copy the picture.
    keep.push_back(
        "videoconvert ! identity drop-allocation=true ! glupload ! glspherestitch lens=mi-sphere ! "
        "gldownload");
  }
  for (const std::string& line : keep)
    with_metas(line, [&](int n, GstSample* s) {
      fail_unless(meta_off(s, rotation(held(n))) < 1e-4, "%s, picture %d: %g", line.c_str(), n,
                  meta_off(s, rotation(held(n))));
    });
}
GST_END_TEST;

GST_START_TEST(invalid_rotations_make_no_meta) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  fail_if(gst_buffer_add_sphere_orientation_meta(buffer, no_number, 0, 0, 1));
  fail_if(gst_buffer_add_sphere_orientation_meta(buffer, 0, 0, 0, 0));
  fail_if(gst_buffer_add_sphere_orientation_meta(buffer, HUGE_VAL, 0, 0, 1));
  fail_if(gst_buffer_get_sphere_orientation_meta(buffer));
  GstSphereOrientationMeta* meta = gst_buffer_add_sphere_orientation_meta(buffer, 0, 0, 5, 0);
  fail_unless(meta && meta->y == 1);
}
GST_END_TEST;

static Suite* orientation_meta_suite() {
  Suite* suite = suite_create("orientation_meta");
  TCase* meta = tcase_create("meta");
  tcase_add_test(meta, metas_level_the_pictures_they_are_on);
  tcase_add_test(meta, metas_stay_where_the_picture_stays);
  tcase_add_test(meta, invalid_rotations_make_no_meta);
  suite_add_tcase(suite, meta);
  return suite;
}

GST_CHECK_MAIN(orientation_meta);

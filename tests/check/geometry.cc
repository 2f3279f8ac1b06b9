// SPDX-License-Identifier: LGPL-2.1-or-later
// Directions, rotations and the equirectangular picture keep to the conventions of
// docs/conventions.md.

#include <gst/check/gstcheck.h>

#include "gst/sphere/geometry/equirect.h"

using namespace sphere;

namespace {

void expect_near(Vec3 a, Vec3 b) {
  fail_unless(length(a - b) < 1e-12, "(%g %g %g) is not (%g %g %g)", a.x, a.y, a.z, b.x, b.y, b.z);
}

}  // namespace

GST_START_TEST(angles_have_the_signs_of_v360) {
  const Vec3 forward = {0, 0, 1}, right = {1, 0, 0}, down = {0, 1, 0}, up = {0, -1, 0};
  expect_near(rotation({90, 0, 0}) * forward, right);
  expect_near(rotation({0, 90, 0}) * forward, up);
  expect_near(rotation({0, 0, 90}) * right, down);
  // Yaw comes first, then pitch about the axis that yaw has turned.
  expect_near(rotation({90, 90, 0}) * forward, up);
  expect_near(rotation({90, 90, 0}) * up, Vec3{-1, 0, 0});
}
GST_END_TEST;

GST_START_TEST(rotations_are_rigid_and_transpose_undoes) {
  for (double yaw = -170; yaw < 180; yaw += 70)
    for (double pitch = -80; pitch < 90; pitch += 40)
      for (double roll = -150; roll < 180; roll += 60) {
        const Mat3 r = rotation({yaw, pitch, roll});
        const Vec3 d = direction_of({0.3, -0.7});
        fail_unless(std::abs(length(r * d) - 1) < 1e-12);
        expect_near(r.transposed() * (r * d), d);
        expect_near(cross(r.column(0), r.column(1)), r.column(2));
      }
}
GST_END_TEST;

GST_START_TEST(equirect_places_the_axes) {
  const Size size = {360, 180};
  expect_near(equirect_direction({180, 90}, size), {0, 0, 1});
  expect_near(equirect_direction({270, 90}, size), {1, 0, 0});
  expect_near(equirect_direction({180, 0}, size), {0, -1, 0});
  expect_near(equirect_direction({180, 180}, size), {0, 1, 0});
  expect_near(equirect_direction({0, 90}, size), {0, 0, -1});
  const Point p = equirect_point(direction_of({radians(30), radians(20)}), size);
  fail_unless(std::abs(p.x - 210) < 1e-9 && std::abs(p.y - 70) < 1e-9);
}
GST_END_TEST;

GST_START_TEST(equirect_there_and_back) {
  const Size size = {3840, 1920};
  for (double y = 0.5; y < size.height; y += 61)
    for (double x = 0.5; x < size.width; x += 67) {
      const Point p = equirect_point(equirect_direction({x, y}, size), size);
      fail_unless(std::hypot(p.x - x, p.y - y) < 1e-6, "%g %g became %g %g", x, y, p.x, p.y);
    }
}
GST_END_TEST;

GST_START_TEST(angles_between_directions_hold_at_both_ends) {
  const Vec3 a = direction_of({0.4, 0.2});
  fail_unless(angle_between(a, a) < 1e-12);
  fail_unless(std::abs(angle_between(a, -1.0 * a) - pi) < 1e-12);
  const Vec3 near = direction_of({0.4, 0.2 + 1e-7});
  fail_unless(std::abs(angle_between(a, near) - 1e-7) < 1e-12);
}
GST_END_TEST;

static Suite* geometry_suite() {
  Suite* suite = suite_create("geometry");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, angles_have_the_signs_of_v360);
  tcase_add_test(tcase, rotations_are_rigid_and_transpose_undoes);
  tcase_add_test(tcase, equirect_places_the_axes);
  tcase_add_test(tcase, equirect_there_and_back);
  tcase_add_test(tcase, angles_between_directions_hold_at_both_ends);
  return suite;
}

GST_CHECK_MAIN(geometry)

// SPDX-License-Identifier: LGPL-2.1-or-later
// Where up is, found in pictures whose tilt is known.

#include <cmath>
#include <random>
#include <vector>

#include "gst/sphere/vision/upright.h"
#include "tests/check/vision.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size size = {1280, 640};
constexpr Vec3 world_up = {0, -1, 0};

/// By a finder that has examined other pictures before.
Upright found(const SpherePicture& picture) {
  static UprightFinder finder;
  const Result<Upright> upright = finder.find(picture);
  fail_unless(bool(upright), "%s", upright ? "" : upright.error().message.c_str());
  return *upright;
}

void check_up(const SpherePicture& picture, Vec3 up, double tolerance, const char* what) {
  const Upright upright = found(picture);
  const double off = degrees(angle_between(upright.up, up));
  g_print("%s: %.2f degrees off, confidence %.2f\n", what, off, upright.confidence);
  fail_unless(upright.confidence >= least_confidence, "%s: confidence %g, %g degrees off", what,
              upright.confidence, off);
  fail_unless(off < tolerance, "%s: %g degrees off", what, off);
}

}  // namespace

GST_START_TEST(a_street_is_put_upright) {
  for (const Angles& tilt : {Angles{0, 0, 0}, {20, 12, 7}, {-100, -25, 20}, {160, 3, -35}}) {
    const Mat3 turn = rotation(tilt);
    g_autofree char* what = g_strdup_printf("street, %g %g %g", tilt.yaw, tilt.pitch, tilt.roll);
    check_up(turned_scene(size, turn), turn.transposed() * world_up, 0.5, what);
  }
}
GST_END_TEST

GST_START_TEST(a_finder_takes_pictures_of_any_size) {
  UprightFinder finder;
  const Mat3 turn = rotation({20, 12, 7});
  for (const Size one : {Size{960, 480}, size, Size{960, 480}}) {
    const SpherePicture picture = turned_scene(one, turn);
    const Result<Upright> again = finder.find(picture), alone = find_upright(picture);
    fail_unless(again && alone && again->up == alone->up && again->confidence == alone->confidence);
    fail_unless(degrees(angle_between(again->up, turn.transposed() * world_up)) < 0.5);
  }
}
GST_END_TEST

GST_START_TEST(a_horizon_is_enough) {
  // Sea and sky: no upright line anywhere.
  std::mt19937 random(1);
  std::uniform_real_distribution<double> noise(-0.02, 0.02);
  for (const Angles& tilt : {Angles{0, 4, 0}, {70, -15, 10}}) {
    const Mat3 turn = rotation(tilt);
    const SpherePicture sea = picture_of(size, [&](Vec3 d) {
      const double height = -(turn * d).y;
      return (height > 0 ? 0.8 - 0.3 * height : 0.35 + 0.1 * height) + noise(random);
    });
    check_up(sea, turn.transposed() * world_up, 0.5, "sea");
  }
}
GST_END_TEST

GST_START_TEST(what_can_not_be_told_is_not_guessed) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> any(0, 1);
  const SpherePicture noise = picture_of(size, [&](Vec3) { return any(random); });
  fail_unless(found(noise).confidence < least_confidence);
  const SpherePicture even = picture_of(size, [](Vec3) { return 0.4; });
  fail_unless(found(even).confidence < least_confidence);
  // A lawn and clouds: soft things without a direction.
  const SpherePicture soft = picture_of(size, [](Vec3 d) {
    return 0.5 + 0.2 * std::sin(5 * d.x + 2 * d.y) * std::sin(4 * d.z - d.y) + 0.1 * d.y;
  });
  fail_unless(found(soft).confidence < least_confidence);
  // Sticks that lie about.
  std::vector<std::pair<Vec3, Vec3>> sticks;
  for (int i = 0; i < 120; ++i) {
    const auto direction = [&] {
      return normalised(Vec3{any(random) - 0.5, any(random) - 0.5, any(random) - 0.5});
    };
    const Vec3 middle = direction();
    sticks.emplace_back(middle, normalised(cross(middle, direction())));
  }
  const SpherePicture mess = picture_of(size, [&](Vec3 d) {
    for (const auto& [middle, normal] : sticks)
      if (std::abs(dot(d, normal)) < 0.006 && dot(d, middle) > 0.99) return 0.1;
    return 0.7;
  });
  const Upright guess = found(mess);
  fail_unless(guess.confidence < least_confidence, "sticks: confidence %g", guess.confidence);
}
GST_END_TEST

GST_START_TEST(wrong_pictures_are_refused) {
  fail_if(bool(find_upright({})));
  SpherePicture cut = turned_scene({64, 32}, {});
  // Nothing is recognised in a picture this small.
  fail_unless(found(cut).confidence <= 1);
  cut.pixels.pop_back();
  fail_if(bool(find_upright(cut)));
}
GST_END_TEST

GST_START_TEST(the_middle_is_not_moved_by_some_wrong_ones) {
  std::vector<Vec3> all;
  const Vec3 right = rotation({0, 8, 5}) * world_up;
  for (int i = 0; i < 10; ++i) {
    const double turn = 2 * pi * i / 10;
    all.push_back(normalised(right + 0.01 * Vec3{std::cos(turn), 0, std::sin(turn)}));
  }
  all.push_back(rotation({0, 40, 0}) * world_up);
  all.push_back(rotation({0, 0, 45}) * world_up);
  fail_unless(degrees(angle_between(middle_direction(all), right)) < 0.3);
}
GST_END_TEST

static Suite* upright_suite() {
  Suite* suite = suite_create("upright");
  TCase* tests = tcase_create("general");
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_street_is_put_upright);
  tcase_add_test(tests, a_finder_takes_pictures_of_any_size);
  tcase_add_test(tests, a_horizon_is_enough);
  tcase_add_test(tests, what_can_not_be_told_is_not_guessed);
  tcase_add_test(tests, wrong_pictures_are_refused);
  tcase_add_test(tests, the_middle_is_not_moved_by_some_wrong_ones);
  return suite;
}

GST_CHECK_MAIN(upright)

// SPDX-License-Identifier: LGPL-2.1-or-later
// Views that follow directions, and views in a picture that is turned.

#include <cmath>
#include <random>
#include <vector>

#include "gst/sphere/geometry/turn.h"
#include "gst/sphere/view/follow_view.h"
#include "gst/sphere/view/turned_path.h"

#include <gst/check/gstcheck.h>

using namespace sphere;

namespace {

/// The angle between two rotations, degrees.
double apart(const Mat3& a, const Mat3& b) {
  const Quaternion q = inverse(quaternion_of(a)) * quaternion_of(b);
  return degrees(2 * std::atan2(std::sqrt(q.x * q.x + q.y * q.y + q.z * q.z), std::abs(q.w)));
}

ViewPath made(std::vector<Keyframe> keyframes, TurnWay way = TurnWay::shortest) {
  Result<ViewPath> path = ViewPath::make(std::move(keyframes), way);
  fail_unless(bool(path), "%s", path ? "" : path.error().message.c_str());
  return *path;
}

}  // namespace

GST_START_TEST(angles_of_a_rotation_are_those_that_made_it) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> turn(-180, 180), tilt(-89.9, 89.9);
  for (int i = 0; i < 1000; ++i) {
    const Angles angles{turn(random), tilt(random), turn(random)};
    const Angles again = angles_of(rotation(angles));
    fail_unless(std::abs(again.yaw - angles.yaw) < 1e-6);
    fail_unless(std::abs(again.pitch - angles.pitch) < 1e-6);
    fail_unless(std::abs(again.roll - angles.roll) < 1e-6);
  }
  // Upside down.
  for (const Angles& angles : {Angles{20, 130, 5}, {-75, -100, 10}})
    fail_unless(apart(rotation(angles_of(rotation(angles))), rotation(angles)) < 1e-5);
}
GST_END_TEST

GST_START_TEST(a_turn_between_two_directions_is_the_shortest) {
  std::mt19937 random(2);
  std::normal_distribution<double> any;
  for (int i = 0; i < 1000; ++i) {
    const Vec3 from = normalised(Vec3{any(random), any(random), any(random)});
    const Vec3 to = i % 10 ? normalised(Vec3{any(random), any(random), any(random)}) : -1.0 * from;
    const Mat3 turn = matrix_of(turn_between(from, to));
    fail_unless(angle_between(turn * from, to) < 1e-5);
    fail_unless(std::abs(apart(turn, {}) - degrees(angle_between(from, to))) < 1e-5);
  }
}
GST_END_TEST

GST_START_TEST(trembling_is_smoothed_and_movement_is_kept) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise(0, 0.3);
  const auto truth = [](double t) {
    // Once around, beyond half a turn.
    return Angles{160 + 60 * t, 20 * std::sin(t), 0};
  };
  std::vector<SeenDirection> seen;
  for (int i = 0; i < 300; ++i) {
    Angles angles = truth(i / 30.0);
    angles.yaw += noise(random);
    angles.pitch += noise(random);
    seen.push_back({i / 30.0, rotation(angles).column(2)});
  }
  const std::vector<ViewSample> view = follow_view(seen, {.angles = {0, 0, 5}, .fov = 70});
  fail_unless_equals_uint64(view.size(), seen.size());
  double squares = 0, steps = 0;
  for (size_t i = 0; i < view.size(); ++i) {
    const Angles right = truth(view[i].time);
    fail_unless(view[i].angles.roll == 5 && view[i].fov == 70);
    // It goes on counting.
    fail_unless(std::abs(view[i].angles.yaw - right.yaw) < 1.5, "at %g: yaw %g, not %g",
                view[i].time, view[i].angles.yaw, right.yaw);
    squares += std::pow(view[i].angles.pitch - right.pitch, 2);
    if (i > 0) {
      const double step = view[i].angles.pitch - view[i - 1].angles.pitch;
      const double wanted = right.pitch - truth(view[i - 1].time).pitch;
      steps = std::max(steps, std::abs(step - wanted));
    }
  }
  fail_unless(std::sqrt(squares / view.size()) < 0.2, "%g", std::sqrt(squares / view.size()));
  fail_unless(steps < 0.2, "a step of %g degrees", steps);
  fail_unless(follow_view({}, {}).empty());
}
GST_END_TEST

GST_START_TEST(a_gap_is_bridged_on_the_shortest_way) {
  std::vector<SeenDirection> all;
  for (int i = 0; i <= 20; ++i) all.push_back({0.1 * i, rotation({170, 0, 0}).column(2)});
  all.back().direction = rotation({-150, 0, 0}).column(2);
  bridge_gap(all);
  for (int i = 0; i <= 20; ++i)
    fail_unless(angle_between(all[static_cast<size_t>(i)].direction,
                              rotation({170 + 2.0 * i, 0, 0}).column(2)) < 1e-6);
  std::vector<SeenDirection> few(all.begin(), all.begin() + 2);
  bridge_gap(few);
  bridge_gap({});
  fail_unless(angle_between(few[1].direction, all[1].direction) < 1e-9);
}
GST_END_TEST

GST_START_TEST(keyframes_of_a_turned_picture_show_the_same) {
  const std::vector<Keyframe> keys = {
      {.time = 0, .angles = {170, 0, 0}, .fov = 90},
      {.time = 2, .angles = {-170, 20, 0}, .fov = 60, .easing = {Easing::Kind::hold}},
      {.time = 3, .angles = {-60, 0, 0}, .fov = 60, .easing = {Easing::Kind::linear}, .speed = 2},
      {.time = 5, .angles = {60, -30, 10}, .fov = 80, .speed = 0.5},
      {.time = 6, .projection = Projection::little_planet}};
  const ViewPath path = made(keys);
  const auto turn = [](double time) { return rotation({5 * time, 20, -12 + time}); };
  const Result<ViewPath> turned = turned_path(path, 8, turn);
  fail_unless(bool(turned), "%s", turned ? "" : turned.error().message.c_str());
  for (double time = 0; time < 8; time += 0.003) {
    // Jumps are not made in no time.
    if (time > 2.99 && time < 3) continue;
    const View wanted = path.at(time), view = turned->at(time);
    fail_unless(view.projection == wanted.projection, "at %g", time);
    fail_unless(apart(view.rotation, turn(time) * wanted.rotation) < 0.3, "at %g: %g degrees", time,
                apart(view.rotation, turn(time) * wanted.rotation));
    fail_unless(std::abs(view.fov - wanted.fov) < 0.2, "at %g", time);
    fail_unless(turned->speed_at(time) == path.speed_at(time), "at %g", time);
  }
  fail_unless(turned->keyframes().size() < 150, "%zu keyframes", turned->keyframes().size());
}
GST_END_TEST

GST_START_TEST(one_view_stays_one) {
  const ViewPath path = made({{.time = 0, .angles = {30, 10, 0}, .fov = 100}});
  const Result<ViewPath> turned = turned_path(path, 10, [](double) {
    return rotation({0, 0, 15});
  });
  fail_unless(bool(turned));
  fail_unless_equals_uint64(turned->keyframes().size(), 2);
  fail_unless(apart(turned->at(4).rotation, rotation({0, 0, 15}) * rotation({30, 10, 0})) < 1e-6);
}
GST_END_TEST

static Suite* view_turns_suite() {
  Suite* suite = suite_create("view_turns");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, angles_of_a_rotation_are_those_that_made_it);
  tcase_add_test(tests, a_turn_between_two_directions_is_the_shortest);
  tcase_add_test(tests, trembling_is_smoothed_and_movement_is_kept);
  tcase_add_test(tests, a_gap_is_bridged_on_the_shortest_way);
  tcase_add_test(tests, keyframes_of_a_turned_picture_show_the_same);
  tcase_add_test(tests, one_view_stays_one);
  return suite;
}

GST_CHECK_MAIN(view_turns)

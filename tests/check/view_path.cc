// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyframes, and the views between them.

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/view/file.h"
#include "gst/sphere/view/fit.h"
#include "gst/sphere/view/path.h"

#include <gst/check/gstcheck.h>

using namespace sphere;

namespace {

using Kind = Easing::Kind;

ViewPath made(std::vector<Keyframe> keyframes, TurnWay way = TurnWay::shortest,
              Horizon horizon = Horizon::locked) {
  Result<ViewPath> path = ViewPath::make(std::move(keyframes), way, horizon);
  fail_unless(bool(path), "%s", path ? "" : path.error().message.c_str());
  return *path;
}

std::string refusal(std::vector<Keyframe> keyframes, TurnWay way = TurnWay::shortest,
                    Horizon horizon = Horizon::locked) {
  const Result<ViewPath> path = ViewPath::make(std::move(keyframes), way, horizon);
  return path ? std::string() : path.error().message;
}

/// The angle between two views, degrees.
double apart(const Mat3& a, const Mat3& b) {
  const Quaternion q = inverse(quaternion_of(a)) * quaternion_of(b);
  return degrees(2 * std::atan2(std::sqrt(q.x * q.x + q.y * q.y + q.z * q.z), std::abs(q.w)));
}

/// One of yaw, pitch and roll, if the others are 0.
double angle_of(const View& view, int which) {
  const Vec3 right = view.rotation.column(0), forward = view.rotation.column(2);
  return degrees(which == 0   ? std::atan2(forward.x, forward.z)
                 : which == 1 ? std::atan2(-forward.y, forward.z)
                              : std::atan2(right.y, right.x));
}

double yaw_of(const View& view) { return angle_of(view, 0); }

/// Leaves only one of the angles, as large as the yaw is.
void keep_angle(Keyframe* key, int which) {
  const double turn = key->angles.yaw;
  // A pitch must be within a whole turn.
  key->angles = which == 0   ? Angles{turn, 0, 0}
                : which == 1 ? Angles{0, std::remainder(turn, 360), 0}
                             : Angles{0, 0, turn};
}

std::vector<Keyframe> any_keyframes(std::mt19937& random, bool whole_sphere) {
  std::uniform_real_distribution<double> step(0.05, 3), yaw(-400, 400), tilt(-90, 90), fov(20, 120),
      x(0, 1), y(-1, 2);
  std::uniform_int_distribution<int> count(1, 12), kind(0, 3), projection(0, 5);
  std::vector<Keyframe> keys(static_cast<size_t>(count(random)));
  double time = 0;
  for (Keyframe& key : keys) {
    key.time = time += step(random);
    key.angles = {yaw(random), tilt(random), tilt(random)};
    if (whole_sphere) key.projection = static_cast<Projection>(projection(random));
    key.fov = fov(random);
    key.easing.kind = static_cast<Kind>(kind(random));
    if (key.easing.kind == Kind::cubic)
      key.easing = {Kind::cubic, x(random), y(random), x(random), y(random)};
  }
  return keys;
}

}  // namespace

GST_START_TEST(keyframes_are_reached_exactly) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const std::vector<Keyframe> keys = any_keyframes(random, true);
    const Horizon horizon = round % 2 ? Horizon::free : Horizon::locked;
    const ViewPath path = made(keys, TurnWay::shortest, horizon);
    for (const Keyframe& key : keys) {
      const View view = path.at(key.time);
      fail_unless(apart(view.rotation, rotation(key.angles)) < 1e-6);
      fail_unless(view.projection == key.projection);
      fail_unless(std::abs(view.fov - (shows_all(key.projection) ? 0 : key.fov)) < 1e-6);
    }
    fail_unless(path.at(-5).rotation == path.at(keys.front().time).rotation);
    fail_unless(path.at(1e5).rotation == path.at(keys.back().time).rotation);
  }
}
GST_END_TEST

// Whoever seeks asks for any time, and often with a path that was asked for nothing before.
GST_START_TEST(a_seek_gives_what_playing_gives) {
  std::mt19937 random(6);
  for (int round = 0; round < 1000; ++round) {
    const std::vector<Keyframe> keys = any_keyframes(random, true);
    const Horizon horizon = round % 2 ? Horizon::free : Horizon::locked;
    const ViewPath played = made(keys, TurnWay::shortest, horizon);
    constexpr int pictures = 30;
    std::vector<std::pair<double, View>> seen;
    for (int i = 0; i < pictures; ++i) {
      const double time = (keys.back().time + 1) * i / pictures;
      seen.emplace_back(time, played.at(time));
    }
    std::ranges::shuffle(seen, random);
    const ViewPath sought = made(keys, TurnWay::shortest, horizon);
    for (const auto& [time, view] : seen) {
      const View again = sought.at(time);
      fail_unless(again.rotation == view.rotation && again.fov == view.fov &&
                  again.projection == view.projection);
    }
  }
}
GST_END_TEST

GST_START_TEST(turns_are_never_longer_than_half_a_turn) {
  std::mt19937 random(2);
  constexpr int steps = 200;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Keyframe> keys = any_keyframes(random, false);
    // The other angles would hide how far one goes; a curve may go beyond its ends.
    const int which = round % 3;
    for (Keyframe& key : keys) {
      keep_angle(&key, which);
      if (key.easing.kind == Kind::cubic) key.easing = {};
    }
    const ViewPath path = made(keys);
    for (size_t i = 0; i + 1 < keys.size(); ++i) {
      // Next to an even piece a smooth one may begin too fast, and turn back.
      const bool bends = keys[i].easing.kind == Kind::smooth &&
                         ((i > 0 && keys[i - 1].easing.kind == Kind::linear) ||
                          keys[i + 1].easing.kind == Kind::linear);
      if (bends) continue;
      double turned = 0, before = angle_of(path.at(keys[i].time), which);
      for (int n = 1; n <= steps; ++n) {
        const double now =
            angle_of(path.at(keys[i].time + (keys[i + 1].time - keys[i].time) * n / steps), which);
        turned += std::abs(std::remainder(now - before, 360));
        before = now;
      }
      fail_unless(turned < 180 + 1e-6, "list %d, keyframe %zu: %g degrees", round, i, turned);
    }
  }
  // With a free horizon, each way is exactly as long as the rotation between its ends.
  for (int round = 0; round < 1000; ++round) {
    std::vector<Keyframe> keys = any_keyframes(random, false);
    for (Keyframe& key : keys)
      if (key.easing.kind == Kind::cubic || key.easing.kind == Kind::hold) key.easing = {};
    const ViewPath path = made(keys, TurnWay::shortest, Horizon::free);
    for (size_t i = 0; i + 1 < keys.size(); ++i) {
      double turned = 0;
      Mat3 before = path.at(keys[i].time).rotation;
      for (int n = 1; n <= steps; ++n) {
        const Mat3 now =
            path.at(keys[i].time + (keys[i + 1].time - keys[i].time) * n / steps).rotation;
        turned += apart(before, now);
        before = now;
      }
      const double shortest = apart(rotation(keys[i].angles), rotation(keys[i + 1].angles));
      fail_unless(std::abs(turned - shortest) < 1e-3, "list %d, keyframe %zu: %g, not %g degrees",
                  round, i, turned, shortest);
    }
  }
  // 350 to 10 is 20 degrees to the right, and as it is written 340 to the left.
  const std::vector<Keyframe> keys = {{.time = 0, .angles = {350}, .easing = {Kind::linear}},
                                      {.time = 1, .angles = {10}}};
  fail_unless(std::abs(yaw_of(made(keys).at(0.25)) + 5) < 1e-9);
  fail_unless(std::abs(yaw_of(made(keys, TurnWay::as_written).at(0.25)) + 95) < 1e-9);
}
GST_END_TEST

GST_START_TEST(smooth_pieces_change_their_speed_without_a_jump) {
  std::mt19937 random(3);
  constexpr double step = 1e-4;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Keyframe> keys = any_keyframes(random, false);
    // Three angles, and the field of view.
    const int which = round % 4;
    for (Keyframe& key : keys) {
      keep_angle(&key, which % 3);
      key.easing = {round % 3 == 0 && key.easing.kind == Kind::linear ? Kind::linear
                                                                      : Kind::smooth};
    }
    const ViewPath path = made(keys);
    const auto speed = [&](double from, double to) {
      if (which == 3) return (path.at(to).fov - path.at(from).fov) / (to - from);
      return std::remainder(angle_of(path.at(to), which) - angle_of(path.at(from), which), 360) /
             (to - from);
    };
    for (size_t i = 0; i < keys.size(); ++i) {
      const double time = keys[i].time;
      const bool starts_even = i + 1 < keys.size() && keys[i].easing.kind == Kind::linear;
      const bool ends_even = i > 0 && keys[i - 1].easing.kind == Kind::linear;
      // Even pieces begin and end with their own speed.
      if ((starts_even && (i == 0 || ends_even)) || (ends_even && i + 1 == keys.size())) continue;
      const double before = speed(time - step, time), after = speed(time, time + step);
      // The speed changes by the acceleration meanwhile: at most some 10 000 degrees a second,
      // twice.
      fail_unless(std::abs(after - before) < 30, "list %d, keyframe %zu: %g and %g", round, i,
                  before, after);
    }
  }
}
GST_END_TEST

// A free horizon turns about another axis in each piece.
GST_START_TEST(a_free_horizon_rests_at_smooth_keyframes) {
  std::mt19937 random(5);
  constexpr double step = 1e-4;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Keyframe> keys = any_keyframes(random, false);
    for (Keyframe& key : keys) key.easing = {};
    const ViewPath path = made(keys, TurnWay::shortest, Horizon::free);
    for (const Keyframe& key : keys) {
      const Mat3 at = path.at(key.time).rotation;
      for (const double beside : {key.time - step, key.time + step})
        fail_unless(apart(path.at(beside).rotation, at) / step < 30, "list %d: %g degrees a second",
                    round, apart(path.at(beside).rotation, at) / step);
    }
  }
}
GST_END_TEST

GST_START_TEST(a_smooth_piece_stays_between_its_keyframes) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<Keyframe> keys = any_keyframes(random, false);
    for (Keyframe& key : keys) key.easing = {};
    const ViewPath path = made(keys);
    for (size_t i = 0; i + 1 < keys.size(); ++i) {
      const auto [least, most] = std::minmax(keys[i].fov, keys[i + 1].fov);
      for (int n = 0; n <= 50; ++n) {
        const double fov = path.at(keys[i].time + (keys[i + 1].time - keys[i].time) * n / 50).fov;
        fail_unless(fov > least - 1e-9 && fov < most + 1e-9);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(easing_is_as_css_has_it) {
  fail_unless(eased({Kind::linear}, 0.3) == 0.3);
  fail_unless(eased({Kind::hold}, 0.99) == 0);
  fail_unless(std::abs(eased({Kind::smooth}, 0.25) - 0.15625) < 1e-12);
  // `ease` and `ease-in-out`, from browsers.
  fail_unless(std::abs(eased({Kind::cubic, 0.25, 0.1, 0.25, 1}, 0.5) - 0.8024033877) < 1e-6);
  fail_unless(std::abs(eased({Kind::cubic, 0.42, 0, 0.58, 1}, 0.25) - 0.1291619) < 1e-5);
  for (const double part : {0.0, 1.0})
    fail_unless(eased({Kind::cubic, 0.1, 0.9, 0.2, 5}, part) == part);
}
GST_END_TEST

GST_START_TEST(a_free_horizon_turns_about_one_axis) {
  const std::vector<Keyframe> keys = {{.time = 0, .angles = {0, 0, 0}, .easing = {Kind::linear}},
                                      {.time = 1, .angles = {90, 60, 30}}};
  const ViewPath path = made(keys, TurnWay::shortest, Horizon::free);
  const double all = apart(path.at(0).rotation, path.at(1).rotation);
  for (const double t : {0.2, 0.5, 0.9})
    fail_unless(std::abs(apart(path.at(0).rotation, path.at(t).rotation) - t * all) < 1e-6);
}
GST_END_TEST

GST_START_TEST(a_new_projection_begins_with_its_keyframe) {
  const ViewPath path = made({{.time = 0, .fov = 60},
                              {.time = 1, .fov = 80},
                              {.time = 2, .fov = 270, .projection = Projection::little_planet},
                              {.time = 3, .projection = Projection::equirect}});
  fail_unless(path.at(1.99).projection == Projection::perspective);
  fail_unless(std::abs(path.at(1.99).fov - 80) < 1e-9);
  fail_unless(path.at(2).projection == Projection::little_planet && path.at(2).fov == 270);
  fail_unless(path.at(3).projection == Projection::equirect && path.at(3).fov == 0);
}
GST_END_TEST

GST_START_TEST(wrong_keyframes_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  fail_if(refusal({}).empty());
  fail_unless(refusal({{.time = 1}, {.time = 1}}).starts_with("keyframe 2: its time"));
  fail_unless(refusal({{.time = nan}}).starts_with("keyframe 1: its time"));
  fail_unless(refusal({{.angles = {nan}}}).starts_with("keyframe 1: its yaw"));
  fail_unless(refusal({{.angles = {0, nan}}}).starts_with("keyframe 1: its pitch"));
  fail_unless(refusal({{.angles = {36001}}}).starts_with("keyframe 1: its yaw"));
  fail_unless(refusal({{.fov = 171}}).find("1 to 170") != std::string::npos);
  fail_unless(refusal({{.fov = nan}}).find("fov") != std::string::npos);
  fail_unless(refusal({{.speed = 0}}).find("speed") != std::string::npos);
  fail_unless(refusal({{.easing = {Kind::cubic, -0.1, 0, 1, 1}}}).find("easing") !=
              std::string::npos);
  fail_unless(refusal(std::vector<Keyframe>(ViewPath::most_keyframes + 1)).find("100000") !=
              std::string::npos);
  fail_if(refusal({{}}, TurnWay::as_written, Horizon::free).empty());
}
GST_END_TEST

GST_START_TEST(a_text_is_read_and_written) {
  const Result<ViewPath> path = load_view_path(
      R"( {"format": "gst-sphere-view", "version": 1, "turn": "as-written", "keyframes": [
        {"time": 0, "yaw": 10, "fov": 60, "easing": "linear"},
        {"time": 2.5, "yaw": 400, "speed": 2, "x-note": "a turn"},
        {"time": 3, "projection": "little-planet", "easing": [0.42, 0, 0.58, 1]}]})");
  fail_unless(bool(path), "%s", path ? "" : path.error().message.c_str());
  const std::vector<Keyframe>& keys = path->keyframes();
  fail_unless_equals_uint64(keys.size(), 3);
  // What is not told is as before.
  fail_unless(keys[1].fov == 60 && keys[1].easing.kind == Kind::linear);
  fail_unless(keys[2].angles.yaw == 400 && keys[2].speed == 2 && keys[2].fov == 0);
  const Easing curve = {Kind::cubic, 0.42, 0, 0.58, 1};
  fail_unless(keys[2].easing == curve);
  const Result<ViewPath> again = parse_view_path(view_path_text(*path), "again");
  fail_unless(bool(again), "%s", again ? "" : again.error().message.c_str());
  fail_unless(again->keyframes() == keys && again->turn_way() == TurnWay::as_written);
}
GST_END_TEST

GST_START_TEST(a_wrong_text_is_told) {
  const auto told = [](const std::string& text) {
    const Result<ViewPath> path = parse_view_path(text, "moves.json");
    return path ? std::string() : path.error().message;
  };
  const auto with = [](const std::string& keyframes) {
    return R"({"format": "gst-sphere-view", "version": 1, "keyframes": )" + keyframes + "}";
  };
  for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"{", "not JSON"},
           {"{}", "format"},
           {R"({"format": "gst-sphere-lens", "version": 1, "keyframes": []})", "gst-sphere-view"},
           {R"({"format": "gst-sphere-view", "version": 2, "keyframes": []})", "version"},
           {with("[]"), "no keyframe"},
           {with("{}"), "list"},
           {with(R"([{"yaw": 1}])"), "keyframes[0].time"},
           {with(R"([{"time": "now"}])"), "keyframes[0].time"},
           {with(R"([{"time": 0, "easing": "bounce"}])"), "linear, smooth, hold"},
           {with(R"([{"time": 0, "easing": [1, 2]}])"), "easing"},
           {with(R"([{"time": 0, "zoom": 2}])"), "keyframes[0].zoom"},
           {with(R"([{"time": 0, "projection": "fisheye"}])"), "perspective"},
           {with(R"([{"time": 1}, {"time": 0}])"), "keyframe 2"}})
    fail_unless(told(text).find(word) != std::string::npos, "'%s' tells '%s'", text.c_str(),
                told(text).c_str());
  fail_unless(told("{").starts_with("moves.json: "));
  const Result<ViewPath> absent = load_view_path("/no/such/file.json");
  fail_unless(!absent && absent.error().kind == Error::Kind::not_found);
}
GST_END_TEST

GST_START_TEST(a_recording_becomes_few_keyframes) {
  // Somebody looks to the right, waits, zooms in while turning back, and changes the projection.
  std::vector<ViewSample> samples;
  for (int i = 0; i < 600; ++i) {
    const double t = i / 30.0;
    ViewSample sample;
    sample.time = t;
    const auto ramp = [&](double from, double to) {
      return eased({Kind::smooth}, std::clamp((t - from) / (to - from), 0.0, 1.0));
    };
    sample.angles = {170 + 120 * ramp(1, 4) - 200 * ramp(8, 14), 20 * ramp(2, 5), 0};
    sample.fov = 90 - 40 * ramp(8, 12);
    if (t >= 16) {
      sample.projection = Projection::little_planet;
      sample.fov = 270;
    }
    samples.push_back(sample);
  }
  constexpr double tolerance = 0.5;
  const Result<ViewPath> path = fit_view_path(samples, tolerance);
  fail_unless(bool(path), "%s", path ? "" : path.error().message.c_str());
  fail_unless(path->keyframes().size() < 30, "%zu keyframes", path->keyframes().size());
  for (const ViewSample& sample : samples) {
    const View view = path->at(sample.time);
    fail_unless(apart(view.rotation, rotation(sample.angles)) < 1.5 * tolerance, "at %g",
                sample.time);
    fail_unless(std::abs(view.fov - sample.fov) < 1.001 * tolerance, "at %g: %g, not %g",
                sample.time, view.fov, sample.fov);
    fail_unless(view.projection == sample.projection);
  }
  // One that stands still needs its ends.
  std::vector<ViewSample> still(100, ViewSample{});
  for (size_t i = 0; i < still.size(); ++i) still[i].time = static_cast<double>(i);
  fail_unless_equals_uint64(fit_view_path(still, tolerance)->keyframes().size(), 2);
  fail_if(bool(fit_view_path({}, tolerance)));
}
GST_END_TEST

static Suite* view_path_suite() {
  Suite* suite = suite_create("view_path");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, keyframes_are_reached_exactly);
  tcase_add_test(tests, a_seek_gives_what_playing_gives);
  tcase_add_test(tests, turns_are_never_longer_than_half_a_turn);
  tcase_add_test(tests, smooth_pieces_change_their_speed_without_a_jump);
  tcase_add_test(tests, a_free_horizon_rests_at_smooth_keyframes);
  tcase_add_test(tests, a_smooth_piece_stays_between_its_keyframes);
  tcase_add_test(tests, easing_is_as_css_has_it);
  tcase_add_test(tests, a_free_horizon_turns_about_one_axis);
  tcase_add_test(tests, a_new_projection_begins_with_its_keyframe);
  tcase_add_test(tests, wrong_keyframes_are_refused);
  tcase_add_test(tests, a_text_is_read_and_written);
  tcase_add_test(tests, a_wrong_text_is_told);
  tcase_add_test(tests, a_recording_becomes_few_keyframes);
  return suite;
}

GST_CHECK_MAIN(view_path)

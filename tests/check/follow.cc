// SPDX-License-Identifier: LGPL-2.1-or-later
// A thing that moves through the known scene is followed: its true path is known.

#include <cmath>
#include <functional>
#include <vector>

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/view/follow_view.h"
#include "gst/sphere/vision/follower.h"
#include "tests/check/vision.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size size = {960, 480};
constexpr double rate = 30;

struct Thing {
  Mat3 frame;
  double radius = radians(5);
  bool shown = true;
};

struct Seen {
  std::vector<SeenDirection> directions;
  std::vector<bool> is_seen;
  std::vector<double> off;  ///< degrees from the truth
};

/// Follows the thing for some pictures.
Seen follow(int pictures, double degrees_wide, const std::function<Thing(double)>& thing_at) {
  const SpherePicture scene = turned_scene(size, {});
  const auto picture_at = [&](double time) {
    SpherePicture picture = scene;
    const Thing thing = thing_at(time);
    if (thing.shown) draw_plate(&picture, {thing.frame, thing.radius});
    return picture;
  };
  const Vec3 start = thing_at(0).frame.column(2);
  Result<Follower> follower = Follower::make(picture_at(0), start, degrees_wide);
  fail_unless(bool(follower), "%s", follower ? "" : follower.error().message.c_str());
  Seen seen{{{0, start}}, {true}, {0}};
  for (int n = 1; n < pictures; ++n) {
    const double time = n / rate;
    const Result<Followed> now = follower->next(picture_at(time), 1 / rate);
    fail_unless(bool(now), "%s", now ? "" : now.error().message.c_str());
    seen.directions.push_back({time, now->direction});
    seen.is_seen.push_back(now->is_seen);
    seen.off.push_back(degrees(angle_between(now->direction, thing_at(time).frame.column(2))));
  }
  return seen;
}

void check_followed(const Seen& seen, double tolerance) {
  for (size_t n = 0; n < seen.off.size(); ++n) {
    fail_unless(seen.is_seen[n], "picture %zu: lost", n);
    fail_unless(seen.off[n] < tolerance, "picture %zu: %g degrees off", n, seen.off[n]);
  }
}

}  // namespace

GST_START_TEST(it_is_followed_across_the_edge_of_the_picture) {
  const Seen seen = follow(90, 12, [](double t) {
    return Thing{rotation({150 + 25 * t, 10 * std::sin(2 * t), 0})};
  });
  check_followed(seen, 0.15);
}
GST_END_TEST

GST_START_TEST(it_is_followed_over_a_pole) {
  // Along a meridian through the zenith, and closely past the nadir.
  const Seen over = follow(90, 12, [](double t) { return Thing{rotation({40, 55 + 25 * t, 0})}; });
  check_followed(over, 0.3);
  const Mat3 beside = rotation({0, 0, 3});
  const Seen past = follow(90, 12, [&](double t) {
    return Thing{beside * rotation({-70, -55 - 25 * t, 0})};
  });
  check_followed(past, 0.15);
}
GST_END_TEST

GST_START_TEST(it_may_grow_and_turn) {
  const Seen seen = follow(60, 12, [](double t) {
    return Thing{rotation({10 * t, 5, 25 * t}), radians(5 + t)};
  });
  check_followed(seen, 1);
}
GST_END_TEST

GST_START_TEST(a_still_picture_has_no_drift) {
  const Seen seen = follow(60, 10, [](double) { return Thing{rotation({33, -12, 0})}; });
  check_followed(seen, 0.1);
}
GST_END_TEST

GST_START_TEST(the_view_keeps_it_in_the_middle_with_few_keyframes) {
  const auto at = [](double t) { return rotation({150 + 30 * t, 12 * std::sin(1.5 * t), 0}); };
  const Seen seen = follow(120, 12, [&](double t) { return Thing{at(t)}; });
  check_followed(seen, 0.5);
  const Result<ViewPath> path = fit_view_path(follow_view(seen.directions, {}), 0.4);
  fail_unless(bool(path));
  // More of them at the ends, where a view comes from rest.
  fail_unless(path->keyframes().size() < 18, "%zu keyframes", path->keyframes().size());
  for (double t = 0; t < 119 / rate; t += 0.01) {
    const View view = path->at(t);
    const double off = degrees(angle_between(view.rotation.column(2), at(t).column(2)));
    fail_unless(off < 1, "at %g: %g degrees off", t, off);
    // The horizon stays level.
    fail_unless(std::abs(view.rotation.column(0).y) < 1e-6);
  }
}
GST_END_TEST

GST_START_TEST(it_is_lost_when_it_is_hidden_and_found_again) {
  constexpr double hidden = 1, shown = 2;
  const Seen seen = follow(90, 12, [](double t) {
    return Thing{rotation({20 * t, 5, 0}), radians(5), t < hidden || t >= shown};
  });
  for (size_t n = 0; n < seen.off.size(); ++n) {
    const double time = seen.directions[n].time;
    if (time < hidden - 1e-9 || time > shown + 0.2) {
      fail_unless(seen.is_seen[n], "at %g it is lost", time);
      fail_unless(seen.off[n] < 0.5, "at %g: %g degrees off", time, seen.off[n]);
    } else if (time > hidden + 0.1 && time < shown - 1e-9) {
      fail_unless(!seen.is_seen[n], "at %g something else is followed", time);
      const double from_last =
          degrees(angle_between(seen.directions[n].direction, rotation({20, 5, 0}).column(2)));
      fail_unless(from_last < 3, "at %g it does not rest: %g degrees", time, from_last);
    }
  }
}
GST_END_TEST

// While it can't be seen, it goes 51 degrees on.
GST_START_TEST(it_is_found_where_it_has_gone_on) {
  constexpr double hidden = 1, shown = 2.7;
  const Seen seen = follow(105, 12, [](double t) {
    return Thing{rotation({30 * t, 5, 0}), radians(5), t < hidden || t >= shown};
  });
  for (size_t n = 1; n < seen.off.size(); ++n) {
    const double time = static_cast<double>(n) / rate;
    const bool is_there = time < hidden - 1e-9 || time > shown + 0.2;
    if (is_there) fail_unless(seen.is_seen[n] && seen.off[n] < 1, "%g: %g off", time, seen.off[n]);
    if (time > hidden + 0.1 && time < shown - 1e-9) fail_if(seen.is_seen[n], "%g: seen", time);
  }
}
GST_END_TEST

GST_START_TEST(something_alike_does_not_take_its_place) {
  // The same scene at another place of the sphere, in which something is a little alike.
  for (const double yaw : {-140.0, -60.0, 70.0}) {
    const Seen seen = follow(75, 12, [&](double t) {
      return Thing{rotation({yaw + 15 * t, 5, 0}), radians(5), t < 1 || t >= 1.5};
    });
    for (size_t n = 0; n < seen.off.size(); ++n)
      fail_if(seen.is_seen[n] && seen.off[n] > 0.5, "yaw %g, at %g: %g degrees off", yaw,
              seen.directions[n].time, seen.off[n]);
    fail_unless(seen.is_seen.back(), "yaw %g: it is not found again", yaw);
  }
}
GST_END_TEST

GST_START_TEST(it_is_lost_behind_something_that_it_goes_behind) {
  // A dark board covers it bit by bit.
  const SpherePicture scene = turned_scene(size, {});
  const Mat3 board = rotation({30, 5, 0});
  const auto picture_at = [&](double t) {
    SpherePicture picture = scene;
    draw_plate(&picture, {rotation({15 * t, 5, 0}), radians(5)});
    const Vec3 axis = board.column(2);
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x)
        if (angle_between(axis, equirect_direction({x + 0.5, y + 0.5}, size)) < radians(14))
          picture.pixels[static_cast<size_t>(y * size.width + x)] =
              static_cast<uint8_t>(60 + (x / 3 + y / 3) % 2 * 10);
    return picture;
  };
  Result<Follower> follower = Follower::make(picture_at(0), rotation({0, 5, 0}).column(2), 12);
  fail_unless(bool(follower));
  bool seen_at_first = true, seen_behind = false;
  for (int n = 1; n < 90; ++n) {
    const double time = n / rate;
    const Result<Followed> now = follower->next(picture_at(time), 1 / rate);
    fail_unless(bool(now));
    // Its nearer edge reaches the board at 0.73 s; it is wholly behind it from 1.4 s on.
    if (time < 0.7) seen_at_first = seen_at_first && now->is_seen;
    if (time > 2 && time < 2.5) seen_behind = seen_behind || now->is_seen;
  }
  fail_unless(seen_at_first);
  fail_if(seen_behind);
}
GST_END_TEST

GST_START_TEST(what_can_not_be_followed_is_told) {
  const SpherePicture even = picture_of({320, 160}, [](Vec3) { return 0.5; });
  const Result<Follower> nothing = Follower::make(even, {0, 0, 1}, 10);
  fail_if(bool(nothing));
  fail_unless(nothing.error().message.find("even") != std::string::npos);
  SpherePicture scene = turned_scene({320, 160}, {});
  for (const double wide : {0.0, 0.5, 61.0, std::nan("")})
    fail_if(bool(Follower::make(scene, {0, 0, 1}, wide)), "%g degrees", wide);
  Result<Follower> follower = Follower::make(scene, {0, 0, 1}, 20);
  fail_unless(bool(follower));
  fail_if(bool(follower->next(turned_scene({322, 160}, {}), 0.1)));
  scene.pixels.pop_back();
  fail_if(bool(follower->next(scene, 0.1)));
  fail_if(bool(Follower::make(scene, {0, 0, 1}, 20)));
  fail_if(bool(Follower::make({}, {0, 0, 1}, 20)));
}
GST_END_TEST

static Suite* follow_suite() {
  Suite* suite = suite_create("follow");
  TCase* tests = tcase_create("general");
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, it_is_followed_across_the_edge_of_the_picture);
  tcase_add_test(tests, it_is_followed_over_a_pole);
  tcase_add_test(tests, it_may_grow_and_turn);
  tcase_add_test(tests, a_still_picture_has_no_drift);
  tcase_add_test(tests, the_view_keeps_it_in_the_middle_with_few_keyframes);
  tcase_add_test(tests, it_is_lost_when_it_is_hidden_and_found_again);
  tcase_add_test(tests, it_is_found_where_it_has_gone_on);
  tcase_add_test(tests, something_alike_does_not_take_its_place);
  tcase_add_test(tests, it_is_lost_behind_something_that_it_goes_behind);
  tcase_add_test(tests, what_can_not_be_followed_is_told);
  return suite;
}

GST_CHECK_MAIN(follow)

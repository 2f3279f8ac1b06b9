// SPDX-License-Identifier: LGPL-2.1-or-later
// A view that goes on turning after a drag. The time is the test's own.

#include "plugins/view/navigator.h"

#include <gst/check/gstcheck.h>
#include <gst/video/navigation.h>

#include <cmath>

using namespace sphere;

namespace {

constexpr double inertia = 0.5;

class Person {
 public:
  void press(Point at) {
    tell(gst_navigation_event_new_mouse_button_press(1, at.x, at.y, GST_NAVIGATION_MODIFIER_NONE));
  }
  void move(Point at) {
    tell(gst_navigation_event_new_mouse_move(at.x, at.y, GST_NAVIGATION_MODIFIER_NONE));
  }
  void release(Point at) {
    tell(
        gst_navigation_event_new_mouse_button_release(1, at.x, at.y, GST_NAVIGATION_MODIFIER_NONE));
  }
  /// To the right, at 400 pixels a second.
  void drag() {
    press({300, 180});
    for (int n = 1; n <= 6; ++n) {
      now += 0.025;
      move({300.0 + 10 * n, 180});
    }
  }
  /// How far the view turns by itself, at 60 pictures a second.
  double turn_by_inertia(double how_long) {
    const double begin = view.angles.yaw;
    for (int n = 0; n < 60 * 60; ++n) {
      now += 1 / 60.0;
      const std::optional<ViewAngles> next = navigator.turn_by_inertia(view, how_long, now);
      if (!next) return view.angles.yaw - begin;
      view = *next;
    }
    fail("it turns for ever");
    return 0;
  }

  ViewAngles view;
  double now = 100;

 private:
  void tell(GstEvent* event) {
    const Navigator::Answer answer = navigator.handle(event, canvas, view, now);
    fail_unless(answer.is_ours);
    if (answer.view) view = *answer.view;
    gst_event_unref(event);
  }

  Navigator navigator;
  const Canvas canvas{Projection::perspective, {640, 360}, radians(90)};
};

}  // namespace

GST_START_TEST(a_view_goes_on_turning) {
  Person person;
  person.drag();
  const double before = person.view.angles.yaw;
  person.release({360, 180});
  fail_unless(person.view.angles.yaw == before && before < -9, "%g", before);
  // 400 pixels a second are some 70 degrees there.
  const double way = person.turn_by_inertia(inertia);
  fail_unless(way < -30 && way > -38, "%g", way);
  fail_unless(person.turn_by_inertia(inertia) == 0, "it rests");
}
GST_END_TEST

GST_START_TEST(it_stops_without_inertia) {
  Person person;
  person.drag();
  person.release({360, 180});
  fail_unless(person.turn_by_inertia(0) == 0);
}
GST_END_TEST

GST_START_TEST(it_stops_where_the_pointer_rested) {
  Person person;
  person.drag();
  person.now += 0.15;
  person.release({360, 180});
  fail_unless(person.turn_by_inertia(inertia) == 0);
}
GST_END_TEST

// As sinks tell it that look for events twenty times a second.
GST_START_TEST(events_that_come_together_are_no_high_speed) {
  Person person;
  person.drag();
  person.now += 2e-5;
  person.move({361, 180});
  person.now += 2e-5;
  person.release({362, 180});
  const double way = person.turn_by_inertia(inertia);
  fail_unless(way < -30 && way > -38, "%g", way);
}
GST_END_TEST

static Suite* navigator_suite() {
  Suite* suite = suite_create("navigator");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_view_goes_on_turning);
  tcase_add_test(tests, it_stops_without_inertia);
  tcase_add_test(tests, it_stops_where_the_pointer_rested);
  tcase_add_test(tests, events_that_come_together_are_no_high_speed);
  return suite;
}

GST_CHECK_MAIN(navigator)

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/view/navigator.h"

#include <gst/video/navigation.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace sphere {

namespace {

// Of the field of view: how far a key turns the view, and how much a step of the wheel and a key
// narrow it.
constexpr double key_turn = 1.0 / 18, wheel_zoom = 0.1;
constexpr double most_pitch = 90;
// Seconds. If the pointer rested for longer before its button was released, the view stops at once.
constexpr double rest = 0.1;
// Seconds over which the speed of a drag is measured, at least. Sinks tell several movements at
// once, between which there is no time.
constexpr double least_measured = 0.008;
// Degrees a second, below which a view that goes on turning stops.
constexpr double least_speed = 0.5;
// Mice without a wheel event of their own: the buttons that stand for the wheel.
constexpr int left_button = 1, wheel_up = 4, wheel_down = 5;

/// The direction that is seen at a place in the picture, in the axes of the view.
Vec3 direction_at(const Canvas& canvas, Point at) {
  const Canvas::Patch* patch = &canvas.patches().front();
  for (const Canvas::Patch& each : canvas.patches())
    if (at.x >= each.x && at.y >= each.y && at.x < each.x + each.size.width &&
        at.y < each.y + each.size.height)
      patch = &each;
  return canvas.direction(*patch, {at.x - patch->x, at.y - patch->y});
}

ViewAngles zoomed(const Canvas& canvas, ViewAngles view, double factor) {
  const FieldRange range = field_range(canvas.projection());
  if (shows_all(canvas.projection())) return view;
  view.fov = std::clamp(drawn_fov(canvas.projection(), view.fov) * factor, degrees(range.smallest),
                        degrees(range.largest));
  return view;
}

/// The view in which a direction of the picture, `world`, is seen at `seen` in the axes of the
/// view. The roll stays.
ViewAngles turned_view(const ViewAngles& view, Vec3 world, Vec3 seen) {
  const Vec3 q = normalised(rotation({0, 0, view.angles.roll}) * seen);
  // The pitch has to bring it to its height: q.y cos(pitch) - q.z sin(pitch) = world.y. There are
  // two pitches that do; the nearer one is meant.
  const double reach = std::hypot(q.y, q.z), phase = std::atan2(q.z, q.y);
  if (reach < 1e-9) return view;
  const double half = std::acos(std::clamp(world.y / reach, -1.0, 1.0));
  const double now = radians(view.angles.pitch);
  const auto near = [&](double pitch) { return now + std::remainder(pitch - now, 2 * pi); };
  const double one = near(half - phase), other = near(-half - phase);
  const double pitch = std::abs(one - now) <= std::abs(other - now) ? one : other;
  ViewAngles turned = view;
  turned.angles.pitch = std::clamp(degrees(pitch), -most_pitch, most_pitch);
  const Vec3 tilted = rotation({0, turned.angles.pitch, 0}) * q;
  const double yaw = degrees(std::atan2(world.x, world.z) - std::atan2(tilted.x, tilted.z));
  // The yaw goes on counting beyond half a turn.
  turned.angles.yaw = view.angles.yaw + std::remainder(yaw - view.angles.yaw, 360);
  return turned;
}

}  // namespace

double drawn_fov(Projection projection, double fov) {
  const FieldRange range = field_range(projection);
  if (shows_all(projection)) return 360;
  if (fov <= 0) return degrees(range.usual);
  return std::clamp(fov, degrees(range.smallest), degrees(range.largest));
}

void Navigator::grab(const Canvas& canvas, const ViewAngles& view, Point at, double now) {
  grabbed_ = normalised(rotation(view.angles) * direction_at(canvas, at));
  last_ = at;
  yaw_speed_ = pitch_speed_ = 0;
  measured_ = now;
  measured_from_ = view.angles;
  goes_on_ = false;
}

std::optional<ViewAngles> Navigator::drag(const Canvas& canvas, const ViewAngles& view, Point at,
                                          double now) {
  if (!grabbed_) return std::nullopt;
  last_ = at;
  const ViewAngles turned = turned_view(view, *grabbed_, direction_at(canvas, at));
  const double passed = now - measured_;
  if (passed >= least_measured) {
    yaw_speed_ = (turned.angles.yaw - measured_from_.yaw) / passed;
    pitch_speed_ = (turned.angles.pitch - measured_from_.pitch) / passed;
    measured_ = now;
    measured_from_ = turned.angles;
  }
  return turned;
}

std::optional<ViewAngles> Navigator::release(const Canvas& canvas, const ViewAngles& view, Point at,
                                             double now) {
  if (!grabbed_) return std::nullopt;
  goes_on_ = now - measured_ < rest;
  // Some sinks tell only the last of several movements, so the button may be released elsewhere.
  const bool has_moved = !(at == last_);
  std::optional<ViewAngles> turned = has_moved ? drag(canvas, view, at, now) : std::nullopt;
  grabbed_.reset();
  return turned;
}

Navigator::Answer Navigator::press_key(const char* key, const Canvas& canvas,
                                       const ViewAngles& view) {
  const std::string_view name = key;
  const double step = drawn_fov(canvas.projection(), view.fov) * key_turn;
  ViewAngles turned = view;
  if (name == "Left")
    turned.angles.yaw -= step;
  else if (name == "Right")
    turned.angles.yaw += step;
  else if (name == "Up")
    turned.angles.pitch = std::min(turned.angles.pitch + step, most_pitch);
  else if (name == "Down")
    turned.angles.pitch = std::max(turned.angles.pitch - step, -most_pitch);
  else if (name == "plus" || name == "equal" || name == "KP_Add")
    turned = zoomed(canvas, view, 1 - wheel_zoom);
  else if (name == "minus" || name == "KP_Subtract")
    turned = zoomed(canvas, view, 1 / (1 - wheel_zoom));
  else if (name == "Home")
    turned = ViewAngles();
  else
    return {};
  goes_on_ = false;
  return {true, turned};
}

Navigator::Pinch Navigator::pinch() const {
  if (fingers_.size() < 2) return {fingers_.front().at, 0};
  const Point a = fingers_[0].at, b = fingers_[1].at;
  return {{(a.x + b.x) / 2, (a.y + b.y) / 2}, std::hypot(a.x - b.x, a.y - b.y)};
}

Navigator::Answer Navigator::touch(GstEvent* event, const Canvas& canvas, const ViewAngles& view,
                                   double now) {
  guint id = 0;
  Point at;
  const GstNavigationEventType type = gst_navigation_event_get_type(event);
  const bool is_up = type == GST_NAVIGATION_EVENT_TOUCH_UP;
  if (is_up) {
    if (!gst_navigation_event_parse_touch_up_event(event, &id, &at.x, &at.y)) return {true, {}};
  } else if (!gst_navigation_event_parse_touch_event(event, &id, &at.x, &at.y, nullptr)) {
    return {true, {}};
  }
  const auto finger = std::ranges::find(fingers_, id, &Finger::id);
  if (type == GST_NAVIGATION_EVENT_TOUCH_MOTION) {
    if (finger == fingers_.end()) return {true, {}};
    finger->at = at;
    if (finger - fingers_.begin() > 1) return {true, {}};
    const Pinch now_held = pinch();
    ViewAngles turned = view;
    if (now_held.apart > 0 && apart_ > 0) {
      turned = zoomed(canvas, view, apart_ / now_held.apart);
      apart_ = now_held.apart;
      const Canvas wider(canvas.projection(), canvas.size(), radians(turned.fov));
      if (const auto dragged = drag(wider, turned, now_held.middle, now)) turned = *dragged;
      return {true, turned};
    }
    return {true, drag(canvas, turned, now_held.middle, now)};
  }
  if (finger != fingers_.end()) fingers_.erase(finger);
  if (!is_up) fingers_.push_back({id, at});
  if (fingers_.empty()) return {true, release(canvas, view, at, now)};
  // With another number of fingers, the drag begins anew.
  const Pinch held = pinch();
  apart_ = held.apart;
  grab(canvas, view, held.middle, now);
  return {true, {}};
}

Navigator::Answer Navigator::handle(GstEvent* event, const Canvas& canvas, const ViewAngles& view,
                                    double now) {
  Point at;
  int button = 0;
  switch (gst_navigation_event_get_type(event)) {
    case GST_NAVIGATION_EVENT_MOUSE_BUTTON_PRESS:
      gst_navigation_event_parse_mouse_button_event(event, &button, &at.x, &at.y);
      if (button == left_button) grab(canvas, view, at, now);
      if (button == wheel_up) return {true, zoomed(canvas, view, 1 - wheel_zoom)};
      if (button == wheel_down) return {true, zoomed(canvas, view, 1 / (1 - wheel_zoom))};
      return {true, {}};
    case GST_NAVIGATION_EVENT_MOUSE_BUTTON_RELEASE:
      gst_navigation_event_parse_mouse_button_event(event, &button, &at.x, &at.y);
      if (button != left_button) return {true, {}};
      return {true, release(canvas, view, at, now)};
    case GST_NAVIGATION_EVENT_MOUSE_MOVE:
      gst_navigation_event_parse_mouse_move_event(event, &at.x, &at.y);
      return {true, drag(canvas, view, at, now)};
    case GST_NAVIGATION_EVENT_MOUSE_SCROLL: {
      double across = 0, down = 0;
      gst_navigation_event_parse_mouse_scroll_event(event, &at.x, &at.y, &across, &down);
      if (down == 0) return {true, {}};
      return {true, zoomed(canvas, view, std::pow(1 - wheel_zoom, std::clamp(down, -5.0, 5.0)))};
    }
    case GST_NAVIGATION_EVENT_KEY_PRESS: {
      const char* key = nullptr;
      if (!gst_navigation_event_parse_key_event(event, &key) || !key) return {};
      return press_key(key, canvas, view);
    }
    case GST_NAVIGATION_EVENT_TOUCH_DOWN:
    case GST_NAVIGATION_EVENT_TOUCH_MOTION:
    case GST_NAVIGATION_EVENT_TOUCH_UP:
      return touch(event, canvas, view, now);
    case GST_NAVIGATION_EVENT_TOUCH_CANCEL:
      fingers_.clear();
      grabbed_.reset();
      return {true, {}};
    case GST_NAVIGATION_EVENT_TOUCH_FRAME:
      return {true, {}};
    default:
      return {};
  }
}

std::optional<ViewAngles> Navigator::turn_by_inertia(const ViewAngles& view, double inertia,
                                                     double now) {
  if (!goes_on_) return std::nullopt;
  const double passed = std::max(now - measured_, 0.0);
  measured_ = now;
  if (inertia <= 0 || std::hypot(yaw_speed_, pitch_speed_) < least_speed) {
    goes_on_ = false;
    return std::nullopt;
  }
  // The angle that a speed covers which falls exponentially.
  const double left = std::exp(-passed / inertia), way = inertia * (1 - left);
  ViewAngles turned = view;
  turned.angles.yaw += yaw_speed_ * way;
  turned.angles.pitch =
      std::clamp(turned.angles.pitch + pitch_speed_ * way, -most_pitch, most_pitch);
  yaw_speed_ *= left;
  pitch_speed_ *= left;
  return turned;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/path.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

namespace {

// Degrees, and seconds. Larger numbers are refused as mistakes.
constexpr double most_yaw = 36000, most_tilt = 360, most_time = 1e6;
constexpr double least_speed = 0.05, most_speed = 20;
constexpr double most_easing = 10;

bool within(double value, double least, double most) { return value >= least && value <= most; }

Status check(const Keyframe& key) {
  if (!within(key.time, 0, most_time)) return invalid("its time must be 0 to 1000000 seconds");
  if (!within(key.angles.yaw, -most_yaw, most_yaw) || !within(key.angles.roll, -most_yaw, most_yaw))
    return invalid("its yaw and roll must be -36000 to 36000 degrees");
  if (!within(key.angles.pitch, -most_tilt, most_tilt))
    return invalid("its pitch must be -360 to 360 degrees");
  const FieldRange range = field_range(key.projection);
  if (!shows_all(key.projection) && key.fov != 0 &&
      !within(key.fov, degrees(range.smallest) - 1e-9, degrees(range.largest) + 1e-9))
    return invalid("its fov must be " + std::to_string(std::lround(degrees(range.smallest))) +
                   " to " + std::to_string(std::lround(degrees(range.largest))) + " degrees");
  if (!within(key.fov, 0, 360)) return invalid("its fov must be 0 to 360 degrees");
  if (!within(key.speed, least_speed, most_speed)) return invalid("its speed must be 0.05 to 20");
  const Easing& easing = key.easing;
  if (easing.kind == Easing::Kind::cubic && (!within(easing.x1, 0, 1) || !within(easing.x2, 0, 1) ||
                                             !within(easing.y1, -most_easing, most_easing) ||
                                             !within(easing.y2, -most_easing, most_easing)))
    return invalid("its easing must be [x1, y1, x2, y2], x from 0 to 1 and y from -10 to 10");
  return ok();
}

/// One coordinate of a cubic Bézier curve from 0 to 1.
double bezier(double a, double b, double t) {
  const double u = 1 - t;
  return 3 * u * u * t * a + 3 * u * t * t * b + t * t * t;
}

double smooth_step(double t) { return t * t * (3 - 2 * t); }

/// The slope at a point between two pieces, so that neither of them goes beyond its ends (Fritsch
/// and Butland 1984).
double even_slope(double before, double slope_before, double after, double slope_after) {
  if (slope_before * slope_after <= 0) return 0;
  const double a = 2 * after + before, b = after + 2 * before;
  return (a + b) / (a / slope_before + b / slope_after);
}

}  // namespace

double eased(const Easing& easing, double part) {
  switch (easing.kind) {
    case Easing::Kind::linear:
      return part;
    case Easing::Kind::smooth:
      return smooth_step(part);
    case Easing::Kind::hold:
      return part < 1 ? 0 : 1;
    default:
      break;
  }
  if (part <= 0) return 0;
  if (part >= 1) return 1;
  // x grows with t, because x1 and x2 are within 0 to 1.
  double low = 0, high = 1;
  for (int i = 0; i < 60 && high - low > 1e-15; ++i) {
    const double middle = (low + high) / 2;
    (bezier(easing.x1, easing.x2, middle) < part ? low : high) = middle;
  }
  return bezier(easing.y1, easing.y2, (low + high) / 2);
}

Result<ViewPath> ViewPath::make(std::vector<Keyframe> keyframes, TurnWay turn_way,
                                Horizon horizon) {
  if (keyframes.empty()) return invalid("there is no keyframe");
  if (keyframes.size() > most_keyframes)
    return invalid("there are more than " + std::to_string(most_keyframes) + " keyframes");
  if (horizon == Horizon::free && turn_way == TurnWay::as_written)
    return invalid(
        "a free horizon goes the shortest way; choose the horizon 'locked' for turns as they are "
        "written");
  for (size_t i = 0; i < keyframes.size(); ++i) {
    const std::string name = "keyframe " + std::to_string(i + 1) + ": ";
    if (const Status checked = check(keyframes[i]); !checked)
      return invalid(name + checked.error().message);
    if (i > 0 && !(keyframes[i].time > keyframes[i - 1].time))
      return invalid(name + "its time must be later than that of the keyframe before");
  }
  ViewPath path;
  path.keyframes_ = std::move(keyframes);
  path.turn_way_ = turn_way;
  path.horizon_ = horizon;
  path.prepare();
  return path;
}

void ViewPath::prepare() {
  nodes_.resize(keyframes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Keyframe& key = keyframes_[i];
    double* const value = nodes_[i].value;
    value[0] = key.angles.yaw;
    value[1] = key.angles.pitch;
    value[2] = key.angles.roll;
    value[fov_channel] = key.fov > 0 ? key.fov : degrees(field_range(key.projection).usual);
    if (i == 0 || turn_way_ == TurnWay::as_written) continue;
    for (const int channel : {0, 1, 2}) {
      const double before = nodes_[i - 1].value[channel];
      value[channel] = before + std::remainder(value[channel] - before, 360);
    }
  }
  choose_slopes();
}

bool ViewPath::zooms_after(size_t index) const {
  return keyframes_[index].projection == keyframes_[index + 1].projection;
}

void ViewPath::choose_slopes() {
  using Kind = Easing::Kind;
  for (size_t i = 1; i + 1 < nodes_.size(); ++i) {
    const Kind before = keyframes_[i - 1].easing.kind, after = keyframes_[i].easing.kind;
    if (before != Kind::smooth && after != Kind::smooth) continue;
    const double time_before = keyframes_[i].time - keyframes_[i - 1].time;
    const double time_after = keyframes_[i + 1].time - keyframes_[i].time;
    for (int channel = 0; channel < channels; ++channel) {
      if (channel == fov_channel && !(zooms_after(i - 1) && zooms_after(i))) continue;
      const auto value = [&](size_t n) { return nodes_[n].value[channel]; };
      const double slope_before = (value(i) - value(i - 1)) / time_before;
      const double slope_after = (value(i + 1) - value(i)) / time_after;
      // The other piece has a slope of its own, which is taken over. Held and curved pieces count
      // as resting.
      double slope = 0;
      if (before == Kind::smooth && after == Kind::smooth)
        slope = even_slope(time_before, slope_before, time_after, slope_after);
      else if (before == Kind::linear)
        slope = slope_before;
      else if (after == Kind::linear)
        slope = slope_after;
      nodes_[i].slope[channel] = slope;
    }
  }
}

size_t ViewPath::index_at(double time) const {
  const auto later = std::ranges::upper_bound(keyframes_, time, {}, &Keyframe::time);
  return later == keyframes_.begin() ? 0 : static_cast<size_t>(later - keyframes_.begin()) - 1;
}

double ViewPath::channel_at(size_t index, int channel, double time) const {
  const Keyframe& key = keyframes_[index];
  const Node& from = nodes_[index];
  const Node& to = nodes_[index + 1];
  const double length = keyframes_[index + 1].time - key.time;
  const double t = (time - key.time) / length;
  const double a = from.value[channel], b = to.value[channel];
  if (key.easing.kind != Easing::Kind::smooth) return a + (b - a) * eased(key.easing, t);
  // Hermite's cubic.
  const double rise = smooth_step(t), u = 1 - t;
  return a + (b - a) * rise +
         length * (from.slope[channel] * t * u * u - to.slope[channel] * t * t * u);
}

View ViewPath::at(double time) const {
  const size_t index = index_at(time);
  const Keyframe& key = keyframes_[index];
  const auto fov = [&](double value) { return shows_all(key.projection) ? 0 : value; };
  if (time <= key.time || index + 1 == keyframes_.size()) {
    const double* const value = nodes_[index].value;
    return {rotation({value[0], value[1], value[2]}), fov(value[fov_channel]), key.projection};
  }
  View view;
  view.projection = key.projection;
  view.fov = fov(zooms_after(index) ? channel_at(index, fov_channel, time)
                                    : nodes_[index].value[fov_channel]);
  if (horizon_ == Horizon::locked) {
    view.rotation = rotation(
        {channel_at(index, 0, time), channel_at(index, 1, time), channel_at(index, 2, time)});
    return view;
  }
  const double length = keyframes_[index + 1].time - key.time;
  view.rotation = matrix_of(slerp(quaternion_of(rotation(key.angles)),
                                  quaternion_of(rotation(keyframes_[index + 1].angles)),
                                  eased(key.easing, (time - key.time) / length)));
  return view;
}

double ViewPath::speed_at(double time) const { return keyframes_[index_at(time)].speed; }

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/follow_view.h"

#include <cmath>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/geometry/turn.h"

namespace sphere {

namespace {

// Seconds: what moves to and fro faster than this is smoothed out.
constexpr double window = 0.2;
constexpr double farthest = 3 * window;
// Nearer to a pole than this, there is no heading.
constexpr double least_level_part = 0.01;

/// The value at 0 of the parabola that fits best to weighted values at some times; or their mean
/// where there are too few of them. A parabola does not cut the corners of a movement, as a mean
/// does.
struct Fit {
  double s[5] = {};  ///< sums of the powers of the time
  Vec3 v[3];         ///< of the values, times powers of the time

  void add(double time, double weight, Vec3 value) {
    double power = weight;
    for (int i = 0; i < 5; ++i, power *= time) {
      s[i] += power;
      if (i < 3) v[i] = v[i] + power * value;
    }
  }

  Vec3 value() const {
    // Cramer's rule for the constant term of the normal equations.
    const double a = s[2] * s[4] - s[3] * s[3], b = s[1] * s[4] - s[2] * s[3],
                 c = s[1] * s[3] - s[2] * s[2];
    const double determinant = s[0] * a - s[1] * b + s[2] * c;
    const double scale = s[0] * s[2] * s[4];
    if (!(determinant > 1e-6 * scale)) return (1 / s[0]) * v[0];
    return (1 / determinant) * (a * v[0] - b * v[1] + c * v[2]);
  }
};

Vec3 smoothed_at(std::span<const SeenDirection> all, size_t at) {
  Fit fit;
  const auto add = [&](const SeenDirection& one) {
    const double away = one.time - all[at].time;
    fit.add(away, std::exp(-away * away / (2 * window * window)), one.direction);
  };
  for (size_t i = at; i < all.size() && all[i].time - all[at].time <= farthest; ++i) add(all[i]);
  for (size_t i = at; i-- > 0 && all[at].time - all[i].time <= farthest;) add(all[i]);
  const Vec3 value = fit.value();
  return length(value) > 0.1 ? normalised(value) : all[at].direction;
}

}  // namespace

void bridge_gap(std::span<SeenDirection> gap) {
  if (gap.size() < 3) return;
  const SeenDirection &first = gap.front(), &last = gap.back();
  const Quaternion whole = turn_between(first.direction, last.direction);
  for (SeenDirection& one : gap.subspan(1, gap.size() - 2)) {
    const double part = (one.time - first.time) / (last.time - first.time);
    one.direction = matrix_of(slerp({}, whole, part)) * first.direction;
  }
}

std::vector<SeenDirection> smoothed(std::span<const SeenDirection> all) {
  std::vector<SeenDirection> made;
  made.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) made.push_back({all[i].time, smoothed_at(all, i)});
  return made;
}

std::vector<ViewSample> follow_view(std::span<const SeenDirection> all, const ViewSample& view) {
  std::vector<ViewSample> samples;
  samples.reserve(all.size());
  double yaw = 0;
  for (const SeenDirection& one : smoothed(all)) {
    const LonLat at = lonlat_of(one.direction);
    if (std::cos(at.lat) > least_level_part)
      yaw = samples.empty() ? degrees(at.lon) : yaw + std::remainder(degrees(at.lon) - yaw, 360);
    ViewSample sample = view;
    sample.time = one.time;
    sample.angles = {yaw, degrees(at.lat), view.angles.roll};
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/orientation/track.h"

#include <algorithm>
#include <cmath>

namespace sphere {

namespace {

// If a lens's direction is nearer than this to the vertical, the heading is not calculated from it.
constexpr double least_level_part = 1e-3;
// Samples of the window. The window is smooth, therefore more of them give no visible difference.
constexpr int window_samples = 33;

double nearest_turn(double angle, double to) {
  return angle + 2 * pi * std::round((to - angle) / (2 * pi));
}

}  // namespace

double heading_of(const Quaternion& q) {
  const Vec3 front = matrix_of(q).column(2);
  if (std::hypot(front.x, front.z) < least_level_part) return 2 * std::atan2(q.y, q.w);
  return std::atan2(front.x, front.z);
}

Mat3 level_view(Level level, const Quaternion& camera_to_world, double heading) {
  if (level == Level::off) return {};
  const Mat3 to_camera = matrix_of(camera_to_world).transposed();
  if (level == Level::full) return to_camera;
  return to_camera * rotation({degrees(heading), 0, 0});
}

Result<OrientationTrack> OrientationTrack::make(
    std::span<const std::optional<Quaternion>> orientations) {
  OrientationTrack track;
  std::vector<size_t> known;
  track.entries_.resize(orientations.size());
  for (size_t n = 0; n < orientations.size(); ++n) {
    if (!orientations[n]) continue;
    track.entries_[n] = *orientations[n];
    known.push_back(n);
  }
  if (known.empty())
    return invalid("none of its " + std::to_string(orientations.size()) + " entries is a rotation");
  track.holes_ = orientations.size() - known.size();
  for (size_t n = 0; n < known.front(); ++n) track.entries_[n] = track.entries_[known.front()];
  for (size_t k = 0; k + 1 < known.size(); ++k) {
    const size_t from = known[k], to = known[k + 1];
    for (size_t n = from + 1; n < to; ++n)
      track.entries_[n] = slerp(track.entries_[from], track.entries_[to],
                                static_cast<double>(n - from) / static_cast<double>(to - from));
  }
  for (size_t n = known.back() + 1; n < orientations.size(); ++n)
    track.entries_[n] = track.entries_[known.back()];
  track.headings_.reserve(orientations.size());
  double before = 0;
  for (const Quaternion& q : track.entries_) {
    before = nearest_turn(heading_of(q), before);
    track.headings_.push_back(before);
  }
  return track;
}

Quaternion OrientationTrack::at(double index) const {
  const double last = static_cast<double>(entries_.size() - 1);
  const double inside = std::clamp(index, 0.0, last);
  const auto n = static_cast<size_t>(inside);
  if (n + 1 >= entries_.size()) return entries_.back();
  return slerp(entries_[n], entries_[n + 1], inside - static_cast<double>(n));
}

double OrientationTrack::heading_at(double index) const {
  const double last = static_cast<double>(headings_.size() - 1);
  const double inside = std::clamp(index, 0.0, last);
  const auto n = static_cast<size_t>(inside);
  if (n + 1 >= headings_.size()) return headings_.back();
  return headings_[n] + (inside - static_cast<double>(n)) * (headings_[n + 1] - headings_[n]);
}

double OrientationTrack::smooth_heading(double index, double pictures) const {
  if (!(pictures > 0)) return heading_of(at(index));
  double sum = 0, weights = 0;
  for (int k = -window_samples; k <= window_samples; ++k) {
    const double part = static_cast<double>(k) / (window_samples + 1);
    const double weight = 0.5 * (1 + std::cos(pi * part));
    sum += weight * heading_at(index + part * pictures);
    weights += weight;
  }
  return sum / weights;
}

}  // namespace sphere

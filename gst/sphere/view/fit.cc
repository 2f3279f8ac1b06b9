// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/fit.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace sphere {

namespace {

Keyframe keyframe_of(const ViewSample& sample) {
  Keyframe key;
  key.time = sample.time;
  key.angles = sample.angles;
  key.projection = sample.projection;
  key.speed = sample.speed;
  if (!shows_all(sample.projection)) key.fov = sample.fov;
  return key;
}

/// How far a view is from what was looked at, degrees.
double distance(const View& view, const ViewSample& sample) {
  const Mat3 looked = rotation(sample.angles);
  double most = 0;
  for (const int axis : {0, 2})
    most = std::max(most, degrees(angle_between(view.rotation.column(axis), looked.column(axis))));
  if (shows_all(sample.projection)) return most;
  const double fov = sample.fov > 0 ? sample.fov : degrees(field_range(sample.projection).usual);
  return std::max(most, std::abs(view.fov - fov));
}

std::vector<ViewSample> without_repetition(const std::vector<ViewSample>& samples) {
  std::vector<ViewSample> kept;
  for (const ViewSample& sample : samples) {
    if (!kept.empty() && sample.time <= kept.back().time)
      kept.back() = {kept.back().time, sample.angles, sample.fov, sample.projection, sample.speed};
    else
      kept.push_back(sample);
  }
  return kept;
}

}  // namespace

Result<ViewPath> fit_view_path(const std::vector<ViewSample>& all, double tolerance) {
  const std::vector<ViewSample> samples = without_repetition(all);
  if (samples.empty()) return invalid("nothing was recorded");
  // Indices of samples that are keyframes: at first the ends, both sides of a new projection, and
  // where the speed changes.
  std::set<size_t> chosen = {0, samples.size() - 1};
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].projection != samples[i - 1].projection) chosen.insert(i - 1);
    if (samples[i].projection != samples[i - 1].projection ||
        samples[i].speed != samples[i - 1].speed)
      chosen.insert(i);
  }
  for (;;) {
    std::vector<Keyframe> keyframes;
    for (const size_t index : chosen) keyframes.push_back(keyframe_of(samples[index]));
    Result<ViewPath> path = ViewPath::make(std::move(keyframes), TurnWay::as_written);
    if (!path) return path;
    // In each gap that is not good enough, the worst sample becomes a keyframe.
    std::vector<size_t> more;
    for (auto from = chosen.begin(); std::next(from) != chosen.end(); ++from) {
      double worst = tolerance;
      size_t worst_at = 0;
      for (size_t i = *from + 1; i < *std::next(from); ++i)
        if (const double off = distance(path->at(samples[i].time), samples[i]); off > worst) {
          worst = off;
          worst_at = i;
        }
      if (worst_at > 0) more.push_back(worst_at);
    }
    if (more.empty() || chosen.size() + more.size() > ViewPath::most_keyframes) return path;
    chosen.insert(more.begin(), more.end());
  }
}

}  // namespace sphere

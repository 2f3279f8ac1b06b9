// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/turned_path.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gst/sphere/view/fit.h"

namespace sphere {

namespace {

constexpr double tolerance = 0.1;     ///< degrees
constexpr double step = 1.0 / 30;     ///< seconds
constexpr double just_before = 1e-4;  ///< seconds, of a jump
// A longer video has its samples further apart.
constexpr double most_samples = 500'000;

}  // namespace

Result<ViewPath> turned_path(const ViewPath& path, double end,
                             const std::function<Mat3(double)>& turn) {
  const std::vector<Keyframe>& keys = path.keyframes();
  const double last = std::max(end, keys.back().time);
  const double apart = std::max(step, last / most_samples);
  std::vector<double> times;
  for (double n = 0; n * apart < last; ++n) times.push_back(n * apart);
  times.push_back(last);
  for (size_t i = 0; i < keys.size(); ++i) {
    times.push_back(keys[i].time);
    const bool jumps = i > 0 && (keys[i - 1].easing.kind == Easing::Kind::hold ||
                                 keys[i - 1].projection != keys[i].projection);
    if (!jumps || !(keys[i].time > just_before)) continue;
    times.push_back(keys[i].time - just_before);
    // A curve through keyframes bends most behind a jump.
    for (double after = apart / 2; after > just_before; after /= 2)
      times.push_back(keys[i].time + after);
  }
  std::ranges::sort(times);

  std::vector<ViewSample> samples;
  Angles before;
  for (const double time : times) {
    const View view = path.at(time);
    Angles angles = angles_of(turn(time) * view.rotation);
    if (!samples.empty()) {
      angles.yaw = before.yaw + std::remainder(angles.yaw - before.yaw, 360);
      angles.roll = before.roll + std::remainder(angles.roll - before.roll, 360);
    }
    before = angles;
    samples.push_back({time, angles, view.fov, view.projection, path.speed_at(time)});
  }
  return fit_view_path(samples, tolerance);
}

}  // namespace sphere

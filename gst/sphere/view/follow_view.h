// SPDX-License-Identifier: LGPL-2.1-or-later
// The view that keeps something in the middle which was found picture by picture.

#pragma once

#include <span>
#include <vector>

#include "gst/sphere/view/fit.h"

namespace sphere {

struct SeenDirection {
  double time = 0;  ///< seconds
  Vec3 direction;   ///< of length 1
};

/// Fills a gap in which nothing was seen: all directions between the first and the last one lie on
/// the shortest way, at a constant speed.
void bridge_gap(std::span<SeenDirection> gap);

/// The same directions without the trembling of single measurements. `all` is in the order of the
/// times.
std::vector<SeenDirection> smoothed(std::span<const SeenDirection> all);

/// One sample of the view for each direction, smoothed. The yaw goes on counting beyond half a
/// turn, and the horizon stays level. `view` has the field of view, the projection and the roll.
std::vector<ViewSample> follow_view(std::span<const SeenDirection> all, const ViewSample& view);

}  // namespace sphere

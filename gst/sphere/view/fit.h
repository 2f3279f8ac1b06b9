// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyframes from what somebody looked at: few of them, with smooth easing between.

#pragma once

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// Where somebody looked at one moment. The yaw goes on counting beyond half a turn.
struct ViewSample {
  double time = 0;  ///< seconds
  Angles angles;    ///< degrees
  double fov = 0;   ///< degrees; 0: as the projection usually has it
  Projection projection = Projection::perspective;
  double speed = 1;  ///< of the film from here on
};

/// Keyframes whose view is nowhere further than `tolerance` degrees from the samples, in direction
/// and in the field of view. Samples must be in the order of their times; a sample of the same time
/// as the one before replaces it. An error: there are none, or a value is out of range.
Result<ViewPath> fit_view_path(const std::vector<ViewSample>& samples, double tolerance);

}  // namespace sphere

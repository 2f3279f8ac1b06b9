// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds starts of a calibration for unknown lenses.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate_match.h"

namespace sphere {

struct CalibrationStart {
  LensPair pair;         ///< in the frame of the pictures
  double agreement = 0;  ///< correlation of both lenses around the seam, -1 to 1
};

/// Finds pairs of ideal lenses which show the same around the seam: at most `most`, the best first.
/// These are varied: the image circles (detected ones, and circles that fill the halves), the
/// radius at which 90 degrees are drawn, and the rotation of one lens relative to the other. The
/// seam does not tell the orientation of the whole camera. It is taken to be upright, unless the
/// aspect ratio of the frame is not 2:1 and the light comes from a side.
std::vector<CalibrationStart> find_starts(const std::vector<GreyPicture>& pictures, size_t most);

}  // namespace sphere

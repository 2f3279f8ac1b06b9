// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a calibration can start from when nothing is known of the lenses.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate_match.h"

namespace sphere {

struct CalibrationStart {
  LensPair pair;         ///< in the frame of the pictures
  double agreement = 0;  ///< correlation of what both lenses show round the seam, -1 to 1
};

/// Pairs of ideal lenses that bring together what both show round the seam, the best first, at most
/// so many. Searched over: the image circles as they are seen and as they fill the halves, the
/// radius at which 90 degrees are drawn, and the turn of one lens against the other. How the whole
/// camera was turned is not seen at the seam: upright, unless the frame is of another shape than
/// 2:1 and its light comes from a side.
std::vector<CalibrationStart> find_starts(const std::vector<GreyPicture>& pictures, size_t most);

}  // namespace sphere

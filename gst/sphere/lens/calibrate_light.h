// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds how lenses darken towards their rims, from pictures of any scene.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate_match.h"

namespace sphere {

struct LightFinding {
  Vignette vignette;  ///< of both lenses
  /// Whether the overlap had enough to measure. If not, the vignette is a careful guess.
  bool measured = false;
};

/// Estimates the fall-off that both lenses share, from what both show around the seam and from how
/// the brightness changes from the axes to the rims. The pair must be right in its geometry; its
/// own fall-off is ignored. docs/calibrate.md has the method.
LightFinding find_light(const std::vector<GreyPicture>& pictures, const LensPair& pair);

}  // namespace sphere

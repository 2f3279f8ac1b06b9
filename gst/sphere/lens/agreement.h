// SPDX-License-Identifier: LGPL-2.1-or-later
// From which agreement at the seam on found lenses are believed.

#pragma once

#include <algorithm>

#include "gst/sphere/lens/calibrate.h"

namespace sphere {

/// Lenses whose overlap_correlation() is below this may be wrong. The narrower the overlap is, the
/// more often wrong lenses agree by chance: of drawn pairs with less than 4 degrees of it on each
/// side of the seam, wrong ones reached 0.93.
inline double least_agreement(const LensPair& pair) {
  constexpr double narrow = radians(3), wide = radians(5);
  constexpr double of_narrow = 0.95, of_wide = 0.85;
  const double overlap = std::min(pair.front.half_fov(), pair.back.half_fov()) - pi / 2;
  const double part = std::clamp((overlap - narrow) / (wide - narrow), 0.0, 1.0);
  return of_narrow + part * (of_wide - of_narrow);
}

/// Of drawn pairs, right lenses are measured with errors of up to so many degrees at the seam; in
/// photos, near things add to it.
constexpr double most_error_of_right_lenses = 0.18;

/// Whether the lenses that were found may be wrong.
inline bool is_doubtful(const Calibration& found, double most_error = most_error_of_right_lenses) {
  constexpr double least_correlation = 0.85;
  return found.error.degrees > most_error || found.correlation < least_correlation;
}

}  // namespace sphere

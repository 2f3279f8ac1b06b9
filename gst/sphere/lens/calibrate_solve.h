// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the lenses with which all matches agree best. Only this part needs Ceres.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate_match.h"

namespace sphere {

struct SolveOptions {
  /// The matches cover the whole field of the lenses, not only the overlap. If false, radial terms
  /// are not changed.
  bool whole_field = false;
  double scale = 1;  ///< pixels; matches with a larger error have less weight
  LensPair start;    ///< gives the values that the matches don't determine
};

/// Changes the lenses of the pair, which must be Kannala-Brandt ones, and all views except the
/// first. Does not change the radius of the image circle and the mean orientation of both lenses.
Status solve_geometry(const std::vector<Match>& matches, const SolveOptions& options,
                      LensPair& pair, std::vector<Mat3>& views);

/// Whether refine_overlap() may bend the curve of a lens, within narrow limits. This is for a pair
/// that is nearly right.
enum class Curve { held, bent };

/// Changes scale, centres and the rotation between the lenses, to minimise the difference of their
/// pictures in the overlap. The pair must be nearly right before.
Status refine_overlap(const std::vector<Pyramid>& pictures, int level, const LensPair& start,
                      Curve curve, LensPair& pair);

/// Estimates the fall-off and the gain of the lenses from the brightness of matches.
void solve_light(const std::vector<Match>& matches, bool whole_field, size_t pictures,
                 LensPair& pair);

}  // namespace sphere

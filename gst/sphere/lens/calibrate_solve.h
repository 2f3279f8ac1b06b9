// SPDX-License-Identifier: LGPL-2.1-or-later
// The lenses with which all matches agree best. The only part that needs Ceres.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate_match.h"

namespace sphere {

struct SolveOptions {
  /// The matches cover the lenses, not only the overlap; else radial terms stay.
  bool whole_field = false;
  double scale = 1;  ///< pixels; matches further off count less
  LensPair start;    ///< where what the matches don't tell stays
};

/// Moves the lenses of the pair, Kannala-Brandt ones, and all views but the first. The radius of
/// the image circle and the mean orientation of both lenses stay.
Status solve_geometry(const std::vector<Match>& matches, const SolveOptions& options,
                      LensPair& pair, std::vector<Mat3>& views);

/// Moves the lenses so that their pictures of the overlap come as near as can be: scale, centres
/// and the turn between them, from a pair that is nearly right.
Status refine_overlap(const std::vector<Pyramid>& pictures, int level, const LensPair& start,
                      LensPair& pair);

/// Fall-off and gain of the lenses from how bright both showed the same things.
void solve_light(const std::vector<Match>& matches, bool whole_field, size_t pictures,
                 LensPair& pair);

}  // namespace sphere

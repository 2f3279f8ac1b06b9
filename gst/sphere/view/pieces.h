// SPDX-License-Identifier: LGPL-2.1-or-later
// Views along time as straight pieces: the form between keyframes of this project and those of
// other programs, whose curves are others.

#pragma once

#include <functional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// From a time to another one, each value changes evenly. The next piece begins where this one
/// ends, but its values may be others.
struct ViewPiece {
  double begin = 0, end = 0;  ///< seconds
  ViewValues from{}, to{};
  bool operator==(const ViewPiece&) const = default;
};

/// Adds pieces that are nowhere further than `tolerance` degrees from a curve, between two times.
/// `at` is asked for times within them only. No piece is shorter than `shortest` seconds.
void add_pieces(double begin, double end, const std::function<ViewValues(double)>& at,
                double tolerance, double shortest, std::vector<ViewPiece>* pieces);

/// A path as pieces. An error: it has projections of which other programs know nothing.
Result<std::vector<ViewPiece>> pieces_of(const ViewPath& path, double tolerance, double shortest);

/// Keyframes that show the same as pieces, as few as that needs: pieces that go on straight become
/// one. Where values jump, they are held.
Result<ViewPath> path_of(const std::vector<ViewPiece>& pieces, double tolerance);

}  // namespace sphere

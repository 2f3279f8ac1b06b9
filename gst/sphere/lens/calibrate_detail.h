// SPDX-License-Identifier: LGPL-2.1-or-later
// How well the details of both lenses' pictures agree at the seam, and how sure the lenses are.

#pragma once

#include <vector>

#include "gst/sphere/lens/calibrate.h"

namespace sphere {

/// The radius of the image circle, in pixels, up to which pictures are compared by their details:
/// small enough that lenses that are nearly right agree, too.
constexpr double detail_radius = 220;

/// Makes the values of a closed line around an axis comparable: subtracts the mean of the
/// surroundings, because a sky above and a ground below agree nearly everywhere, and limits what is
/// left, because a few bright things would decide alone. Values that are not `seen` become 0.
void flatten(std::vector<float>& line, const std::vector<bool>& seen);

/// Copies of the pictures, in which an image circle of this radius has at most `detail_radius`.
std::vector<GreyPicture> detail_pictures(const std::vector<GreyPicture>& pictures, double radius);

/// Correlation of the flattened pictures of both lenses within 2.5 degrees of the seam, all around,
/// -1 to 1. Wrong lenses reach less of it than of overlap_correlation(), because the brightness of
/// large areas does not count. `picture` may be a smaller copy of the frame.
double detail_agreement(const GreyPicture& picture, const LensPair& pair);

/// Measures the error with a search for the details of each sector of the seam in the other lens's
/// picture. Along the seam, right lenses show everything in the same place. Across it near things
/// are shifted, because the lenses are not in one place; there only that counts which changes
/// smoothly around the seam, as an error of the lenses does. If most of the details are not found,
/// the error is `most_error`.
SeamError measure_error(const std::vector<GreyPicture>& pictures, const LensPair& pair);

constexpr double most_error = 2;  // degrees

}  // namespace sphere

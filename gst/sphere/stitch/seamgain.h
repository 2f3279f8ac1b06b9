// SPDX-License-Identifier: LGPL-2.1-or-later
// The difference between the two lenses in light and colour, around the seam.

#pragma once

#include <array>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// Front lens compared to back lens, for each direction around the seam. Y'CbCr: the logarithm of
/// the ratio of luma, and the differences of Cb and Cr after luma was made equal. RGB: the
/// logarithms of the three ratios.
struct SeamLight {
  static constexpr int bins = 128;
  std::array<std::array<float, bins>, 3> component{};
};

/// Measures it in a strip. The disparity (rows, with one value for each of any number of columns;
/// may be empty) tells which samples show the same object. Samples that are clipped or black in a
/// lens, and outliers, have little or no weight.
SeamLight measure_light(const StripPicture& strip, const std::vector<float>& disparity);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// How unequal the two lenses are in light and colour, around the seam.

#pragma once

#include <array>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// For each direction around the seam, what the front lens draws against the back lens. Y'CbCr: the
/// logarithm of the ratio of luma, and the differences of Cb and Cr after luma was made equal. RGB:
/// the logarithms of the three ratios.
struct SeamLight {
  static constexpr int bins = 128;
  std::array<std::array<float, bins>, 3> component{};
};

/// Measures it in strips, where the disparity (rows, a value for each of any count of columns; may
/// be empty) says what is the same thing. What is clipped or black in either lens, or stands out
/// from its neighbours, counts little or not at all.
SeamLight measure_light(const StripPicture& strip, const std::vector<float>& disparity);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Classifies a decoded picture by its pixels: two fisheyes in one frame, a 360 picture that is
// stitched already, or an ordinary picture.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sphere::media {

/// The brightness of a picture; the caller owns the data. The sample of column x and row y is
/// data[y * stride + x * step].
struct Brightness {
  const uint8_t* data = nullptr;
  ptrdiff_t stride = 0;
  int step = 1;
  int width = 0, height = 0;
};

enum class PictureKind {
  unclear,       ///< too dark, too uniform or too small, or between the others
  two_fisheyes,  ///< dark corners around two image circles
  sphere,  ///< equirectangular: the left and the right edge fit together, the poles are uniform
  flat,    ///< neither; an ordinary picture
};

/// Reads some ten thousand samples; the number does not depend on the size of the picture.
PictureKind classify_picture(const Brightness& picture);

}  // namespace sphere::media

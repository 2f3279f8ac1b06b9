// SPDX-License-Identifier: LGPL-2.1-or-later
// What a decoded picture shows, judged by its pixels alone: two fisheyes in one frame, a 360
// picture that is stitched already, or an ordinary picture.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sphere::media {

/// The brightness of a picture; borrowed. The sample of column x and row y is
/// data[y * stride + x * step].
struct Brightness {
  const uint8_t* data = nullptr;
  ptrdiff_t stride = 0;
  int step = 1;
  int width = 0, height = 0;
};

enum class PictureKind {
  unclear,       ///< too dark, too even or too small to tell, or something between the others
  two_fisheyes,  ///< dark corners around two image circles
  sphere,        ///< equirectangular: its left edge continues at its right edge, each pole is even
  flat,          ///< neither; as ordinary cameras make them
};

/// Looks at some ten thousand samples, whatever the size of the picture.
PictureKind classify_picture(const Brightness& picture);

}  // namespace sphere::media

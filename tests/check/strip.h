// SPDX-License-Identifier: LGPL-2.1-or-later
// The strip around the seam, of pictures as brightness alone.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"
#include "gst/sphere/warp/warp.h"

namespace sphere::test {

/// What both lenses of a picture show in the strip.
inline std::vector<uint8_t> draw_strip(const SeamStrip& strip, const std::vector<uint8_t>& pixels,
                                       Size size) {
  std::vector<uint8_t> drawn(static_cast<size_t>(SeamStrip::size.width) * SeamStrip::size.height);
  WarpPlane plane;
  plane.source = pixels.data();
  plane.source_stride = size.width;
  plane.source_size = size;
  plane.target = drawn.data();
  plane.target_stride = SeamStrip::size.width;
  plane.target_size = SeamStrip::size;
  warp_rows(strip.grid(), plane, 0, SeamStrip::size.height);
  return drawn;
}

/// The strip with its luma in the place of each component.
inline StripPicture grey_strip(const std::vector<uint8_t>& luma) {
  StripPicture picture;
  for (StripPicture::Component& c : picture.component)
    c = {luma.data(), SeamStrip::size.width, 1, 1, 1};
  return picture;
}

}  // namespace sphere::test

// SPDX-License-Identifier: LGPL-2.1-or-later
// The brightness of a 360 picture, for what looks for something in it.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/geometry/equirect.h"

namespace sphere {

/// Equirectangular, row by row without gaps.
struct SpherePicture {
  /// Wider pictures can't be drawn from.
  static constexpr int most_width = 32767;

  Size size;
  std::vector<uint8_t> pixels;

  bool is_complete() const {
    return size.width > 0 && size.height > 0 && size.width <= most_width &&
           size.height <= most_width &&
           pixels.size() == static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
  }
};

}  // namespace sphere

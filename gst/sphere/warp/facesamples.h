// SPDX-License-Identifier: LGPL-2.1-or-later
// The samples of a plane from which a face of a cube may be drawn.

#pragma once

#include <algorithm>

#include "gst/sphere/geometry/cube.h"

namespace sphere {

/// Columns and rows of samples, both ends included.
struct FaceSamples {
  int left = 0, top = 0, right = 0, bottom = 0;
};

/// The samples that show nothing but this face, each of `step_x` by `step_y` pixels, in a plane
/// with so many of them. At least one, also of a copy that is smaller than the face's edges are
/// thick.
inline FaceSamples face_samples(const CubeLayout& cube, int face, int step_x, int step_y,
                                Size plane) {
  const Region pixels = cube.pixels(face);
  const auto first = [](double pixel, int step, int count) {
    return std::clamp((static_cast<int>(pixel) + step - 1) / step, 0, count - 1);
  };
  const auto last = [](double pixel, int step, int picture, int count) {
    // If the face ends at the picture's edge, the limit is the last sample, also for odd sizes.
    return pixel >= picture ? count - 1
                            : std::clamp(static_cast<int>(pixel) / step - 1, 0, count - 1);
  };
  FaceSamples s;
  s.left = first(pixels.left, step_x, plane.width);
  s.top = first(pixels.top, step_y, plane.height);
  s.right = std::max(last(pixels.right, step_x, cube.size().width, plane.width), s.left);
  s.bottom = std::max(last(pixels.bottom, step_y, cube.size().height, plane.height), s.top);
  return s;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Measured differences between a lens and its model, over its picture.

#pragma once

#include <algorithm>
#include <vector>

#include "gst/sphere/geometry/equirect.h"

namespace sphere {

/// The displacement of a lens's points from those of its model, on a grid over the points of the
/// model. Interpolated linearly between nodes, constant beyond the edges. All values are in pixels
/// of the frame.
struct Correction {
  int columns = 0, rows = 0;
  double left = 0, top = 0;             ///< the first node
  double step_x = 1, step_y = 1;        ///< from node to node
  std::vector<float> shift_x, shift_y;  ///< row by row

  Point at(Point p) const {
    const float x = std::clamp(static_cast<float>((p.x - left) / step_x), 0.0f,
                               static_cast<float>(columns) - 1.001f);
    const float y = std::clamp(static_cast<float>((p.y - top) / step_y), 0.0f,
                               static_cast<float>(rows) - 1.001f);
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const float fx = x - static_cast<float>(i), fy = y - static_cast<float>(j);
    const size_t n = static_cast<size_t>(j) * columns + i;
    const auto mix = [&](const std::vector<float>& v) {
      const float above = v[n] + fx * (v[n + 1] - v[n]);
      const float below = v[n + columns] + fx * (v[n + columns + 1] - v[n + columns]);
      return above + fy * (below - above);
    };
    return {mix(shift_x), mix(shift_y)};
  }

  /// The same correction for a picture of another size.
  Correction scaled(double x, double y) const {
    Correction c = *this;
    c.left *= x;
    c.step_x *= x;
    c.top *= y;
    c.step_y *= y;
    for (float& v : c.shift_x) v *= static_cast<float>(x);
    for (float& v : c.shift_y) v *= static_cast<float>(y);
    return c;
  }
};

}  // namespace sphere

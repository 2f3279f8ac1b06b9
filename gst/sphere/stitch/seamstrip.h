// SPDX-License-Identifier: LGPL-2.1-or-later
// What both lenses show around the seam, as one small picture: a grid draws it, the same way as the
// sphere, and from it the seam is matched.

#pragma once

#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/plan.h"

namespace sphere {

/// Places around the seam: a circle of the sphere, its azimuth, and the height above it, towards
/// the front lens.
struct SeamAxes {
  Vec3 axis, across, along;  ///< camera axes: the front, and two in the plane of the seam
  double middle = 0;         ///< height of the seam, radians

  explicit SeamAxes(const Planner& planner);
  /// The direction at an azimuth and a height above the seam, radians.
  Vec3 direction(double azimuth, double height) const;
};

/// Calls use(node, azimuth, height) for each node of a patch that is no farther than `reach` from
/// the seam: turns, 0 to 1, and radians.
template <typename Use>
void for_nodes_around(const SeamAxes& axes, double reach, const Mat3& view,
                      const GridBuilder::Directions& directions, const Use& use) {
  const Mat3 to_seam = Mat3{{axes.axis, axes.across, axes.along}} * view;
  const auto sine = [&](double height) {
    return static_cast<float>(std::sin(std::clamp(height, -pi / 2, pi / 2)));
  };
  const float lowest = sine(axes.middle - reach), highest = sine(axes.middle + reach);
  const auto row_of = [&](int r) {
    const Vec3 v = to_seam.row[r];
    return std::array<float, 3>{static_cast<float>(v.x), static_cast<float>(v.y),
                                static_cast<float>(v.z)};
  };
  const std::array<float, 3> up = row_of(0), right = row_of(1), on = row_of(2);
  for (int r = 0; r <= directions.rows; ++r)
    for (int c = 0; c <= directions.columns; ++c) {
      const size_t n = directions.at(c, r);
      const auto along = [&](const std::array<float, 3>& m) {
        return m[0] * directions.x[n] + m[1] * directions.y[n] + m[2] * directions.z[n];
      };
      const float above = along(up);
      if (above < lowest || above > highest) continue;
      const float turns = std::atan2(along(on), along(right)) * static_cast<float>(0.5 / pi);
      use(static_cast<uint32_t>(r * (directions.columns + 1) + c), turns < 0 ? turns + 1 : turns,
          std::asin(std::clamp(above, -1.0f, 1.0f)) - static_cast<float>(axes.middle));
    }
}

/// A strip: azimuth from left to right, once round; height from top to bottom, first as the front
/// lens shows it and below that, the same again, as the back lens does.
class SeamStrip {
 public:
  /// Of the strip that the seam is measured in: samples around, and across the seam a lens.
  static constexpr int columns = 2048, rows = 80;
  static constexpr Size size = {columns, 2 * rows};

  /// The strip that the seam is measured in; empty where too little is seen by both lenses.
  explicit SeamStrip(const Planner& planner);
  /// One that reaches up to `half` above and below the seam, from smaller copies of the source
  /// where it is that much coarser. Its columns are a multiple of two cells, its rows of one.
  SeamStrip(const Planner& planner, double half, int columns, int rows, int cell);

  const SeamAxes& axes() const { return axes_; }
  const WarpGrid& grid() const { return grid_; }
  WarpGrid& grid() { return grid_; }
  /// Height from the seam to the strip's edge, radians; 0 where it is empty.
  double half() const { return half_; }
  /// Height of a row.
  double row_height() const { return 4 * half_ / grid_.output.height; }
  /// Where a node of the grid is, turns, and radians as one of the lenses has it. Nodes of the
  /// other lens's half are at the nearest row of this one's.
  double azimuth(int column) const { return static_cast<double>(column) / grid_.columns; }
  double height(int lens, int row) const;

 private:
  void set_size(int columns, int rows, int cell);
  void draw(const Planner& planner);

  SeamAxes axes_;
  double half_ = 0;
  WarpGrid grid_;
};

/// A strip that was drawn: samples of three components, Y'CbCr or RGB.
struct StripPicture {
  struct Component {
    const uint8_t* data = nullptr;
    ptrdiff_t stride = 0;
    int pixel = 1;  ///< bytes from one sample to the next
    int step_x = 1, step_y = 1;
    int drop = -1;  ///< bits below the upper eight of a sample in two bytes; -1: it is in one
    /// Sample i stands at phase + step * i, in pixels.
    double phase_x = 0.5, phase_y = 0.5;
    uint8_t at(int x, int y) const {
      const uint8_t* const p =
          data + (y / step_y) * stride + static_cast<ptrdiff_t>(x / step_x) * pixel;
      return drop < 0 ? *p : static_cast<uint8_t>((p[0] | p[1] << 8) >> drop);
    }
  } component[3];
  bool rgb = false;
  uint8_t black = 16, white = 235;  ///< of luma, or of R, G and B
};

/// A strip in a mapped frame, which must stay mapped.
StripPicture strip_picture(const GstVideoFrame& frame);

}  // namespace sphere

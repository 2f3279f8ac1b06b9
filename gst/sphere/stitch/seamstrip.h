// SPDX-License-Identifier: LGPL-2.1-or-later
// A small picture of what both lenses show around the seam. It is drawn by a grid, as the output
// is, and the seam is matched with it.

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

/// Coordinates around the seam, which is a circle on the sphere: the azimuth on the circle, and the
/// height above it, towards the front lens.
struct SeamAxes {
  Vec3 axis, across, along;  ///< camera axes: the front, and two in the plane of the seam
  double middle = 0;         ///< height of the seam, radians

  explicit SeamAxes(const Planner& planner);
  /// The direction at an azimuth and a height above the seam, radians.
  Vec3 direction(double azimuth, double height) const;
};

/// Calls use(node, azimuth, height) for each node of a patch that is no farther than `reach` from
/// the seam: the azimuth is in turns, 0 to 1, and the height in radians.
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

/// The strip has the azimuth from left to right, one full turn, and the height from top to bottom.
/// The upper half is what the front lens shows, the lower half is the same directions as the back
/// lens shows them.
class SeamStrip {
 public:
  /// Size of the strip in which the seam is measured: samples around the seam, and samples of one
  /// lens across it.
  static constexpr int columns = 2048, rows = 80;
  static constexpr Size size = {columns, 2 * rows};

  /// The strip in which the seam is measured; empty if the overlap of the lenses is too narrow.
  explicit SeamStrip(const Planner& planner);
  /// A strip from `half` below to `half` above the seam, radians. Where it is coarser than the
  /// source, it is drawn from smaller copies of the source. Its columns are a multiple of two
  /// cells, its rows of one.
  SeamStrip(const Planner& planner, double half, int columns, int rows, int cell);

  const SeamAxes& axes() const { return axes_; }
  const WarpGrid& grid() const { return grid_; }
  WarpGrid& grid() { return grid_; }
  /// Height from the seam to the strip's edge, radians; 0 where it is empty.
  double half() const { return half_; }
  /// Height of a row.
  double row_height() const { return 4 * half_ / grid_.output.height; }
  /// The azimuth of a node, in turns, and its height for one of the lenses, in radians. A node in
  /// the other lens's half counts as one on the nearest row of this lens's half.
  double azimuth(int column) const { return static_cast<double>(column) / grid_.columns; }
  double height(int lens, int row) const;

 private:
  void set_size(int columns, int rows, int cell);
  void draw(const Planner& planner);

  SeamAxes axes_;
  double half_ = 0;
  WarpGrid grid_;
};

/// The samples of a strip that was drawn: three components, Y'CbCr or RGB.
struct StripPicture {
  struct Component {
    const uint8_t* data = nullptr;
    ptrdiff_t stride = 0;
    int pixel = 1;  ///< bytes from one sample to the next
    int step_x = 1, step_y = 1;
    int drop = -1;  ///< bits below the upper eight of two bytes; -1: samples have one byte
    /// The position of sample i is phase + step * i, in pixels.
    double phase_x = 0.5, phase_y = 0.5;
    uint8_t at(int x, int y) const {
      const uint8_t* const p =
          data + (y / step_y) * stride + static_cast<ptrdiff_t>(x / step_x) * pixel;
      return drop < 0 ? *p : static_cast<uint8_t>((p[0] | p[1] << 8) >> drop);
    }
  } component[3];
  bool rgb = false;
  uint8_t black = 16, white = 235;  ///< of luma, or of R, G and B; steps of 8 bits
};

/// The strip in a mapped frame; valid only while the frame is mapped.
StripPicture strip_picture(const GstVideoFrame& frame);

}  // namespace sphere

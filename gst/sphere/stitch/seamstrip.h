// SPDX-License-Identifier: LGPL-2.1-or-later
// What both lenses show around the seam, as one small picture: a plan draws it, the same way as the
// sphere, and from it the seam is matched.

#pragma once

#include <cstddef>
#include <cstdint>

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

/// The strip: azimuth from left to right, once round; height from top to bottom, first as the front
/// lens shows it and below that, the same again, as the back lens does.
class SeamStrip {
 public:
  static constexpr int columns = 2048, rows = 80;
  static constexpr Size size = {columns, 2 * rows};

  explicit SeamStrip(const Planner& planner);

  const SeamAxes& axes() const { return axes_; }
  const Plan& plan() const { return plan_; }
  /// Height from the seam to the strip's edge, radians; 0 where too little is seen by both lenses.
  double half() const { return half_; }
  /// Height of a row.
  double row_height() const { return 2 * half_ / rows; }

 private:
  SeamAxes axes_;
  double half_ = 0;
  Plan plan_;
};

/// A strip that was drawn: samples of three components, Y'CbCr or RGB.
struct StripPicture {
  struct Component {
    const uint8_t* data = nullptr;
    ptrdiff_t stride = 0;
    int pixel = 1;  ///< bytes from one sample to the next
    int step_x = 1, step_y = 1;
    int drop = -1;  ///< bits below the upper eight of a sample in two bytes; -1: it is in one
    uint8_t at(int x, int y) const {
      const uint8_t* const p =
          data + (y / step_y) * stride + static_cast<ptrdiff_t>(x / step_x) * pixel;
      return drop < 0 ? *p : static_cast<uint8_t>((p[0] | p[1] << 8) >> drop);
    }
  } component[3];
  bool rgb = false;
  uint8_t black = 16, white = 235;  ///< of luma, or of R, G and B
};

}  // namespace sphere

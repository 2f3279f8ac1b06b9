// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/vec.h"

namespace sphere {

Mat3 rotation(const Angles& angles) {
  const double yaw = radians(angles.yaw);
  const double pitch = radians(angles.pitch);
  const double roll = radians(angles.roll);
  const double cy = std::cos(yaw), sy = std::sin(yaw);
  const double cp = std::cos(pitch), sp = std::sin(pitch);
  const double cr = std::cos(roll), sr = std::sin(roll);
  const Mat3 about_y = {{{cy, 0, sy}, {0, 1, 0}, {-sy, 0, cy}}};
  const Mat3 about_x = {{{1, 0, 0}, {0, cp, -sp}, {0, sp, cp}}};
  const Mat3 about_z = {{{cr, -sr, 0}, {sr, cr, 0}, {0, 0, 1}}};
  return about_y * about_x * about_z;
}

// Straight up and down, where the yaw and the roll turn about the same axis, the roll is not told.
Angles angles_of(const Mat3& r) {
  return {degrees(std::atan2(r.row[0].z, r.row[2].z)),
          degrees(std::atan2(-r.row[1].z, std::hypot(r.row[1].x, r.row[1].y))),
          degrees(std::atan2(r.row[1].x, r.row[1].y))};
}

}  // namespace sphere

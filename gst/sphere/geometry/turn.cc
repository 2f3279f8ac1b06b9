// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/turn.h"

#include <cmath>

namespace sphere {

Quaternion turn_between(Vec3 from, Vec3 to) {
  const double part = 1 + dot(from, to);
  // Opposite directions: half a turn about any axis across them.
  if (part < 1e-12) {
    const Vec3 other = std::abs(from.x) < 0.7 ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
    const Vec3 axis = normalised(cross(from, other));
    return {0, axis.x, axis.y, axis.z};
  }
  const Vec3 axis = cross(from, to);
  return normalised({part, axis.x, axis.y, axis.z});
}

}  // namespace sphere

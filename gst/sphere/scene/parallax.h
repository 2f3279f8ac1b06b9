// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a thing at a distance stands for an eye that is off the middle.

#pragma once

#include <cmath>

#include "gst/sphere/scene/scene.h"

namespace sphere {

/// The direction, from the middle, of what an eye sees in a direction on a sphere around the
/// middle. The sphere is larger than the eye's way off it.
inline Ray from_middle(Ray direction, Ray eye, double distance) {
  const double dx = direction.x, dy = direction.y, dz = direction.z;
  const double size = std::sqrt(dx * dx + dy * dy + dz * dz);
  const double along = (eye.x * dx + eye.y * dy + eye.z * dz) / size;
  const double square = static_cast<double>(eye.x) * eye.x + eye.y * eye.y + eye.z * eye.z;
  const double t =
      (std::sqrt(along * along - square + distance * distance) - along) / size / distance;
  return {static_cast<float>(eye.x / distance + dx * t),
          static_cast<float>(eye.y / distance + dy * t),
          static_cast<float>(eye.z / distance + dz * t)};
}

}  // namespace sphere

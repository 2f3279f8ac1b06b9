// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/position.h"

#include <cmath>

namespace sphere::consent {

Position rounded(const Position& position, Precision precision) {
  const double grid = grid_degrees(precision);
  if (grid <= 0) return position;
  const auto nearest = [grid](double degrees) { return std::round(degrees / grid) * grid; };
  return {nearest(position.latitude), nearest(position.longitude), std::nullopt};
}

}  // namespace sphere::consent

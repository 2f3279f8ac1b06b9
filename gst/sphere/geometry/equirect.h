// SPDX-License-Identifier: LGPL-2.1-or-later
// The equirectangular picture: longitude -180..180 from left to right, latitude 90..-90 from top to
// bottom. Pictures are continuous: the first pixel covers 0..1 and its centre is 0.5.

#pragma once

#include "gst/sphere/geometry/vec.h"

namespace sphere {

/// A place in a picture, in pixels.
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

/// A part of a picture, in pixels.
struct Region {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// Longitude and latitude in radians.
struct LonLat {
  double lon = 0, lat = 0;
};

inline LonLat lonlat_of(Vec3 d) {
  return {std::atan2(d.x, d.z), std::atan2(-d.y, std::hypot(d.x, d.z))};
}

inline Vec3 direction_of(LonLat a) {
  const double c = std::cos(a.lat);
  return {std::sin(a.lon) * c, -std::sin(a.lat), std::cos(a.lon) * c};
}

inline Vec3 equirect_direction(Point p, Size size) {
  return direction_of({(p.x / size.width - 0.5) * 2 * pi, (0.5 - p.y / size.height) * pi});
}

inline Point equirect_point(Vec3 d, Size size) {
  const LonLat a = lonlat_of(d);
  return {(a.lon / (2 * pi) + 0.5) * size.width, (0.5 - a.lat / pi) * size.height};
}

}  // namespace sphere

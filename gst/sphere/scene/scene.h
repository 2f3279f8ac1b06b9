// SPDX-License-Identifier: LGPL-2.1-or-later
// A scene all around, made of formulas, so that any lens can look at it at any resolution and the
// true picture is always known. It is infinitely far away, so that both lenses see it from one
// point; or, on request, its things stand at their distances, and where one looks from matters.

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gst/sphere/geometry/vec.h"

namespace sphere {

/// Light as the picture has it (gamma-encoded), 0 to 1.
struct Colour {
  float r = 0, g = 0, b = 0;
  bool operator==(const Colour&) const = default;
};

/// A direction of any length, for the many that a picture needs.
struct Ray {
  float x = 0, y = 0, z = 0;
};

enum class Pattern {
  scene,      ///< a street of houses under a sky, with words, fine detail and straight edges
  graticule,  ///< the lines of longitude and latitude with their degrees
};

/// What stands still, infinitely far away.
Colour still_colour(Pattern pattern, Ray direction);

/// What stands still, seen from `eye`, metres off the middle. The street has its own measures, and
/// around the seams stand boards, 0.5 to 10 metres away. The sky and the graticule stay far.
Colour near_colour(Pattern pattern, Ray direction, Ray eye);

/// A circle on the sphere, outside of which a thing that moves is not.
struct Cone {
  Vec3 axis;
  double angle = 0;  ///< radians
};

/// What differs from one picture to the next, at one instant: a ball that goes round and crosses
/// both seams, a sign that crosses one, the hand of a clock, and the plate with the picture's
/// number.
class MovingThings {
 public:
  static constexpr int count = 4;

  MovingThings(uint32_t number, double seconds);

  const std::array<Cone, count>& cones() const { return cones_; }
  /// How far away each thing is, metres, in a scene with depth.
  static double distance(int thing);
  /// What the thing shows in a direction; nothing where one sees past it.
  std::optional<Colour> colour(int thing, Ray direction) const;

 private:
  std::optional<Colour> ball(Vec3 d) const;
  std::optional<Colour> sign(Vec3 d) const;
  std::optional<Colour> clock(Vec3 d) const;
  std::optional<Colour> plate(Ray d) const;

  uint32_t number_;
  double seconds_;
  std::array<Cone, count> cones_;
  std::array<Mat3, count> turn_;  // scene to thing: its axis is z, its up is -y
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Directions and rotations. Right-handed: x right, y down, z forward (as OpenCV).

#pragma once

#include <cmath>
#include <numbers>

namespace sphere {

inline constexpr double pi = std::numbers::pi;

constexpr double radians(double degrees) { return degrees * (pi / 180.0); }
constexpr double degrees(double radians) { return radians * (180.0 / pi); }

struct Vec3 {
  double x = 0, y = 0, z = 0;

  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
  bool operator==(const Vec3&) const = default;
};

constexpr double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double length(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 normalised(Vec3 a) { return (1.0 / length(a)) * a; }

/// The angle between two directions, in radians, exact for small and for obtuse angles.
inline double angle_between(Vec3 a, Vec3 b) { return std::atan2(length(cross(a, b)), dot(a, b)); }

/// A 3x3 matrix by rows; here always a rotation, so that its transpose is its inverse.
struct Mat3 {
  Vec3 row[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

  constexpr Vec3 operator*(Vec3 v) const {
    return {dot(row[0], v), dot(row[1], v), dot(row[2], v)};
  }
  constexpr Vec3 column(int i) const {
    return i == 0   ? Vec3{row[0].x, row[1].x, row[2].x}
           : i == 1 ? Vec3{row[0].y, row[1].y, row[2].y}
                    : Vec3{row[0].z, row[1].z, row[2].z};
  }
  constexpr Mat3 transposed() const { return {{column(0), column(1), column(2)}}; }
  friend constexpr Mat3 operator*(const Mat3& a, const Mat3& b) {
    const Mat3 t = b.transposed();
    Mat3 r;
    for (int i = 0; i < 3; ++i)
      r.row[i] = {dot(a.row[i], t.row[0]), dot(a.row[i], t.row[1]), dot(a.row[i], t.row[2])};
    return r;
  }
  bool operator==(const Mat3&) const = default;
};

/// Yaw, pitch and roll in degrees, applied in this order, each about the axes that the one before
/// left. Positive yaw looks right, positive pitch looks up, positive roll tilts the camera
/// clockwise: the signs of ffmpeg's v360.
struct Angles {
  double yaw = 0, pitch = 0, roll = 0;
  bool operator==(const Angles&) const = default;
};

/// The rotation that takes a direction seen in the turned frame to the frame it was turned from.
Mat3 rotation(const Angles& angles);
/// The other way round: yaw and roll are within half a turn, pitch within a quarter.
Angles angles_of(const Mat3& rotation);

}  // namespace sphere

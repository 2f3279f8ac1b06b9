// SPDX-License-Identifier: LGPL-2.1-or-later
// Rotations as unit quaternions: what is between two of them is well defined.

#pragma once

#include "gst/sphere/geometry/vec.h"

namespace sphere {

struct Quaternion {
  double w = 1, x = 0, y = 0, z = 0;

  /// The rotation that `b` does first and `a` after it.
  friend constexpr Quaternion operator*(const Quaternion& a, const Quaternion& b) {
    return {a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
            a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
            a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
  }
  bool operator==(const Quaternion&) const = default;
};

constexpr double dot(const Quaternion& a, const Quaternion& b) {
  return a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z;
}

/// The same rotation backwards, of a unit quaternion.
constexpr Quaternion inverse(const Quaternion& q) { return {q.w, -q.x, -q.y, -q.z}; }

/// At unit length; no turn at all where there is no length.
Quaternion normalised(const Quaternion& q);

Mat3 matrix_of(const Quaternion& q);
/// Of a rotation; what is off it by rounding is evened out.
Quaternion quaternion_of(const Mat3& m);

/// At a constant speed and the short way round from `a`, where `t` is 0, to `b`, where it is 1.
Quaternion slerp(const Quaternion& a, const Quaternion& b, double t);

}  // namespace sphere

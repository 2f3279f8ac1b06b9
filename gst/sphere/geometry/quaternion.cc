// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

Quaternion normalised(const Quaternion& q) {
  const double length = std::sqrt(dot(q, q));
  if (!(length > 0)) return {};
  return {q.w / length, q.x / length, q.y / length, q.z / length};
}

Mat3 matrix_of(const Quaternion& q) {
  const auto [w, x, y, z] = q;
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
}

Quaternion quaternion_of(const Mat3& m) {
  // Four times the square of each; the largest is safe to divide by.
  const double xx = m.row[0].x, yy = m.row[1].y, zz = m.row[2].z;
  const double w = 1 + xx + yy + zz, x = 1 + xx - yy - zz, y = 1 - xx + yy - zz,
               z = 1 - xx - yy + zz;
  const double a = m.row[2].y - m.row[1].z, b = m.row[0].z - m.row[2].x,
               c = m.row[1].x - m.row[0].y;
  const double d = m.row[1].x + m.row[0].y, e = m.row[0].z + m.row[2].x,
               f = m.row[2].y + m.row[1].z;
  if (w >= x && w >= y && w >= z) return normalised({w, a, b, c});
  if (x >= y && x >= z) return normalised({a, x, d, e});
  if (y >= z) return normalised({b, d, y, f});
  return normalised({c, e, f, z});
}

Quaternion slerp(const Quaternion& a, const Quaternion& b, double t) {
  double cosine = dot(a, b);
  const double sign = cosine < 0 ? -1 : 1;
  cosine *= sign;
  double from = 1 - t, to = t;
  // So near each other the sines lose their digits, and the chord is the arc.
  if (cosine < 1 - 1e-9) {
    const double angle = std::acos(cosine), sine = std::sin(angle);
    from = std::sin((1 - t) * angle) / sine;
    to = std::sin(t * angle) / sine;
  }
  to *= sign;
  return normalised(
      {from * a.w + to * b.w, from * a.x + to * b.x, from * a.y + to * b.y, from * a.z + to * b.z});
}

}  // namespace sphere

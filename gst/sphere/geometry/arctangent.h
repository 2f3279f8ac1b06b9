// SPDX-License-Identifier: LGPL-2.1-or-later
// The arctangent of two numbers, in a fraction of the time of std::atan2().

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace sphere {

/// The polynomial of Abramowitz and Stegun, 4.4.49: the arctangent of t, up to 1, is t times the
/// sum of these terms times the even powers of t.
inline constexpr double arctangent_terms[] = {1,           -.3333314528, .1999355085, -.1420889944,
                                              .1065626393, -.0752896400, .0429096138, -.0161657367,
                                              .0028662257};

/// As std::atan2(), at most 2e-8 off (with float, 3e-7). NaN for NaN; 0 where both are 0.
template <typename T>
inline T arctangent(T y, T x) {
  const T tall = std::fabs(y), wide = std::fabs(x);
  const bool steep = tall > wide;
  const T most = steep ? tall : wide, least = steep ? wide : tall;
  // Divided in any case, so that a compiler can do several at a time.
  const T t = least / std::max(most, std::numeric_limits<T>::min());
  const T s = t * t;
  constexpr auto a = [](int n) { return static_cast<T>(arctangent_terms[n]); };
  const T p =
      a(0) +
      s * (a(1) +
           s * (a(2) + s * (a(3) + s * (a(4) + s * (a(5) + s * (a(6) + s * (a(7) + s * a(8))))))));
  const T first = t * p, second = std::numbers::pi_v<T> / 2 - first;
  const T right = steep ? second : first, left = std::numbers::pi_v<T> - right;
  return std::copysign(x < 0 ? left : right, y);
}

}  // namespace sphere

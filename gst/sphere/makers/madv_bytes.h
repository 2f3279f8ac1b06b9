// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes of MADV's files, for their writers.

#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/makers/madv.h"
#include "gst/sphere/media/place.h"

namespace sphere::makers::madv {

using Bytes = std::vector<uint8_t>;

inline void put_big(Bytes& out, uint64_t value, int bytes) {
  while (bytes-- > 0) out.push_back(static_cast<uint8_t>(value >> (8 * bytes)));
}

inline void put_little(Bytes& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

inline void append(Bytes& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void put_matrix(Bytes& out, const Matrix& matrix) {
  for (const float value : matrix) put_little(out, std::bit_cast<uint32_t>(value), 4);
}

inline void put_rational(Bytes& out, uint32_t number, uint32_t parts) {
  put_little(out, number, 4);
  put_little(out, parts, 4);
}

/// Degrees, minutes and seconds as three rationals of Exif, without a sign.
inline Bytes angle_bytes(double degrees) {
  Bytes bytes;
  for (const media::Rational& part : media::rational_angle(degrees))
    put_rational(bytes, part.numerator, part.denominator);
  return bytes;
}

/// Metres as a rational of Exif, without a sign.
inline Bytes altitude_bytes(double metres) {
  constexpr uint32_t parts = 100;
  Bytes bytes;
  put_rational(bytes, static_cast<uint32_t>(std::lround(std::min(std::abs(metres), 4e7) * parts)),
               parts);
  return bytes;
}

}  // namespace sphere::makers::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// The forms that a position has in files.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/base/position.h"

namespace sphere::media {

/// ISO 6709 as videos have it: "+DD.DDDDDDD+DDD.DDDDDDD+AAA.AAA/".
std::string iso6709(const Position& position);
/// Reads it with degrees, with degrees and minutes, or with seconds too, wherever it begins in the
/// text; what follows is not read.
std::optional<Position> parse_iso6709(std::string_view text);

/// XMP's "DD,MM.mmmmmmk". The letters are those of positive and negative angles, such as "NS".
std::string xmp_angle(double degrees, std::string_view letters);
/// Reads it, and "DD,MM,SSk", and decimal degrees.
std::optional<double> parse_xmp_angle(std::string_view text);

/// A number of Exif.
struct Rational {
  uint32_t numerator = 0, denominator = 1;
};
/// Degrees, minutes and seconds of an angle without its sign, to 3e-12 degrees.
std::array<Rational, 3> rational_angle(double degrees);
/// The angle that three rationals of a file say; nothing if a denominator is zero, or it is more
/// than 360 degrees.
std::optional<double> parse_rational_angle(std::span<const uint8_t> bytes, bool little);

/// Whether it can be a position on Earth.
bool is_position(const Position& position);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Where something is on Earth, told no more exactly than was agreed.

#pragma once

#include <optional>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

struct Position {
  double latitude = 0, longitude = 0;  ///< degrees, WGS 84
  std::optional<double> altitude;      ///< metres
};

/// Reads `LATITUDE,LONGITUDE[,ALTITUDE]`, decimal degrees and metres. What it complains of it does
/// not repeat.
Result<Position> parse_position(std::string_view text);

/// The position, rounded to the precision's grid. An altitude tells where it is, too,
/// and stays with the exact one alone.
Position rounded(const Position& position, Precision precision);

}  // namespace sphere::consent

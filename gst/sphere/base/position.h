// SPDX-License-Identifier: LGPL-2.1-or-later
// A position on Earth.

#pragma once

#include <optional>
#include <string_view>

#include "gst/sphere/base/result.h"

namespace sphere {

struct Position {
  double latitude = 0, longitude = 0;  ///< degrees, WGS 84
  std::optional<double> altitude;      ///< metres
};

/// Reads `LATITUDE,LONGITUDE[,ALTITUDE]`, decimal degrees and metres. The error does not repeat the
/// text, because it tells where somebody is.
Result<Position> parse_position(std::string_view text);

}  // namespace sphere

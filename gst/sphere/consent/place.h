// SPDX-License-Identifier: LGPL-2.1-or-later
// A place on Earth, told no more exactly than was agreed.

#pragma once

#include <optional>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

struct Place {
  double latitude = 0, longitude = 0;  ///< degrees, WGS 84
  std::optional<double> altitude;      ///< metres
};

/// Reads `LATITUDE,LONGITUDE[,ALTITUDE]`, decimal degrees and metres. What it complains of it does
/// not repeat.
Result<Place> parse_place(std::string_view text);

/// The place rounded to the precision's grid. An altitude tells the place too, and stays with the
/// exact one alone.
Place rounded(const Place& place, Precision precision);

}  // namespace sphere::consent

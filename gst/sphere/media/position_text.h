// SPDX-License-Identifier: LGPL-2.1-or-later
// Positions that are written in a text, such as a comment or a subtitle.

#pragma once

#include <string_view>
#include <vector>

#include "gst/sphere/base/position.h"

namespace sphere::media {

/// The positions in a text: ISO 6709 (`+39.9042+116.4074+44/`, in degrees, minutes and seconds
/// too), NMEA sentences (GGA, RMC, GLL), and pairs of decimal degrees with at least three decimals,
/// with or without N, S, E and W. The null island does not count. At most 256.
std::vector<Position> positions_in(std::string_view text);

}  // namespace sphere::media

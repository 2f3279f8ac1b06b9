// SPDX-License-Identifier: LGPL-2.1-or-later
// A number that stands in the scene so that a machine can read it off the picture.
//
// A black plate in front, below the equator, with two rows of white or black cells, all in
// longitude and latitude. A row begins with two cells that tell white from black, then come sixteen
// bits of the number and four of its check, the highest first.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "gst/sphere/geometry/equirect.h"

namespace sphere {

struct MarkerLayout {
  static constexpr int columns = 22, rows = 2;
  /// Degrees. Wide enough to survive a small preview and a hard compression.
  static constexpr double cell_width = 2, cell_height = 3, border = 1;
  static constexpr double left = -cell_width * columns / 2, top = -25;
  static constexpr double right = -left, bottom = top - cell_height * rows;
};

/// What the plate shows at a place given in degrees: nothing outside it, else black or white.
std::optional<bool> marker_at(uint32_t number, double lon, double lat);

/// Reads the number; `luma` gives the brightness at a direction. Nothing where there is no plate,
/// or where its check fails.
std::optional<uint32_t> read_marker(const std::function<double(LonLat)>& luma);

}  // namespace sphere

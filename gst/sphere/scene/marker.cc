// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/scene/marker.h"

#include <cmath>

namespace sphere {

namespace {

using Layout = MarkerLayout;

constexpr int sync_cells = 2, number_cells = 16, check_cells = 4;
static_assert(sync_cells + number_cells + check_cells == Layout::columns);

/// CRC-8 with the polynomial x^8 + x^2 + x + 1. It starts with ones, so that a black plate, whose
/// number would be 0, has no right check.
uint8_t check_of(uint32_t number) {
  uint8_t crc = 0xff;
  for (int byte = 3; byte >= 0; --byte) {
    crc ^= static_cast<uint8_t>(number >> (8 * byte));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<uint8_t>(crc << 1 ^ (crc & 0x80 ? 0x07 : 0));
  }
  return crc;
}

/// The sync cells differ from row to row, so that a picture upside down is told.
bool sync_cell(int row, int column) { return (row + column) % 2 == 0; }

bool cell(uint32_t number, int row, int column) {
  if (column < sync_cells) return sync_cell(row, column);
  column -= sync_cells;
  if (column < number_cells) return number >> (31 - row * number_cells - column) & 1;
  column -= number_cells;
  return check_of(number) >> (7 - row * check_cells - column) & 1;
}

}  // namespace

std::optional<bool> marker_at(uint32_t number, double lon, double lat) {
  if (std::abs(lon) > Layout::right + Layout::border || lat > Layout::top + Layout::border ||
      lat < Layout::bottom - Layout::border)
    return std::nullopt;
  const double x = (lon - Layout::left) / Layout::cell_width;
  const double y = (Layout::top - lat) / Layout::cell_height;
  if (x < 0 || x >= Layout::columns || y < 0 || y >= Layout::rows) return false;
  return cell(number, static_cast<int>(y), static_cast<int>(x));
}

std::optional<uint32_t> read_marker(const std::function<double(LonLat)>& luma) {
  // The mean of a few places well inside the cell, so that noise counts less.
  const auto brightness_at = [&](int row, int column) {
    double sum = 0;
    for (double y : {0.35, 0.5, 0.65})
      for (double x : {0.35, 0.5, 0.65})
        sum += luma({radians(Layout::left + (column + x) * Layout::cell_width),
                     radians(Layout::top - (row + y) * Layout::cell_height)});
    return sum / 9;
  };
  double white = 0, black = 0;
  for (int row = 0; row < Layout::rows; ++row)
    for (int column = 0; column < sync_cells; ++column)
      (sync_cell(row, column) ? white : black) += brightness_at(row, column) / 2;
  // Less contrast than this is no plate.
  constexpr double least_contrast = 40;
  if (!(white - black > least_contrast)) return std::nullopt;

  uint32_t number = 0;
  unsigned check = 0;
  for (int row = 0; row < Layout::rows; ++row)
    for (int column = sync_cells; column < Layout::columns; ++column) {
      const bool bit = brightness_at(row, column) > (white + black) / 2;
      if (column < sync_cells + number_cells)
        number = number << 1 | bit;
      else
        check = check << 1 | bit;
    }
  if (check != check_of(number)) return std::nullopt;
  return number;
}

}  // namespace sphere

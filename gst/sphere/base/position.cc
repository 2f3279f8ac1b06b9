// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/position.h"

#include <glib.h>

#include <array>
#include <cmath>
#include <string>

namespace sphere {

Result<Position> parse_position(std::string_view text) {
  const Error wrong = invalid(
      "a position is LATITUDE,LONGITUDE[,ALTITUDE]: -90 to 90 and -180 to 180 decimal degrees, "
      "and -1000 to 100000 metres");
  const std::string whole(text);
  const char* at = whole.c_str();
  std::array<double, 3> values{};
  size_t count = 0;
  for (;;) {
    if (count == values.size()) return wrong;
    char* end = nullptr;
    values[count] = g_ascii_strtod(at, &end);
    if (end == at || !std::isfinite(values[count])) return wrong;
    ++count;
    while (g_ascii_isspace(*end)) ++end;
    if (*end == '\0') break;
    if (*end != ',') return wrong;
    at = end + 1;
  }
  // An embedded end would hide the rest.
  if (whole.find('\0') != std::string::npos) return wrong;
  if (count < 2 || std::abs(values[0]) > 90 || std::abs(values[1]) > 180) return wrong;
  Position position{values[0], values[1], std::nullopt};
  if (count == 3) {
    if (values[2] < -1000 || values[2] > 100000) return wrong;
    position.altitude = values[2];
  }
  return position;
}

}  // namespace sphere

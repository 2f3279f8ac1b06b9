// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/position.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gst/sphere/base/number.h"
#include "gst/sphere/base/text.h"

namespace sphere {

Result<Position> parse_position(std::string_view text) {
  const Error wrong = invalid(
      "a position is LATITUDE,LONGITUDE[,ALTITUDE]: -90 to 90 and -180 to 180 decimal degrees, "
      "and -1000 to 100000 metres");
  std::array<double, 3> values{};
  size_t count = 0;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::optional<double> value = parse_number(trimmed(text.substr(at, end - at)));
    if (!value || count == values.size()) return wrong;
    values[count++] = *value;
    at = end + 1;
  }
  if (count < 2 || std::abs(values[0]) > 90 || std::abs(values[1]) > 180) return wrong;
  Position position{values[0], values[1], std::nullopt};
  if (count == 3) {
    if (values[2] < -1000 || values[2] > 100000) return wrong;
    position.altitude = values[2];
  }
  return position;
}

}  // namespace sphere

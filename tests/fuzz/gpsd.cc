// SPDX-License-Identifier: LGPL-2.1-or-later
// A report of gpsd: there is a position on Earth in it, or none.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugins/privacy/gpsd.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto position =
      sphere::privacy::position_in_report({reinterpret_cast<const char*>(data), size});
  if (!position) return 0;
  if (!(std::abs(position->latitude) <= 90 && std::abs(position->longitude) <= 180)) abort();
  if (position->altitude && !(std::abs(*position->altitude) <= 100000)) abort();
  return 0;
}

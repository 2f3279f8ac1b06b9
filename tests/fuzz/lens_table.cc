// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera's own lens table of any bytes: refused with words, or lenses that give a place inside
// their half for each direction that they see.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/lens/table.h"

using namespace sphere;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Result<LensPair> pair = parse_table(std::span(data, size), "fuzzed");
  if (!pair) {
    if (pair.error().message.empty()) abort();
    return 0;
  }
  const double seen = radians(90);
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = (*pair)[i];
    for (double lat = -90; lat <= 90; lat += 7.5)
      for (double lon = -180; lon < 180; lon += 7.5) {
        const Vec3 d = direction_of({radians(lon), radians(lat)});
        const Point p = lens.project(d);
        if (!std::isfinite(p.x) || !std::isfinite(p.y)) abort();
        if (lens.angle_to_axis(d) > seen) continue;
        if (p.x < lens.region.left - 1 || p.x > lens.region.right + 1 || p.y < -1 ||
            p.y > pair->frame.height + 1)
          abort();
      }
  }
  return 0;
}

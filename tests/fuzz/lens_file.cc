// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens files of every kind: what is accepted is a pair that can be used.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gst/sphere/lens/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pair = sphere::parse_lens_text(text, "f");
  if (!pair) {
    if (pair.error().message.empty()) abort();
    return 0;
  }
  for (int i = 0; i < 2; ++i) {
    const sphere::Lens& lens = (*pair)[i];
    const sphere::Region& r = lens.region;
    if (!(r.left < r.right && r.top < r.bottom && r.right <= pair->frame.width &&
          r.bottom <= pair->frame.height))
      abort();
    if (!(lens.half_fov() > 0 && lens.half_fov() < sphere::pi) || !(lens.gain > 0)) abort();
    for (const double angle : {0.0, 0.5, 1.0})
      if (!std::isfinite(lens.model.forward(lens.half_fov() * angle))) abort();
    const sphere::Vec3 v = lens.unproject({(r.left + r.right) / 2, (r.top + r.bottom) / 2});
    if (!(std::abs(sphere::length(v) - 1) < 1e-3)) abort();
  }
  return 0;
}

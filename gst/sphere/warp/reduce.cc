// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/reduce.h"

#include <algorithm>

namespace sphere {

namespace {

template <typename T, int components>
void halve_row(const T* above, const T* below, int width, int shift, T* to) {
  // Bits below those of the sample are not part of the mean.
  const int rounding = 2 << shift, mask = ~((1 << shift) - 1);
  const int pairs = width / 2;
  for (int x = 0; x < pairs; ++x)
    for (int k = 0; k < components; ++k) {
      const int i = 2 * x * components + k;
      to[x * components + k] = static_cast<T>(
          ((above[i] + above[i + components] + below[i] + below[i + components] + rounding) >> 2) &
          mask);
    }
  if (width % 2 == 0) return;
  for (int k = 0; k < components; ++k) {
    const int i = (width - 1) * components + k;
    to[pairs * components + k] =
        static_cast<T>(((2 * (above[i] + below[i]) + rounding) >> 2) & mask);
  }
}

template <typename T>
void halve_row(int components, const T* above, const T* below, int width, int shift, T* to) {
  switch (components) {
    case 1:
      return halve_row<T, 1>(above, below, width, shift, to);
    case 2:
      return halve_row<T, 2>(above, below, width, shift, to);
    default:
      return halve_row<T, 4>(above, below, width, shift, to);
  }
}

}  // namespace

void halve_rows(const WarpPlane& plane, const WarpCopy& from, uint8_t* to, ptrdiff_t to_stride,
                int first, int last) {
  for (int row = first; row < last; ++row) {
    const uint8_t* const above = from.data + static_cast<ptrdiff_t>(2 * row) * from.stride;
    const uint8_t* const below = 2 * row + 1 < from.size.height ? above + from.stride : above;
    uint8_t* const target = to + row * to_stride;
    if (plane.bits > 8)
      halve_row(plane.components, reinterpret_cast<const uint16_t*>(above),
                reinterpret_cast<const uint16_t*>(below), from.size.width, plane.shift,
                reinterpret_cast<uint16_t*>(target));
    else
      halve_row(plane.components, above, below, from.size.width, 0, target);
  }
}

}  // namespace sphere

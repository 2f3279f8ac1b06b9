// SPDX-License-Identifier: LGPL-2.1-or-later
// Smaller copies of a plane, for outputs that are coarser than their source.

#pragma once

#include "gst/sphere/warp/warp.h"

namespace sphere {

/// The size of a copy of half a plane's size.
inline Size half_of(Size size) { return {(size.width + 1) / 2, (size.height + 1) / 2}; }

/// Draws rows first..last-1 of `to`, half as large as `from`: the mean of two by two samples, and
/// at an odd edge of those that are there. `plane` says what samples are.
void halve_rows(const WarpPlane& plane, const WarpCopy& from, uint8_t* to, ptrdiff_t to_stride,
                int first, int last);

}  // namespace sphere

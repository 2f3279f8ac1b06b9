// SPDX-License-Identifier: LGPL-2.1-or-later
// Smaller copies of a plane, for outputs that are coarser than their source.

#pragma once

#include "gst/sphere/warp/warp.h"

namespace sphere {

/// The size of a copy that is half as large as a plane.
inline Size half_of(Size size) { return {(size.width + 1) / 2, (size.height + 1) / 2}; }

/// Draws rows first..last-1 of `to`, which is half as large as `from`: each sample is the mean of
/// two by two samples, or of fewer at the edge of an odd size. `plane` has the format of the
/// samples.
void halve_rows(const WarpPlane& plane, const WarpCopy& from, uint8_t* to, ptrdiff_t to_stride,
                int first, int last);

}  // namespace sphere

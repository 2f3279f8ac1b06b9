// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws by a grid on the CPU, plane by plane: bilinear or cubic, SIMD by run-time dispatch.

#pragma once

#include <cstddef>
#include <cstdint>

#include "gst/sphere/warp/grid.h"

namespace sphere {

/// A copy of a plane of the source, smaller by a power of two: each sample is the mean of the
/// samples in its area.
struct WarpCopy {
  const uint8_t* data = nullptr;
  ptrdiff_t stride = 0;
  Size size;  ///< samples
};

/// One plane of a picture: the source and the target.
struct WarpPlane {
  const uint8_t* source = nullptr;
  ptrdiff_t source_stride = 0;
  Size source_size;  ///< samples
  uint8_t* target = nullptr;
  ptrdiff_t target_stride = 0;
  Size target_size;         ///< samples
  int components = 1;       ///< interleaved in a sample: 1, 2, or 4 for RGBA
  int bits = 8;             ///< of a component: 8 in one byte, or 10 in two (not RGBA)
  int shift = 0;            ///< of ten bits in their two bytes, little-endian: 0 or 6
  int first_component = 0;  ///< index of the first one among the picture's components

  /// The position of sample i is phase + step * i, in pixels of the picture, both in the source and
  /// in the target.
  int step_x = 1, step_y = 1;
  double phase_x = 0.5, phase_y = 0.5;

  /// The value, of 8 bits, that a layer's gain does not change: it means no light, or no colour.
  uint8_t neutral = 0;
  /// The value, of 8 bits, of the brightest light, to which a gain above 1 does not lift darker
  /// light (lift() in warpjob.h). 0 for colour differences, on which the gain is a plain factor.
  uint8_t white = 0;

  /// Whether samples are interpolated from four by four samples of the source (Catmull-Rom), or
  /// from two by two. From its copies it is always two by two.
  bool cubic = false;

  /// As many as the grid needs (GridBuilder::reductions()), the largest first.
  WarpCopy copies[most_reductions];
  int copy_count = 0;
};

/// Draws rows first..last-1 of the target. Several threads may draw different rows of one plane at
/// the same time. Nothing is read outside the source plane, even if the grid has points outside.
void warp_rows(const WarpGrid& grid, const WarpPlane& plane, int first, int last);

/// The instruction set that warp_rows() uses on this machine, such as "AVX2".
const char* warp_target();

}  // namespace sphere

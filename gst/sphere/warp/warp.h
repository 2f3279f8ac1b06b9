// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws by a grid on the CPU, plane by plane: bilinear or cubic, SIMD by run-time dispatch.

#pragma once

#include <cstddef>
#include <cstdint>

#include "gst/sphere/warp/grid.h"

namespace sphere {

/// A copy of a plane of the source, smaller by a power of two: each of its samples is the mean of
/// those it stands for.
struct WarpCopy {
  const uint8_t* data = nullptr;
  ptrdiff_t stride = 0;
  Size size;  ///< samples
};

/// One plane of a picture, on its way from the source to the output.
struct WarpPlane {
  const uint8_t* source = nullptr;
  ptrdiff_t source_stride = 0;
  Size source_size;  ///< samples
  uint8_t* target = nullptr;
  ptrdiff_t target_stride = 0;
  Size target_size;         ///< samples
  int components = 1;       ///< interleaved in a sample: 1, 2, or 4, which are RGBA
  int bits = 8;             ///< of a component: 8 in a byte or, but for RGBA, 10 in two
  int shift = 0;            ///< of ten bits in their two bytes, little-endian: 0 or 6
  int first_component = 0;  ///< which of the picture's components the first is

  /// Sample i stands at phase + step * i, in pixels of the picture, in source and target alike.
  int step_x = 1, step_y = 1;
  double phase_x = 0.5, phase_y = 0.5;

  /// What a layer's gain is applied about: the value, of 8 bits, that stands for no light, or no
  /// colour.
  uint8_t neutral = 0;

  /// Whether four by four samples of the source are taken (Catmull-Rom), rather than two by two.
  /// Of its copies it is always two by two.
  bool cubic = false;

  /// As many as the grid asks for (GridBuilder::reductions()), the largest first.
  WarpCopy copies[most_reductions];
  int copy_count = 0;
};

/// Draws rows first..last-1 of the target. Threads may draw different rows of one plane at a time.
/// Nothing is read outside the source plane, whatever the grid says.
void warp_rows(const WarpGrid& grid, const WarpPlane& plane, int first, int last);

/// The instruction set that warp_rows() runs on here, such as "AVX2".
const char* warp_target();

}  // namespace sphere

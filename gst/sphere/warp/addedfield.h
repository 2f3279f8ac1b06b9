// SPDX-License-Identifier: LGPL-2.1-or-later
// What is added to each layer's picture after it was drawn, component by component.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/warp/grid.h"
#include "gst/sphere/warp/warp.h"

namespace sphere {

/// Known on a grid of its own, by an azimuth, once round, and a height; a WarpGrid says where its
/// nodes are in it, and which cells it concerns.
struct AddedField {
  static constexpr int fraction_bits = 6;
  static constexpr float one = 1 << fraction_bits;

  struct Component {
    int columns = 0, rows = 0;
    /// Samples in steps of 8 bits times `one`, row by row, for the first and the second layer. A
    /// quarter of the circle comes twice, so that no cell that begins on it ends outside.
    std::vector<int16_t> layer[2];
    /// The sample at an azimuth (turns) and a height (radians): factors and offsets.
    float per_turn = 0, first_column = 0, per_radian = 0, first_row = 0;
  };
  Component component[3];
};

/// Adds the field to rows first..last-1 of a target that warp_rows() drew by the same grid. Threads
/// may take different rows of one plane at a time.
void add_field(const AddedField& field, const WarpGrid& grid, const WarpPlane& plane, int first,
               int last);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// A field that is added to each layer's picture after it was drawn, component by component.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/warp/grid.h"
#include "gst/sphere/warp/warp.h"

namespace sphere {

/// Its samples have their own coordinates: the azimuth, a full turn, and the height. A WarpGrid has
/// these coordinates for its nodes, and flags the cells to which the field is added.
struct AddedField {
  static constexpr int fraction_bits = 6;
  static constexpr float one = 1 << fraction_bits;

  struct Component {
    int columns = 0, rows = 0;
    /// Samples in steps of 8 bits times `one`, row by row, for the first and the second layer. The
    /// first quarter of the circle is repeated at the end, for cells that begin before the end of
    /// the circle and end after it.
    std::vector<int16_t> layer[2];
    /// From an azimuth (turns) and a height (radians) to a column and a row: factors and offsets.
    float per_turn = 0, first_column = 0, per_radian = 0, first_row = 0;
  };
  Component component[3];
};

/// Adds the field to rows first..last-1 of a target that warp_rows() drew by the same grid. Several
/// threads may draw different rows of one plane at the same time.
void add_field(const AddedField& field, const WarpGrid& grid, const WarpPlane& plane, int first,
               int last);

}  // namespace sphere

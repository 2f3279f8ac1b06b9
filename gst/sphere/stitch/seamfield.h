// SPDX-License-Identifier: LGPL-2.1-or-later
// What is added to each lens's picture around the seam, component by component, after it was drawn.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/warp.h"

namespace sphere {

/// Known on a grid of its own, by the azimuth around the seam and the height above it; a plan says
/// where its nodes are, and which cells it concerns.
struct SeamField {
  static constexpr int fraction_bits = 6;
  static constexpr float one = 1 << fraction_bits;

  struct Component {
    int columns = 0, rows = 0;
    /// Samples in steps of 8 bits times `one`, row by row, for the front and the back lens. A
    /// quarter of the circle comes twice, so that no cell that begins on it ends outside.
    std::vector<int16_t> lens[2];
    /// The sample at an azimuth (turns) and a height (radians): factors and offsets.
    float per_turn = 0, first_column = 0, per_radian = 0, first_row = 0;
  };
  Component component[3];
};

/// Adds the field to rows first..last-1 of a target that warp_rows() drew by the same plan. Threads
/// may take different rows of one plane at a time.
void add_field(const SeamField& field, const Plan& plan, const WarpPlane& plane, int first,
               int last);

}  // namespace sphere

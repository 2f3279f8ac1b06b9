// SPDX-License-Identifier: LGPL-2.1-or-later
// The grid: what the CPU and GL draw by, whatever the picture is that they draw from.
//
// Over the output lies a coarse grid. At each node it holds the point in the source picture that is
// shown there; between nodes points are interpolated linearly. A picture may be drawn in two
// layers, which are two parts of one source, such as the images of two lenses: then each node has a
// point for each, and the weight of the first layer. Each cell says which layers it needs. The
// kernel, SIMD or shader, knows no lens and no projection.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gst/sphere/geometry/equirect.h"

namespace sphere {

/// What a cell needs, as bits.
enum CellFlag : uint8_t {
  cell_first = 1,   ///< the first layer is seen somewhere in the cell
  cell_second = 2,  ///< the second layer is seen somewhere in the cell
  cell_first_inside =
      4,  ///< all of the cell's points in the first layer lie well inside its region
  cell_second_inside = 8,  ///< likewise for the second layer
  cell_gained = 16,        ///< somewhere in the cell a layer's light is changed
  cell_reduced = 32,       ///< somewhere in the cell a smaller copy of the source is to be read
  cell_added = 64,         ///< somewhere in the cell an AddedField is added to what is drawn
  /// Places do not lie on lines between the corners: they follow from the directions. Only where
  /// WarpGrid::direction has them.
  cell_exact = 128,
};

/// How far inside its region a point is to be to count as "inside": then a kernel may read a few
/// samples around it, on any plane of a 4:2:0 picture, without looking.
inline constexpr float inside_margin = 8;

/// Whether a point is inside a region by that much, or more where copies of the source are read.
inline bool well_inside(const Region& region, float x, float y, float margin = inside_margin) {
  return x >= static_cast<float>(region.left) + margin &&
         x <= static_cast<float>(region.right) - margin &&
         y >= static_cast<float>(region.top) + margin &&
         y <= static_cast<float>(region.bottom) - margin;
}
inline float margin_for(float reduction) {
  return reduction > 0 ? inside_margin * std::exp2(std::ceil(reduction)) : inside_margin;
}

/// How many smaller copies of the source a grid may ask for, each half as large as the one before.
inline constexpr int most_reductions = 5;

/// Sides of a cell, pixels.
inline constexpr int largest_cell = 32;

/// For one patch of the output; most outputs are one.
struct WarpGrid {
  Size output;
  int left = 0, top = 0;  ///< where the patch begins in the whole output
  Size source;
  int cell = 16;  ///< pixels of the output a cell, both ways
  /// Cells. They cover the output, the last ones may reach beyond; the count of columns is even, so
  /// that a kernel may take them two by two on a plane with half the samples.
  int columns = 0, rows = 0;

  /// Nodes, (columns + 1) a row, rows + 1 rows; node (c, r) stands at (c * cell, r * cell) of the
  /// output in continuous coordinates. x and y are pixels of the source picture; meaningless where
  /// no cell around the node needs the layer, but always finite.
  struct Layer {
    std::vector<float> x, y;
    std::vector<float> gain;  ///< factor on the layer's light; empty when it is 1 everywhere
    /// What differs between components, empty when nothing does. RGB: factors beside the gain, R, G
    /// and B. Y'CbCr: the second and third are added to Cb and Cr, in steps of 8 bits.
    std::vector<float> tint[3];
    Region region;  ///< what of the source the layer may be read from
  };
  Layer layer[2];
  /// The weight of the first layer is clamp(first_weight, 0, 1); the second has the rest. Empty
  /// when there is no second one.
  std::vector<float> first_weight;
  /// Where the output is so much coarser than the source that it is to be drawn from copies: 0 is
  /// the source itself, 1 that of half the size, and between them is a mix. Empty when it is 0
  /// everywhere.
  std::vector<float> reduction;
  /// Where a node is in an AddedField; empty when there is none, and meaningless where no cell
  /// around the node is added to. The azimuth in turns, 0 to 1: a cell may lie on the jump between
  /// them; the height in radians.
  std::vector<float> azimuth, height;
  /// What a node looks at, in the axes of a source that is a whole equirectangular sphere: x, y and
  /// z. Empty where the source is none.
  std::vector<float> direction[3];
  std::vector<uint8_t> cells;  ///< CellFlag bits, columns a row

  int nodes_per_row() const { return columns + 1; }
  size_t node_count() const { return static_cast<size_t>(columns + 1) * (rows + 1); }
  uint8_t flags(int column, int row) const {
    return cells[static_cast<size_t>(row) * columns + column];
  }
  /// Whether the source is a whole sphere, whose left and right edges meet.
  bool is_sphere() const { return !direction[0].empty(); }
};

}  // namespace sphere

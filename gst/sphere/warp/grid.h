// SPDX-License-Identifier: LGPL-2.1-or-later
// The grid by which the CPU and GL draw, from any source.
//
// A coarse grid covers the output. Each node has the point in the source picture that is shown
// there; between nodes, points are interpolated linearly. A picture may be drawn in two layers,
// which are two parts of one source, such as the images of two lenses: then each node has a point
// in both layers, and the weight of the first one. The flags of each cell tell which layers it
// needs. The kernels and shaders don't depend on lenses and projections.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gst/sphere/geometry/cube.h"
#include "gst/sphere/geometry/equirect.h"

namespace sphere {

/// What a cell needs, as bits.
enum CellFlag : uint8_t {
  cell_first = 1,   ///< the first layer is seen somewhere in the cell
  cell_second = 2,  ///< the second layer is seen somewhere in the cell
  cell_first_inside =
      4,  ///< all of the cell's points in the first layer are well inside its region
  cell_second_inside = 8,  ///< likewise for the second layer
  cell_gained = 16,        ///< somewhere in the cell a layer's light is changed
  cell_reduced = 32,       ///< somewhere in the cell a smaller copy of the source is to be read
  cell_added = 64,         ///< somewhere in the cell an AddedField is added to what is drawn
  /// Points can't be interpolated between the corners: they are calculated from the directions.
  /// Only with WarpGrid::direction.
  cell_exact = 128,
};

/// A point is "inside" if it is at least this far inside its region, in pixels. Then a kernel may
/// read some samples around it without a check, on any plane of a 4:2:0 picture.
inline constexpr float inside_margin = 8;

/// Whether a point is at least `margin` inside a region; see margin_for().
inline bool well_inside(const Region& region, float x, float y, float margin = inside_margin) {
  return x >= static_cast<float>(region.left) + margin &&
         x <= static_cast<float>(region.right) - margin &&
         y >= static_cast<float>(region.top) + margin &&
         y <= static_cast<float>(region.bottom) - margin;
}
inline float margin_for(float reduction) {
  return reduction > 0 ? inside_margin * std::exp2(std::ceil(reduction)) : inside_margin;
}

/// The largest number of smaller copies of the source, each half as large as the one before.
inline constexpr int most_reductions = 5;

/// Sides of a cell, pixels.
inline constexpr int largest_cell = 32;

/// For one patch of the output; most outputs are one.
struct WarpGrid {
  Size output;
  int left = 0, top = 0;  ///< position of the patch in the whole output
  Size source;
  int cell = 16;  ///< width and height of a cell, pixels of the output
  /// The number of cells. They cover the output, and the last ones may reach beyond it. The number
  /// of columns is even: a kernel may draw two of them together on a plane with half the samples.
  int columns = 0, rows = 0;

  /// Nodes: rows + 1 rows of columns + 1 nodes. The position of node (c, r) is (c * cell, r * cell)
  /// in continuous coordinates of the output. x and y are pixels of the source picture. Where no
  /// cell around the node needs the layer, they have no meaning but are finite.
  struct Layer {
    std::vector<float> x, y;
    std::vector<float> gain;  ///< factor on the layer's light; empty if it is 1 everywhere
    /// Corrections of single components; empty if there are none. RGB: factors on R, G and B in
    /// addition to the gain. Y'CbCr: the second and the third are added to Cb and Cr, in steps of 8
    /// bits.
    std::vector<float> tint[3];
    Region region;  ///< the part of the source that the layer may be read from
  };
  Layer layer[2];
  /// The weight of the first layer is clamp(first_weight, 0, 1), and the weight of the second one
  /// is the rest to 1. Empty if there is no second one.
  std::vector<float> first_weight;
  /// The copy of the source that a node is drawn from, where the output is coarser than the source:
  /// 0 is the source itself, 1 the copy of half the size, and values between them are a mix. Empty
  /// if it is 0 everywhere.
  std::vector<float> reduction;
  /// The coordinates of a node in an AddedField. Empty if there is none; without a meaning where no
  /// cell around the node has the flag cell_added. The azimuth is in turns, 0 to 1, and may jump
  /// from 1 to 0 within a cell. The height is in radians.
  std::vector<float> azimuth, height;
  /// The direction of a node in the axes of the source: x, y and z. Only if the source is a whole
  /// sphere, else empty.
  std::vector<float> direction[3];
  /// If the source is a sphere that consists of faces: their layout, and the face of each node. A
  /// cell whose corners are on several faces has the flag cell_exact.
  std::optional<CubeLayout> cube;
  std::vector<uint8_t> face;
  std::vector<uint8_t> cells;  ///< CellFlag bits, row by row

  int nodes_per_row() const { return columns + 1; }
  size_t node_count() const { return static_cast<size_t>(columns + 1) * (rows + 1); }
  uint8_t flags(int column, int row) const {
    return cells[static_cast<size_t>(row) * columns + column];
  }
  /// Whether the source is a whole sphere.
  bool is_sphere() const { return !direction[0].empty(); }
  /// Whether the left and right edges of the source meet.
  bool edges_meet() const { return is_sphere() && !cube; }
};

}  // namespace sphere

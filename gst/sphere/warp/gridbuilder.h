// SPDX-License-Identifier: LGPL-2.1-or-later
// Lays grids over an output: how fine they are, what their nodes look at, and what a source has
// there.

#pragma once

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/warp/grid.h"
#include "gst/sphere/warp/source.h"

namespace sphere {

/// Pixels, 1 to largest_cell; 0: most_cell, or less where that would miss GridBuilder::tolerance.
struct CellOptions {
  int cell = 0;
  int most_cell = 16;
  bool operator==(const CellOptions&) const = default;
};

/// Choosing cells is the slow part (a millisecond or so); build() is meant to be called for every
/// frame.
class GridBuilder {
 public:
  /// How far interpolation may put a point off, in pixels of the finer of source and output.
  static constexpr double tolerance = 0.09;

  explicit GridBuilder(const Canvas& canvas) : canvas_(canvas) {}

  /// Whether an output of this size can be drawn.
  static Status fits(const Canvas& canvas);

  /// Lays nodes for this source; says to it how far they are apart.
  void choose_cell(WarpSource& source, const CellOptions& options);

  int patches() const { return static_cast<int>(patches_.size()); }
  /// Fills the grid of a patch, for an output that looks in the direction of `view` (view to
  /// source). A grid that was built before for the same patch is refilled without allocation.
  void build(const WarpSource& source, const Mat3& view, WarpGrid& grid, int patch = 0) const;

  /// How many smaller copies of the source the grids ask for.
  int reductions() const { return reductions_; }
  /// What of them is to be drawn from where pixels are this far apart, in radians; see WarpGrid.
  float reduction(double pixel, const WarpSource& source) const;

  /// What the nodes of a patch look at, in the axes of the view: one row after the other, a node
  /// more than the grid has on each side.
  struct Directions {
    int columns = 0, rows = 0;  ///< cells
    std::vector<float> x, y, z;
    std::vector<float> reduction;  ///< see WarpGrid
    int nodes_per_row() const { return columns + 3; }
    /// Of the grid's node.
    size_t at(int column, int row) const {
      return static_cast<size_t>(row + 1) * nodes_per_row() + column + 1;
    }
  };
  const Directions& directions(int patch) const { return patches_[patch]; }

  const Canvas& canvas() const { return canvas_; }
  int cell() const { return cell_; }
  /// The largest angle from one node to the next, radians.
  double node_angle() const { return node_angle_; }
  /// Lays nodes with cells of this size.
  void set_cell(int cell, const WarpSource& source);

 private:
  /// How good the present cells are, over a sample of them.
  struct Quality {
    double worst_error = 0;  ///< see tolerance
    double exact_share = 0;  ///< of the cells, how many are worked out sample by sample
  };
  Quality measure(const WarpSource& source) const;
  void build_points(const WarpSource& source, const Mat3& view, const Directions& nodes,
                    WarpGrid& grid) const;
  void flag_cells(WarpGrid& grid) const;
  void flag_exact_cells(WarpGrid& grid) const;

  Canvas canvas_;
  std::vector<Directions> patches_;
  double node_angle_ = 0;
  int reductions_ = 0;
  int cell_ = 16;
};

}  // namespace sphere

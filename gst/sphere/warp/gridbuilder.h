// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the grids of an output: chooses the size of their cells, and calculates directions of nodes
// and points in the source.

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

/// The choice of cells is slow (about a millisecond); build() is fast enough to be called for every
/// frame.
class GridBuilder {
 public:
  /// The largest error of an interpolated point, in pixels of the source or the output, whichever
  /// are smaller.
  static constexpr double tolerance = 0.09;

  /// `triangles`: cells are drawn as two triangles, as GL does; then points are interpolated in
  /// fewer cells of a sphere.
  explicit GridBuilder(const Canvas& canvas, bool triangles = false)
      : canvas_(canvas), triangles_(triangles) {}

  /// Whether an output of this size can be drawn.
  static Status fits(const Canvas& canvas);

  /// Chooses cells and nodes for this source, and tells it the largest angle between nodes.
  void choose_cell(WarpSource& source, const CellOptions& options);

  int patches() const { return static_cast<int>(patches_.size()); }
  /// Fills the grid of a patch for an output with the rotation `view` (from view axes to source
  /// axes). A grid that was built before for the same patch is filled again without allocation.
  void build(const WarpSource& source, const Mat3& view, WarpGrid& grid, int patch = 0) const;

  /// The number of smaller copies of the source that the grids need.
  int reductions() const { return reductions_; }
  /// The reduction (see WarpGrid::reduction) where neighbouring pixels of the output are this angle
  /// apart, in radians.
  float reduction(double pixel, const WarpSource& source) const;

  /// The directions of the nodes of a patch in the axes of the view: row by row, with one more node
  /// on each side than the grid has.
  struct Directions {
    int columns = 0, rows = 0;  ///< cells
    std::vector<float> x, y, z;
    std::vector<float> reduction;  ///< see WarpGrid
    int nodes_per_row() const { return columns + 3; }
    /// Index of a node of the grid.
    size_t at(int column, int row) const {
      return static_cast<size_t>(row + 1) * nodes_per_row() + column + 1;
    }
  };
  const Directions& directions(int patch) const { return patches_[patch]; }

  const Canvas& canvas() const { return canvas_; }
  int cell() const { return cell_; }
  /// The largest angle from one node to the next, radians.
  double node_angle() const { return node_angle_; }
  /// Makes the nodes for cells of this size.
  void set_cell(int cell, const WarpSource& source);

 private:
  /// The quality of the present cells, measured in some of them.
  struct Quality {
    double worst_error = 0;  ///< see tolerance
    double exact_share = 0;  ///< the part of the cells that is calculated sample by sample
  };
  Quality measure(const WarpSource& source) const;
  void build_points(const WarpSource& source, const Mat3& view, const Directions& nodes,
                    WarpGrid& grid) const;
  void flag_cells(WarpGrid& grid) const;
  // The same for a source that is a whole sphere.
  void build_sphere_points(const WarpSource& source, const Mat3& view, const Directions& nodes,
                           WarpGrid& grid) const;
  void flag_sphere_cells(WarpGrid& grid) const;

  Canvas canvas_;
  std::vector<Directions> patches_;
  double node_angle_ = 0;
  int reductions_ = 0;
  int cell_ = 16;
  bool triangles_;
};

}  // namespace sphere

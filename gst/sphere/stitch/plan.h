// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans a stitched picture, for both stitchers: builds the grids by which a pair of lenses is
// drawn.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/sphere/stitch/pairsource.h"
#include "gst/sphere/warp/gridbuilder.h"

namespace sphere {

struct PlanOptions {
  double lens_fov = 0;              ///< radians; 0: as the lens pair says
  double blend_width = radians(4);  ///< full width of the blend, radians; 0: a hard seam
  /// Whether blend_width is the width for the coarsest of several frequency bands. Then the weights
  /// in the grid are those of the finest band, and Multiband blends the others.
  bool multiband = false;
  /// Metres: objects at this distance are shown at the same point by both lenses, as calculated
  /// from the pair's baseline. 0: infinitely far.
  double distance = 0;
  CellOptions cells;
  bool operator==(const PlanOptions&) const = default;
};

/// Makes grids from a lens pair. The constructor is slow (about a millisecond); build() is fast
/// enough to be called for every frame.
class Planner {
 public:
  /// Returns an error for sizes that don't fit: see fits().
  static Result<Planner> make(const LensPair& pair, Size source, const Canvas& canvas,
                              const PlanOptions& options = {});
  /// For an output of the whole sphere, equirectangular.
  static Result<Planner> make(const LensPair& pair, Size source, Size output,
                              const PlanOptions& options = {}) {
    return make(pair, source, Canvas(output), options);
  }

  /// Whether a picture of this size, with this pixel aspect ratio, can show the pair's frame; the
  /// error says which sizes can.
  static Status fits(const LensPair& pair, Size source, double pixel_aspect = 1);

  int patches() const { return grids_.patches(); }
  /// Fills the grid of a patch for an output with the rotation `view` (from view axes to camera
  /// axes). A grid that was built before for the same patch is filled again without allocation.
  void build(const Mat3& view, WarpGrid& grid, int patch = 0) const {
    grids_.build(source_, view, grid, patch);
  }
  /// The number of smaller copies of the source that the grids need.
  int reductions() const { return grids_.reductions(); }
  /// The reduction (see WarpGrid::reduction) where neighbouring pixels of the output are this angle
  /// apart, in radians.
  float reduction(double pixel) const { return grids_.reduction(pixel, source_); }
  const GridBuilder::Directions& directions(int patch) const { return grids_.directions(patch); }

  /// The exact weight of the front lens in a direction in camera axes.
  double first_weight(Vec3 direction) const { return source_.first_weight(direction); }
  /// The exact point where a lens shows a direction in camera axes.
  Point project(int lens, Vec3 direction) const { return source_.project(lens, direction); }

  /// The number of frequency bands that are blended over a larger width than the grid's: the
  /// coarsest one over `widest` radians, each finer one over half as much. 0: not requested, or the
  /// overlap is too narrow.
  int bands() const { return bands_; }
  double widest() const { return widest_; }
  /// Samples per radian around the seam: the smaller of the source's and the output's.
  double density() const { return density_; }

  const PairSource& source() const { return source_; }
  const LensPair& pair() const { return source_.pair(); }
  const Canvas& canvas() const { return grids_.canvas(); }
  int cell() const { return grids_.cell(); }

 private:
  Planner(PairSource source, const Canvas& canvas)
      : source_(std::move(source)), grids_(canvas), widest_(source_.band()) {}
  void divide_band();

  PairSource source_;  // scaled to the picture
  GridBuilder grids_;
  int bands_ = 0;
  double widest_ = 0, density_ = 0;
};

}  // namespace sphere

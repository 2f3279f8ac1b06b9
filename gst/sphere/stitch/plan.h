// SPDX-License-Identifier: LGPL-2.1-or-later
// What both stitchers obey, whatever the lens: the grids that a pair of lenses is drawn by.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/sphere/stitch/pairsource.h"
#include "gst/sphere/warp/gridbuilder.h"

namespace sphere {

struct PlanOptions {
  double lens_fov = 0;              ///< radians; 0: as the lens pair says
  double blend_width = radians(4);  ///< the whole band, radians; 0: a hard seam
  /// Whether the width is that of the widest of several bands of detail. The grid's own weight is
  /// that of the finest detail then; Multiband has the rest.
  bool multiband = false;
  /// How far away things are that both lenses are to show at one point, metres, by the pair's
  /// baseline; 0: infinitely far.
  double distance = 0;
  CellOptions cells;
  bool operator==(const PlanOptions&) const = default;
};

/// Turns a lens pair into grids. Making a planner is the slow part (a millisecond or so); build()
/// is meant to be called for every frame.
class Planner {
 public:
  /// Refuses sizes that don't fit: see fits().
  static Result<Planner> make(const LensPair& pair, Size source, const Canvas& canvas,
                              const PlanOptions& options = {});
  /// To a whole sphere, equirectangular.
  static Result<Planner> make(const LensPair& pair, Size source, Size output,
                              const PlanOptions& options = {}) {
    return make(pair, source, Canvas(output), options);
  }

  /// Whether a picture of this size, with this pixel aspect ratio, can show the pair's frame; the
  /// error says which sizes can.
  static Status fits(const LensPair& pair, Size source, double pixel_aspect = 1);

  int patches() const { return grids_.patches(); }
  /// Fills the grid of a patch, for an output that looks in the direction of `view` (view to
  /// camera). A grid that was built before for the same patch is refilled without allocation.
  void build(const Mat3& view, WarpGrid& grid, int patch = 0) const {
    grids_.build(source_, view, grid, patch);
  }
  /// How many smaller copies of the source the grids ask for.
  int reductions() const { return grids_.reductions(); }
  /// What of them is to be drawn from where pixels are this far apart, in radians; see WarpGrid.
  float reduction(double pixel) const { return grids_.reduction(pixel, source_); }
  const GridBuilder::Directions& directions(int patch) const { return grids_.directions(patch); }

  /// The exact weight of the front lens, of a direction in camera axes.
  double first_weight(Vec3 direction) const { return source_.first_weight(direction); }
  /// The exact point where a lens shows a direction in camera axes.
  Point project(int lens, Vec3 direction) const { return source_.project(lens, direction); }

  /// How many bands of detail are blended wider than the grid does, the widest over `widest`
  /// radians, each finer one over half as much. 0: not asked for, or the overlap is too narrow.
  int bands() const { return bands_; }
  double widest() const { return widest_; }
  /// Samples a radian around the seam that both the source and the output have.
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

// SPDX-License-Identifier: LGPL-2.1-or-later
// Stitches the pictures of one pair of lenses, one after the other: has the grids to draw by, the
// measurement of the seam, and the blend around it.

#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/stitch/multiband.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seam.h"
#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// To be called for each picture in this order: build(), strip() and measure(), match(), bands()
/// and blend(). Then the picture is drawn by grids() and field(). Nothing is allocated from the
/// second picture on.
class PairStitcher {
 public:
  PairStitcher(Planner planner, const SeamOptions& seam);

  /// Builds the grids for a view if it is not the same as the last one.
  void build(const Mat3& view);
  /// One for each patch of the output. Valid until the next call of build() or match();
  /// generation() has a new number after each change. No two PairStitchers ever have the same
  /// number.
  std::span<const WarpGrid> grids() const { return grids_; }
  unsigned generation() const { return generation_; }
  /// The number of smaller copies of the input that the grids need.
  int reductions() const { return planner_.reductions(); }

  /// The grid by which a strip of this picture's input, of SeamStrip::size, must be drawn first and
  /// passed to measure(); null if this picture needs none. The grid never changes.
  const WarpGrid* strip() const;
  unsigned strip_generation() const { return strip_generation_; }
  /// `alone`: this picture is not related to those before it.
  void measure(const StripPicture& strip, bool alone) { seam_->measure(strip, alone); }
  /// Applies the correction of the seam to the grids, if it is enabled. To be called once a
  /// picture. `alone`: this picture is related neither to those before nor to those after it.
  void match(bool alone);

  /// The grid by which a strip of this picture's input must be drawn next, in the grid's own size,
  /// and passed to blend(); null without multiband blending.
  const WarpGrid* bands() const { return bands_ ? &bands_->strip().grid() : nullptr; }
  unsigned bands_generation() const { return bands_generation_; }
  /// Several threads may call it at the same time, for different components.
  void blend(const StripPicture& strip, int component) { bands_->blend(strip, component); }
  /// The field that must be added to the picture that is drawn by the grids, or null.
  const AddedField* field() const { return bands_ ? &bands_->field() : nullptr; }

 private:
  const Planner planner_;
  std::optional<Seam> seam_;
  std::optional<Multiband> bands_;
  std::optional<Mat3> view_;
  std::vector<WarpGrid> grids_;
  // The generation of the seam's correction in the grids, and in the grid of bands(); none: not
  // applied yet.
  std::optional<unsigned> matched_, matched_bands_;
  const unsigned strip_generation_;
  unsigned generation_ = 0, bands_generation_;
  unsigned pictures_ = 0;  // since the first measurement of the seam
};

}  // namespace sphere

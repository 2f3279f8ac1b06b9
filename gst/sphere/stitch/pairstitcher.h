// SPDX-License-Identifier: LGPL-2.1-or-later
// One pair of lenses on its way from picture to picture: the grids to draw by, and what is measured
// and blended around the seam.

#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/stitch/multiband.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seam.h"
#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// For each picture, in this order: build(), strip() and measure(), match(), bands() and blend(),
/// and then the picture is drawn by grids() and field(). Nothing is allocated from the second
/// picture on.
class PairStitcher {
 public:
  PairStitcher(Planner planner, const SeamOptions& seam);

  /// Builds the grids for a view, where it is another than the last one.
  void build(const Mat3& view);
  /// One for each patch of the output. Valid until the next call of build() or match();
  /// generation() is another number after each change, whichever PairStitcher they are of.
  std::span<const WarpGrid> grids() const { return grids_; }
  unsigned generation() const { return generation_; }
  /// How many smaller copies of the input the grids ask for.
  int reductions() const { return planner_.reductions(); }

  /// What is to be drawn of this picture's input first, of SeamStrip::size, and handed to
  /// measure(); null where nothing is, for this picture. It never changes.
  const WarpGrid* strip() const;
  unsigned strip_generation() const { return strip_generation_; }
  /// `alone`: this picture has nothing to do with those before.
  void measure(const StripPicture& strip, bool alone) { seam_->measure(strip, alone); }
  /// Matches the seam in the grids, where that is wanted. Once a picture. `alone`: as above, and as
  /// those to come.
  void match(bool alone);

  /// What is to be drawn of this picture's input next, of its own size, and handed to blend(); null
  /// where bands are not blended.
  const WarpGrid* bands() const { return bands_ ? &bands_->strip().grid() : nullptr; }
  unsigned bands_generation() const { return bands_generation_; }
  /// Threads may take different components at a time.
  void blend(const StripPicture& strip, int component) { bands_->blend(strip, component); }
  /// What is to be added to the picture that is drawn by the grids, or null.
  const AddedField* field() const { return bands_ ? &bands_->field() : nullptr; }

 private:
  const Planner planner_;
  std::optional<Seam> seam_;
  std::optional<Multiband> bands_;
  std::optional<Mat3> view_;
  std::vector<WarpGrid> grids_;
  // The seam's generation that the grids have, and that the bands' grid has; none: not yet.
  std::optional<unsigned> matched_, matched_bands_;
  const unsigned strip_generation_;
  unsigned generation_ = 0, bands_generation_;
  unsigned pictures_ = 0;  // since the seam was first looked at
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/pairstitcher.h"

#include <atomic>
#include <utility>

namespace sphere {

namespace {

// The seam is measured on one of this many pictures, and smoothed on all of them: light and
// distances change slowly, and a measurement takes effect over some pictures in any case.
constexpr unsigned pictures_a_measure = 3;

/// A number that was not given to any grid before.
unsigned next_generation() {
  static std::atomic<unsigned> last{0};
  return ++last;
}

}  // namespace

PairStitcher::PairStitcher(Planner planner, const SeamOptions& seam)
    : planner_(std::move(planner)),
      grids_(planner_.patches()),
      strip_generation_(next_generation()),
      bands_generation_(next_generation()) {
  if (seam.gain || seam.align) seam_.emplace(planner_, seam);
  if (!planner_.bands()) return;
  bands_.emplace(planner_);
  if (seam_) seam_->prepare(bands_->strip());
}

void PairStitcher::build(const Mat3& view) {
  if (view_ == view) return;
  for (int patch = 0; patch < planner_.patches(); ++patch) {
    planner_.build(view, grids_[patch], patch);
    if (seam_) seam_->prepare(view, grids_[patch], patch);
    if (bands_) bands_->prepare(view, grids_[patch], patch);
  }
  view_ = view;
  matched_.reset();
  generation_ = next_generation();
}

const WarpGrid* PairStitcher::strip() const {
  if (!seam_ || !seam_->usable() || pictures_ % pictures_a_measure) return nullptr;
  return &seam_->strip().grid();
}

void PairStitcher::match(bool alone) {
  if (!seam_ || !seam_->usable()) return;
  seam_->settle();
  if (matched_ != seam_->generation()) {
    for (size_t patch = 0; patch < grids_.size(); ++patch)
      seam_->apply(grids_[patch], static_cast<int>(patch));
    matched_ = seam_->generation();
    generation_ = next_generation();
  }
  if (bands_ && matched_bands_ != seam_->generation()) {
    seam_->apply_to(bands_->strip());
    matched_bands_ = seam_->generation();
    bands_generation_ = next_generation();
  }
  pictures_ = alone ? 0 : pictures_ + 1;
}

}  // namespace sphere

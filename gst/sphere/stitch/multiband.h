// SPDX-License-Identifier: LGPL-2.1-or-later
// Multiband blending, calculated only in the overlap.
//
// Two pictures F and B are blended in each frequency band: the result is the sum over k of w_k F_k
// + (1 - w_k) B_k. F_k and B_k are the bands of their Laplacian pyramids, and w_k is a ramp across
// the seam, which is wider for coarser bands. With D = F - B, the same result is w_0 F' + (1 - w_0)
// B', which a grid draws with a narrow blend: B' is B plus the sum over k > 0 of w_k D_k, and F' is
// F plus the sum over k > 0 of (w_k - 1) D_k. Both sums have no detail that needs more than half of
// the samples, and they are 0 where only one lens is shown. Therefore only a strip along the seam
// is calculated in addition to the picture.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seamstrip.h"
#include "gst/sphere/warp/addedfield.h"

namespace sphere {

/// Belongs to one planner, which has bands(). Nothing is allocated from the second frame on.
class Multiband {
 public:
  explicit Multiband(const Planner& planner);

  /// The strip that must be drawn of each frame, and passed to blend().
  const SeamStrip& strip() const { return strip_; }
  SeamStrip& strip() { return strip_; }

  /// Writes the azimuth and the height of each node into the grid of a patch, which must just have
  /// been built for this view.
  void prepare(const Mat3& view, WarpGrid& grid, int patch = 0) const;
  /// Calculates the field of one component. Several threads may call it at the same time, for
  /// different components.
  void blend(const StripPicture& strip, int component);
  const AddedField& field() const { return field_; }

 private:
  struct Level {
    int columns = 0, rows = 0;
    std::vector<float> samples;
    float* row(int r) { return &samples[static_cast<size_t>(r) * columns]; }
  };
  /// The weights of a level's rows in one row of the field.
  struct RowWeights {
    int first = 0;
    std::vector<float> factors;
  };
  /// The pyramid of the difference between the lenses. Its finest level has half of the strip's
  /// samples.
  struct Pyramid {
    int step_x = 0, step_y = 0;
    std::vector<Level> levels;
    std::vector<std::vector<RowWeights>> row_weights;  // of each level, for each row of the field
    std::vector<int16_t> difference;                   // some rows of the strip
    std::vector<float> sum, coarser;  // a row of the field that is being calculated
  };
  void shape(const StripPicture::Component& picture, Pyramid& pyramid,
             AddedField::Component& field) const;
  void reduce(const StripPicture::Component& picture, Pyramid& pyramid) const;

  const Planner planner_;
  SeamStrip strip_;
  Pyramid pyramids_[3];
  AddedField field_;
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Multiband blending, in the overlap alone.
//
// Two pictures F and B, blended band by band: the sum over k of w_k F_k + (1 - w_k) B_k, where F_k
// and B_k are the bands of their Laplacian pyramids and w_k is a ramp across the seam, the wider
// the coarser its band is. With D = F - B this is w_0 F + (1 - w_0) B, which is what a grid draws
// with a narrow blend, once something was added to each lens: the sum over k > 0 of w_k D_k to B,
// and the same without the sum of D_k to F. Both hold no detail that half of the samples could not
// show, and vanish where a lens has the picture alone. So all that is worked out beside the picture
// is a strip along the seam.

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

  /// What is to be drawn of each frame, and handed to blend().
  const SeamStrip& strip() const { return strip_; }
  SeamStrip& strip() { return strip_; }

  /// Takes the grid of a patch that was just built for a view: says where its nodes are around the
  /// seam.
  void prepare(const Mat3& view, WarpGrid& grid, int patch = 0) const;
  /// Works out the field of one component. Threads may take different components at a time.
  void blend(const StripPicture& strip, int component);
  const AddedField& field() const { return field_; }

 private:
  struct Level {
    int columns = 0, rows = 0;
    std::vector<float> samples;
    float* row(int r) { return &samples[static_cast<size_t>(r) * columns]; }
  };
  /// What a row of the field takes of the rows of a level.
  struct RowWeights {
    int first = 0;
    std::vector<float> factors;
  };
  /// The pyramid of the difference of the lenses, from half of the strip's samples on.
  struct Pyramid {
    int step_x = 0, step_y = 0;
    std::vector<Level> levels;
    std::vector<std::vector<RowWeights>> row_weights;  // of each level, for each row of the field
    std::vector<int16_t> difference;                   // some rows of the strip
    std::vector<float> sum, coarser;                   // a row of the field as it grows
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

// SPDX-License-Identifier: LGPL-2.1-or-later
// Matches the two lenses around the seam, in brightness and in position. Differences are measured
// in strips, smoothed over time, and applied to a grid: fully at the seam, and less with the
// distance from it.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/disparity.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seamgain.h"
#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

struct SeamOptions {
  bool gain = false, align = false;
  bool rgb = false;  ///< whether the planes are RGB; else Y'CbCr
  bool operator==(const SeamOptions&) const = default;
};

/// Belongs to one planner. Nothing is allocated from the second frame on.
class Seam {
 public:
  /// The largest change of a lens's gain from one frame to the next. It avoids flicker.
  static constexpr float largest_step = 0.004f;

  Seam(const Planner& planner, const SeamOptions& options);

  const SeamOptions& options() const { return options_; }
  /// False if the overlap of the lenses is too narrow. Then there is nothing to draw or to measure.
  bool usable() const { return strip_.half() > 0; }
  const SeamStrip& strip() const { return strip_; }

  /// Prepares the grid of a patch, which must just have been built for this view. Call apply()
  /// next.
  void prepare(const Mat3& view, WarpGrid& grid, int patch = 0);
  /// Prepares a new strip (not the one that is measured) which must be drawn with the same
  /// correction as the output. Call apply_to() next.
  void prepare(SeamStrip& strip);
  /// Measures a strip. The result of the first one is applied at once, later ones over some frames.
  /// `alone`: the picture is not related to those before it, and its result is applied at once,
  /// too.
  void measure(const StripPicture& strip, bool alone = false);
  /// Moves the correction towards the measured values, by the step of one frame.
  void settle();
  /// Is increased with each change of the correction. While it is the same as at the last apply(),
  /// a grid that was not prepared again needs no new apply().
  unsigned generation() const { return generation_; }
  /// Applies the present correction to the prepared grid.
  void apply(WarpGrid& grid, int patch = 0) const { apply(grid, patches_[patch]); }
  void apply_to(SeamStrip& strip) const { apply(strip.grid(), strip_patch_); }

  /// Half of the disparity around the seam that is applied now, radians.
  const std::vector<float>& shift() const { return shift_; }
  const SeamLight& light() const { return light_; }

 private:
  /// A node that is near enough to the seam to be corrected.
  struct Node {
    uint32_t index;
    float azimuth;             ///< in turns, 0 to 1
    float light_weight[2];     ///< the part of each lens's correction of light that is applied
    bool moves;                ///< whether any part of the shift is applied
    float x[2], y[2];          ///< position without a correction
    float per_x[2], per_y[2];  ///< change of the position, pixels per radian of shift
    float gain[2];
  };
  struct Patch {
    std::vector<Node> nodes;
    std::vector<uint32_t> edge_cells;  // cells that a shift may move to the edge of a lens's region
  };
  double largest_shift() const { return strip_.row_height() * DisparityFinder::largest / 2; }
  float slope(int lens, double height) const;
  void begin(WarpGrid& grid, Patch& patch) const;
  void add_node(uint32_t index, float azimuth, const double (&height)[2], const WarpGrid& grid,
                Patch& patch) const;
  void mark_cells(WarpGrid& grid, Patch& patch) const;
  static void check_edges(WarpGrid& grid, const Patch& patch);
  void apply(WarpGrid& grid, const Patch& patch) const;

  const Planner planner_;
  const SeamOptions options_;
  SeamStrip strip_;
  DisparityFinder finder_;
  double least_ = 0, most_ = 0;  // disparities that are searched, rows
  double steepest_ = 0;          // their largest change from column to column
  double usual_miss_ = 0;        // by how much those of far things deviate
  bool measured_ = false;

  std::vector<float> no_disparity_;
  std::vector<float> shift_, wanted_shift_, applied_;  // applied_: shift_ as a disparity in rows
  SeamLight light_, wanted_light_;
  unsigned generation_ = 0;
  std::vector<Patch> patches_;
  Patch strip_patch_;             // of the strip of prepare(SeamStrip&)
  std::vector<float> slopes_[2];  // slope of each lens's radial model, by height
};

}  // namespace sphere

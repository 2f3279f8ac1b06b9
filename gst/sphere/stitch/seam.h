// SPDX-License-Identifier: LGPL-2.1-or-later
// Matches the two lenses around the seam, in brightness and in position: what is measured in strips
// is smoothed in time and worked into a grid, full at the seam and fading away from it.

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
  bool rgb = false;  ///< what the planes are: RGB, or Y'CbCr
  bool operator==(const SeamOptions&) const = default;
};

/// Belongs to one planner. Nothing is allocated from the second frame on.
class Seam {
 public:
  /// The most that a lens's light changes from one frame to the next; so nothing flickers.
  static constexpr float largest_step = 0.004f;

  Seam(const Planner& planner, const SeamOptions& options);

  const SeamOptions& options() const { return options_; }
  /// False where the lenses see too little in common; then there is nothing to draw or to measure.
  bool usable() const { return strip_.half() > 0; }
  const SeamStrip& strip() const { return strip_; }

  /// Takes the grid of a patch that was just built for a view. To be followed by apply().
  void prepare(const Mat3& view, WarpGrid& grid, int patch = 0);
  /// Takes a new strip, another than the one that is measured, which is to be drawn as the grid is.
  /// To be followed by apply_to().
  void prepare(SeamStrip& strip);
  /// Looks at a strip. The first one counts at once, later ones over some frames; `alone` says that
  /// this picture has nothing to do with those before.
  void measure(const StripPicture& strip, bool alone = false);
  /// Goes one frame further towards what was measured.
  void settle();
  /// Counts the changes of the state that apply() works into plans: where it is the same as at the
  /// last apply(), a grid that was not prepared anew is as it should be.
  unsigned generation() const { return generation_; }
  /// Works the present state into the prepared grid.
  void apply(WarpGrid& grid, int patch = 0) const { apply(grid, patches_[patch]); }
  void apply_to(SeamStrip& strip) const { apply(strip.grid(), strip_patch_); }

  /// Half the disparity around the seam, radians, as it is now.
  const std::vector<float>& shift() const { return shift_; }
  const SeamLight& light() const { return light_; }

 private:
  /// A node near enough to the seam to be changed.
  struct Node {
    uint32_t index;
    float azimuth;             ///< in turns, 0 to 1
    float light_weight[2];     ///< how much of the light each lens takes
    bool moves;                ///< whether it takes anything of the shift
    float x[2], y[2];          ///< where it is without
    float per_x[2], per_y[2];  ///< and where it goes, pixels a radian
    float gain[2];
  };
  struct Patch {
    std::vector<Node> nodes;
    std::vector<uint32_t> edge_cells;  // that a shift may take to the edge of a lens's region
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
  bool measured_ = false;

  std::vector<float> no_disparity_;
  std::vector<float> shift_, wanted_shift_;
  SeamLight light_, wanted_light_;
  unsigned generation_ = 0;
  std::vector<Patch> patches_;
  Patch strip_patch_;             // of the strip that is drawn as the picture is
  std::vector<float> slopes_[2];  // how fast a lens's picture grows with the angle, by height
};

}  // namespace sphere

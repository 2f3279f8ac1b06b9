// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan: what both stitchers obey, whatever the lens.
//
// Over the output lies a coarse grid. At each node the plan holds, for each lens, the place in the
// source picture, and one blend coordinate; between nodes all of them are interpolated linearly.
// Each cell says which lens it needs. The kernel, SIMD or shader, knows no lens model.

#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// What a cell needs, as bits.
enum CellFlag : uint8_t {
  cell_front = 1,         ///< the front lens is seen somewhere in the cell
  cell_back = 2,          ///< the back lens is seen somewhere in the cell
  cell_front_inside = 4,  ///< all of the cell's front coordinates lie well inside its region
  cell_back_inside = 8,   ///< likewise for the back lens
  cell_lit = 16,          ///< somewhere in the cell a lens's light is changed
  cell_reduced = 32,      ///< somewhere in the cell a smaller copy of the source is to be read
  cell_banded = 64,       ///< somewhere in the cell a SeamField is added to what is drawn
};

/// How far inside its region a coordinate is to count as "inside": then a kernel may read a few
/// samples around it, on any plane of a 4:2:0 picture, without looking.
inline constexpr float inside_margin = 8;

/// Whether a coordinate is inside a region by that much, or more where copies of the source are
/// read.
inline bool well_inside(const Region& region, float x, float y, float margin = inside_margin) {
  return x >= static_cast<float>(region.left) + margin &&
         x <= static_cast<float>(region.right) - margin &&
         y >= static_cast<float>(region.top) + margin &&
         y <= static_cast<float>(region.bottom) - margin;
}
inline float margin_for(float reduction) {
  return reduction > 0 ? inside_margin * std::exp2(std::ceil(reduction)) : inside_margin;
}

/// How many smaller copies of the source a plan may ask for, each half as large as the one before.
inline constexpr int most_reductions = 5;

/// For one patch of the output; most outputs are one.
struct Plan {
  Size output;
  int left = 0, top = 0;  ///< where the patch begins in the whole output
  Size source;
  int cell = 16;  ///< pixels of the output a cell, both ways
  /// Cells. They cover the output, the last ones may reach beyond; the count of columns is even, so
  /// that a kernel may take them two by two on a plane with half the samples.
  int columns = 0, rows = 0;

  /// Nodes, (columns + 1) a row, rows + 1 rows; node (c, r) stands at (c * cell, r * cell) of the
  /// output in continuous coordinates. x and y are pixels of the source picture; meaningless where
  /// no cell around the node needs the lens, but always finite.
  struct Coordinates {
    std::vector<float> x, y;
    std::vector<float> gain;  ///< factor on the lens's light; empty when it is 1 everywhere
    /// What differs between components, empty when nothing does. RGB: factors beside the gain, R, G
    /// and B. Y'CbCr: the second and third are added to Cb and Cr, in steps of 8 bits.
    std::vector<float> tint[3];
  };
  Coordinates lens[2];  ///< front, back
  /// The share of the front lens is clamp(blend, 0, 1); the back lens has the rest.
  std::vector<float> blend;
  /// Where the output is so much coarser than the source that it is to be drawn from copies: 0 is
  /// the source itself, 1 that of half the size, and between them is a mix. Empty when it is 0
  /// everywhere.
  std::vector<float> reduction;
  /// Where around the seam a node is, for a SeamField; empty when there is none, and meaningless
  /// where no cell around the node is banded. The azimuth in turns, 0 to 1: a cell may lie on the
  /// jump between them; the height in radians.
  std::vector<float> azimuth, height;
  std::vector<uint8_t> cells;  ///< CellFlag bits, columns a row

  Region region[2];  ///< what of the source each lens may be read from

  int nodes_per_row() const { return columns + 1; }
  size_t node_count() const { return static_cast<size_t>(columns + 1) * (rows + 1); }
  uint8_t flags(int column, int row) const {
    return cells[static_cast<size_t>(row) * columns + column];
  }
};

struct PlanOptions {
  double fov = 0;                   ///< radians; 0: as the lens pair says
  double blend_width = radians(4);  ///< the whole band, radians; 0: a hard seam
  /// Whether the width is that of the widest of several bands of detail. The plan's own blend is
  /// that of the finest detail then; Multiband has the rest.
  bool multiband = false;
  /// How far away things are that both lenses are to show in one place, metres, by the pair's
  /// baseline; 0: infinitely far.
  double distance = 0;
  int cell =
      0;  ///< pixels, 1 to 32; 0: most_cell, or less where that would miss Planner::tolerance
  int most_cell = 16;
  bool operator==(const PlanOptions&) const = default;
};

/// Turns a lens pair into plans. Making a planner is the slow part (a millisecond or so); build()
/// is meant to be called for every frame.
class Planner {
 public:
  /// How far interpolation may put a coordinate off, in pixels of the finer of source and output.
  static constexpr double tolerance = 0.09;
  static constexpr int largest_cell = 32;

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

  int patches() const { return static_cast<int>(patches_.size()); }
  /// Fills the plan of a patch, for an output that looks in the direction of `view` (view to
  /// camera). A plan that was built before for the same patch is refilled without allocation.
  void build(const Mat3& view, Plan& plan, int patch = 0) const;
  /// How many smaller copies of the source the plans ask for.
  int reductions() const { return reductions_; }
  /// What of them is to be drawn from where pixels are this far apart, in radians; see Plan.
  float reduction(double pixel) const;

  /// What the nodes of a patch look at, in the axes of the view: one row after the other, a node
  /// more than the plan has on each side.
  struct Directions {
    int columns = 0, rows = 0;  ///< cells
    std::vector<float> x, y, z;
    std::vector<float> reduction;  ///< see Plan
    int nodes_per_row() const { return columns + 3; }
    /// Of the plan's node.
    size_t at(int column, int row) const {
      return static_cast<size_t>(row + 1) * nodes_per_row() + column + 1;
    }
  };
  const Directions& directions(int patch) const { return patches_[patch]; }

  /// The exact blend coordinate of a direction in camera axes.
  double blend(Vec3 direction) const;
  /// The exact place where a lens shows a direction in camera axes.
  Point place(int lens, Vec3 direction) const;
  /// The exact factor on a lens's light there; has_gain() says whether it is ever other than 1.
  double gain(int lens, Vec3 direction) const;
  bool has_gain() const { return has_gain_; }

  /// Half the difference of the angles to the back and the front axis, at which both lenses see:
  /// where it begins and ends, and where the seam is.
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }
  double middle() const { return middle_; }

  /// How many bands of detail are blended wider than the plan does, the widest over `widest`
  /// radians, each finer one over half as much. 0: not asked for, or the overlap is too narrow.
  int bands() const { return bands_; }
  double widest() const { return widest_; }
  /// Samples a radian around the seam that both the source and the output have.
  double density() const { return density_; }

  const LensPair& pair() const { return pair_; }
  const Canvas& canvas() const { return canvas_; }
  int cell() const { return cell_; }

 private:
  // The distance from the centre divided by the sine of the angle, against its cosine: smooth, so
  // that a node costs a look-up in place of two transcendental functions.
  struct Table {
    std::vector<float> scale, gain;
    float lowest_cosine = 0, per_cosine = 0;
  };

  explicit Planner(const Canvas& canvas) : canvas_(canvas) {}
  void look(int cell);
  void make_tables();
  void divide_band();
  bool missing(int lens, float y) const;
  double worst_error() const;

  LensPair pair_;  // scaled to the source
  Canvas canvas_;
  std::vector<Directions> patches_;
  double coarsest_ = 0;  // angle from one node to the next
  int reductions_ = 0;
  double band_ = 0;    // width of the blend, radians
  double middle_ = 0;  // where it is centred: half the difference of the angles to the axes
  double lowest_ = 0, highest_ = 0;  // the same measure, at the rims of the lenses
  double shift_ = 0;                 // of a lens off the middle, against the distance of things
  double reach_ = 0;  // angle off the axis up to which a lens is needed, some cells included
  int bands_ = 0;
  double widest_ = 0, density_ = 0;
  float fade_ = 0;  // pixels of the source, in which light goes where rows are missing
  int cell_ = 16;
  bool has_gain_ = false;
  Table table_[2];
};

}  // namespace sphere

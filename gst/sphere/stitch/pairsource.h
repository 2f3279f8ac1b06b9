// SPDX-License-Identifier: LGPL-2.1-or-later
// A pair of lenses as a source: two layers, and how they are blended between them.

#pragma once

#include <vector>

#include "gst/sphere/lens/pair.h"
#include "gst/sphere/warp/source.h"

namespace sphere {

/// The first layer is the front lens, the second one the back lens.
///
/// Height is the coordinate across the seam, from the rim of one lens to the rim of the other: half
/// the difference between the angle to the back axis and the angle to the front axis. The centre of
/// the blend is at the height middle(): on the bisector of the two lenses, or as near to it as the
/// lens with the smaller field of view allows.
class PairSource final : public WarpSource {
 public:
  /// `pair` has the size of the picture. The widths are in radians; `distance` in metres, 0:
  /// infinitely far.
  PairSource(LensPair pair, double blend_width, double distance);

  Size size() const override { return pair_.frame; }
  int layers() const override { return 2; }
  Region region(int lens) const override { return pair_[lens].region; }
  double resolution() const override;
  bool has_gain() const override { return has_gain_; }
  void set_node_angle(double angle) override;
  void project_row(const Mat3& view, const DirectionRow& directions,
                   const ProjectedRow& out) const override;
  Point project(int lens, Vec3 direction) const override;
  /// The weight of the front lens, not clamped.
  double first_weight(Vec3 direction) const override;
  /// The exact factor on a lens's light in this direction. It is 1 everywhere if has_gain() is
  /// false.
  double gain(int lens, Vec3 direction) const;

  const LensPair& pair() const { return pair_; }
  /// Heights of the overlap: its lower and upper end, and the seam.
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }
  double middle() const { return middle_; }
  /// Width of the blend, radians.
  double band() const { return band_; }
  /// Makes the blend narrower, with the same centre.
  void set_band(double band) { band_ = band; }

 private:
  // Indexed by the cosine of the angle to the axis. `scale` is the distance from the image centre
  // divided by the sine of the angle. It is smooth, therefore a node needs one table look-up
  // instead of two transcendental functions.
  struct Table {
    std::vector<float> scale, gain;
    float lowest_cosine = 0, per_cosine = 0;
  };
  void make_tables();
  bool is_missing(int lens, float y) const;

  LensPair pair_;
  double band_ = 0;
  double middle_ = 0;
  double lowest_ = 0, highest_ = 0;
  double slack_ = 0;  // angle between each axis and the line on which both would be opposite
  double shift_ = 0;  // distance of a lens from the middle, divided by the distance of objects
  double reach_ = 0;  // largest angle from the axis that is needed, with a margin of some cells
  float fade_ = 0;  // pixels of the source: nodes nearer than this to missing rows have the gain 0
  bool has_gain_ = false;
  Table table_[2];
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// A pair of lenses as a source: two layers, and how they are blended between them.

#pragma once

#include <vector>

#include "gst/sphere/lens/pair.h"
#include "gst/sphere/warp/source.h"

namespace sphere {

/// The first layer is the front lens, the second one the back lens.
///
/// Half the difference of the angles to the back and the front axis runs across the seam, from one
/// lens's rim to the other's; it is called height here. The blend is centred at middle(), on the
/// bisector of the lenses, or as near to it as the narrower lens allows.
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
  /// The exact factor on a lens's light there; has_gain() says whether it is ever other than 1.
  double gain(int lens, Vec3 direction) const;

  const LensPair& pair() const { return pair_; }
  /// The heights at which both lenses see: where they begin and end, and where the seam is.
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }
  double middle() const { return middle_; }
  /// Width of the blend, radians.
  double band() const { return band_; }
  /// Makes the blend narrower, about the same middle.
  void set_band(double band) { band_ = band; }

 private:
  // The distance from the centre divided by the sine of the angle, against its cosine: smooth, so
  // that a node costs a look-up instead of two transcendental functions.
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
  double slack_ = 0;  // by how much each axis is off the line through both
  double shift_ = 0;  // of a lens off the middle, against the distance of things
  double reach_ = 0;  // angle off the axis up to which a lens is needed, some cells included
  float fade_ = 0;    // pixels of the source, in which light goes where rows are missing
  bool has_gain_ = false;
  Table table_[2];
};

}  // namespace sphere

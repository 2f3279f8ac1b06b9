// SPDX-License-Identifier: LGPL-2.1-or-later
// How directions lie in a picture: the whole sphere or a view of it.

#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "gst/sphere/geometry/cube.h"
#include "gst/sphere/geometry/equirect.h"

namespace sphere {

enum class Projection {
  equirect,       ///< the whole sphere, 2:1
  cubemap,        ///< six faces in three by two: right left up, down front back
  eac,            ///< equi-angular: left front right, and turned by a quarter: down back up
  perspective,    ///< as a camera without distortion sees it
  little_planet,  ///< stereographic, straight down in the middle, the front above it
  stereographic,
};

/// The names people type, in the order of Projection.
inline constexpr std::array<std::string_view, 6> projection_names = {
    "equirect", "cubemap", "eac", "perspective", "little-planet", "stereographic"};

/// Of the fields of view across the picture that a projection can show, radians. All 0 where it
/// always shows the whole sphere.
struct FieldRange {
  double smallest = 0, largest = 0, usual = 0;
};
FieldRange field_range(Projection projection);

/// Whether a projection always shows the whole sphere.
inline bool shows_all(Projection projection) { return field_range(projection).largest == 0; }

/// A picture to be drawn, and what is seen in it. It is drawn in patches, over each of which the
/// directions change smoothly; they lie side by side and begin at even pixels.
class Canvas {
 public:
  struct Patch {
    int x = 0, y = 0;  ///< where it begins in the picture
    Size size;
    int face = 0;  ///< see CubeLayout
  };

  /// The whole sphere, equirectangular.
  explicit Canvas(Size size) : Canvas(Projection::equirect, size) {}
  /// `fov` is across the picture, in radians, brought into the projection's range; 0: as usual. It
  /// means nothing where the whole sphere is shown, nor does the shape of a pixel.
  Canvas(Projection projection, Size size, double fov = 0, double pixel_aspect = 1);

  Projection projection() const { return projection_; }
  Size size() const { return size_; }
  const std::vector<Patch>& patches() const { return patches_; }

  /// The direction that is seen at a place in a patch, in pixels of the patch. Goes on smoothly
  /// beyond the patch's edges.
  Vec3 direction(const Patch& patch, Point p) const;

 private:
  Projection projection_;
  Size size_;
  double per_pixel_x_ = 0, per_pixel_y_ = 0;  // of a view: units of its plane
  std::vector<Patch> patches_;
  std::optional<CubeLayout> cube_;  // of projections with faces
};

}  // namespace sphere

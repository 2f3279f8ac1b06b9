// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws the scene as a pair of lenses sees it, or as the sphere itself, tile by tile.

#pragma once

#include <vector>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/lens/pair.h"
#include "gst/sphere/scene/scene.h"

namespace sphere {

/// A square of the picture. What is drawn lies over what was there: `cover` says by how much it
/// hides that, and the colour is already multiplied with it.
struct Tile {
  static constexpr int side = 16;
  struct Pixel {
    float r = 0, g = 0, b = 0, cover = 0;
  };
  Pixel pixels[side * side];
};

class Renderer {
 public:
  /// Through lenses that are scaled to the picture already. `supersample`: rays a pixel, along each
  /// side. With `depth` things stand at their distances, and each lens looks from its own place.
  static Renderer fisheye(const LensPair& pair, int supersample, bool depth = false);
  /// The true sphere; with `depth` as it is seen from half-way between the lenses.
  static Renderer equirect(Size size, int supersample, bool depth = false);

  Renderer(Renderer&&) = default;
  Renderer& operator=(Renderer&&) = default;

  Size size() const { return size_; }
  int columns() const { return columns_; }
  int rows() const { return rows_; }

  /// Draws what stands still. Nothing is drawn, and `cover` is 0, where no lens sees.
  void draw_still(Pattern pattern, int column, int row, Tile& tile) const;
  /// Draws what moves. False, with the tile untouched, where there is nothing of it.
  bool draw_moving_things(const MovingThings& moving_things, int column, int row, Tile& tile) const;

 private:
  /// The part of a tile that one lens draws; without a lens, the sphere's picture.
  struct Patch {
    const Lens* lens = nullptr;
    int left = 0, top = 0, right = 0, bottom = 0;
    Cone cone;           ///< all its directions are inside
    bool smooth = true;  ///< directions may be interpolated between a few that are exact
  };
  struct Patches {
    Patch patch[2];
    int count = 0;
  };

  class Rays;

  Renderer(Size size, int supersample, bool depth);
  Ray eye(const Patch& patch) const;
  void add_patches(int column, int row, Patches& patches) const;
  void measure(Patch& patch) const;
  Vec3 direction(const Patch& patch, Point p) const;
  template <typename ColourOf>
  Tile::Pixel pixel_at(const Rays& rays, int x, int y, const ColourOf& colour_of) const;
  bool draw_moving_thing(const MovingThings& moving_things, int thing, const Patch& patch,
                         int column, int row, Tile& tile) const;

  Size size_;
  int supersample_, columns_, rows_;
  bool depth_;
  double baseline_ = 0;
  std::vector<Lens> lenses_;  // which patches point into
  std::vector<Patches> tiles_;
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/scene/render.h"

#include <algorithm>
#include <cmath>

#include "gst/sphere/scene/parallax.h"

namespace sphere {

namespace {

// Directions are exact at every fourth pixel and interpolated between: over four pixels the chord
// leaves the arc by a few thousandths of a pixel.
constexpr int step = 4;

Ray ray_of(Vec3 v) {
  return {static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)};
}

Ray mix(Ray a, Ray b, float weight) {
  return {a.x + (b.x - a.x) * weight, a.y + (b.y - a.y) * weight, a.z + (b.z - a.z) * weight};
}

/// The pixels whose middles lie in a stretch, as first and past the last.
int first_pixel(double edge) { return static_cast<int>(std::ceil(edge - 0.5)); }

}  // namespace

Renderer::Renderer(Size size, int supersample, bool depth)
    : size_(size),
      supersample_(supersample),
      columns_((size.width + Tile::side - 1) / Tile::side),
      rows_((size.height + Tile::side - 1) / Tile::side),
      depth_(depth),
      tiles_(static_cast<size_t>(columns_) * rows_) {}

Renderer Renderer::fisheye(const LensPair& pair, int supersample, bool depth) {
  Renderer renderer(pair.frame, supersample, depth);
  renderer.baseline_ = pair.baseline;
  renderer.lenses_ = {pair.front, pair.back};
  for (int row = 0; row < renderer.rows_; ++row)
    for (int column = 0; column < renderer.columns_; ++column)
      renderer.add_patches(column, row, renderer.tiles_[row * renderer.columns_ + column]);
  return renderer;
}

Renderer Renderer::equirect(Size size, int supersample, bool depth) {
  Renderer renderer(size, supersample, depth);
  for (int row = 0; row < renderer.rows_; ++row)
    for (int column = 0; column < renderer.columns_; ++column)
      renderer.add_patches(column, row, renderer.tiles_[row * renderer.columns_ + column]);
  return renderer;
}

void Renderer::add_patches(int column, int row, Patches& patches) const {
  const int left = column * Tile::side, right = std::min(left + Tile::side, size_.width);
  const int top = row * Tile::side, bottom = std::min(top + Tile::side, size_.height);
  const auto add = [&](const Lens* lens, int l, int t, int r, int b) {
    if (l >= r || t >= b) return;
    Patch& patch = patches.patch[patches.count++];
    patch = {lens, l, t, r, b, {}, true};
    measure(patch);
  };
  if (lenses_.empty()) add(nullptr, left, top, right, bottom);
  for (const Lens& lens : lenses_)
    add(&lens, std::max(left, first_pixel(lens.region.left)),
        std::max(top, first_pixel(lens.region.top)),
        std::min(right, first_pixel(lens.region.right)),
        std::min(bottom, first_pixel(lens.region.bottom)));
}

void Renderer::measure(Patch& patch) const {
  const Point middle = {(patch.left + patch.right) / 2.0, (patch.top + patch.bottom) / 2.0};
  patch.cone.axis = direction(patch, middle);
  for (double y : {static_cast<double>(patch.top), middle.y, static_cast<double>(patch.bottom)})
    for (double x : {static_cast<double>(patch.left), middle.x, static_cast<double>(patch.right)}) {
      patch.cone.angle =
          std::max(patch.cone.angle, angle_between(patch.cone.axis, direction(patch, {x, y})));
      if (!patch.lens) continue;
      // At the rim the model ends, and what is not exact there would bend the picture.
      if (patch.lens->distance({x, y}) > patch.lens->model.radius() - 1) patch.smooth = false;
    }
  // Next to a pole a tile of the sphere's picture is a whole ring.
  patch.cone.angle *= 1.2;
  if (!patch.lens && (patch.top < Tile::side || patch.bottom > size_.height - Tile::side))
    patch.cone = {{0, patch.top < size_.height / 2 ? -1.0 : 1.0, 0},
                  2 * pi * Tile::side / size_.height};
}

Ray Renderer::eye(const Patch& patch) const {
  return patch.lens ? ray_of(baseline_ / 2 * patch.lens->axis()) : Ray{};
}

Vec3 Renderer::direction(const Patch& patch, Point p) const {
  return patch.lens ? patch.lens->unproject(p) : equirect_direction(p, size_);
}

/// The rays of one tile, through one lens.
class Renderer::Rays {
 public:
  Rays(const Renderer& renderer, const Patch& patch, int column, int row)
      : renderer_(renderer),
        patch_(patch),
        left_(column * Tile::side),
        top_(row * Tile::side),
        even_(!patch.lens || (patch.lens->vignette == Vignette{} && patch.lens->gain == 1)) {
    if (!patch.smooth) return;
    for (int j = 0; j < nodes; ++j)
      for (int i = 0; i < nodes; ++i)
        grid_[j][i] = ray_of(renderer.direction(
            patch, {static_cast<double>(left_ + i * step), static_cast<double>(top_ + j * step)}));
  }

  struct Sample {
    Ray ray;
    float light = 0;  ///< 0 outside the image circle
  };

  /// What is seen at a place of the picture.
  Sample at(double x, double y) const {
    Sample sample;
    sample.light = 1;
    if (patch_.lens && !(patch_.smooth && even_)) {
      const double distance = patch_.lens->distance({x, y});
      if (distance > patch_.lens->model.radius()) return {};
      if (!even_) sample.light = static_cast<float>(patch_.lens->brightness(distance));
    }
    if (!patch_.smooth) {
      sample.ray = ray_of(renderer_.direction(patch_, {x, y}));
      return sample;
    }
    const float gx = static_cast<float>(x - left_) / step;
    const float gy = static_cast<float>(y - top_) / step;
    const int ix = std::min(static_cast<int>(gx), nodes - 2);
    const int iy = std::min(static_cast<int>(gy), nodes - 2);
    const float fx = gx - static_cast<float>(ix), fy = gy - static_cast<float>(iy);
    sample.ray = mix(mix(grid_[iy][ix], grid_[iy][ix + 1], fx),
                     mix(grid_[iy + 1][ix], grid_[iy + 1][ix + 1], fx), fy);
    return sample;
  }

 private:
  static constexpr int nodes = Tile::side / step + 1;

  const Renderer& renderer_;
  const Patch& patch_;
  const int left_, top_;
  const bool even_;  ///< the lens is equally bright everywhere
  Ray grid_[nodes][nodes];
};

/// `colour_of` gives the colour of a ray, or nothing.
template <typename ColourOf>
Tile::Pixel Renderer::pixel_at(const Rays& rays, int x, int y, const ColourOf& colour_of) const {
  Tile::Pixel sum;
  for (int j = 0; j < supersample_; ++j)
    for (int i = 0; i < supersample_; ++i) {
      const Rays::Sample sample =
          rays.at(x + (i + 0.5) / supersample_, y + (j + 0.5) / supersample_);
      if (sample.light == 0) continue;
      const std::optional<Colour> colour = colour_of(sample.ray);
      if (!colour) continue;
      sum.r += std::min(colour->r * sample.light, 1.0f);
      sum.g += std::min(colour->g * sample.light, 1.0f);
      sum.b += std::min(colour->b * sample.light, 1.0f);
      sum.cover += 1;
    }
  const float weight = 1.0f / static_cast<float>(supersample_ * supersample_);
  return {sum.r * weight, sum.g * weight, sum.b * weight, sum.cover * weight};
}

void Renderer::draw_still(Pattern pattern, int column, int row, Tile& tile) const {
  tile = {};
  const Patches& patches = tiles_[static_cast<size_t>(row) * columns_ + column];
  for (int i = 0; i < patches.count; ++i) {
    const Patch& patch = patches.patch[i];
    const Ray from = eye(patch);
    const auto colour_of = [&](Ray ray) {
      return std::optional(depth_ ? near_colour(pattern, ray, from) : still_colour(pattern, ray));
    };
    const Rays rays(*this, patch, column, row);
    for (int y = patch.top; y < patch.bottom; ++y)
      for (int x = patch.left; x < patch.right; ++x)
        tile.pixels[y % Tile::side * Tile::side + x % Tile::side] = pixel_at(rays, x, y, colour_of);
  }
}

bool Renderer::draw_moving_things(const MovingThings& moving_things, int column, int row,
                                  Tile& tile) const {
  const Patches& patches = tiles_[static_cast<size_t>(row) * columns_ + column];
  bool drawn = false;
  for (int thing = 0; thing < MovingThings::count; ++thing) {
    const Cone& cone = moving_things.cones()[thing];
    for (int i = 0; i < patches.count; ++i) {
      const Patch& patch = patches.patch[i];
      const double moved = depth_ ? baseline_ / 2 / MovingThings::distance(thing) : 0;
      if (angle_between(cone.axis, patch.cone.axis) > cone.angle + patch.cone.angle + moved)
        continue;
      if (!drawn) tile = {};
      drawn |= draw_moving_thing(moving_things, thing, patch, column, row, tile);
    }
  }
  return drawn;
}

bool Renderer::draw_moving_thing(const MovingThings& moving_things, int thing, const Patch& patch,
                                 int column, int row, Tile& tile) const {
  const Rays rays(*this, patch, column, row);
  const Ray from = eye(patch);
  const auto colour_of = [&](Ray ray) {
    return moving_things.colour(
        thing, depth_ ? from_middle(ray, from, MovingThings::distance(thing)) : ray);
  };
  // These things are of few colours: a pixel whose corners and middle agree needs no more rays.
  constexpr int corners = Tile::side + 1;
  struct CornerColour {
    std::optional<Colour> colour;
    float light = 0;
    bool operator==(const CornerColour&) const = default;
  } corner_colours[corners][corners];
  const auto colour_at_corner = [&](double x, double y) -> CornerColour {
    const Rays::Sample sample = rays.at(x, y);
    if (sample.light == 0) return {};
    return {colour_of(sample.ray), sample.light};
  };
  for (int y = patch.top; y <= patch.bottom; ++y)
    for (int x = patch.left; x <= patch.right; ++x)
      corner_colours[y - row * Tile::side][x - column * Tile::side] = colour_at_corner(x, y);

  bool drawn = false;
  for (int y = patch.top; y < patch.bottom; ++y)
    for (int x = patch.left; x < patch.right; ++x) {
      const int i = x - column * Tile::side, j = y - row * Tile::side;
      const CornerColour& first = corner_colours[j][i];
      const bool plain = first == corner_colours[j][i + 1] && first == corner_colours[j + 1][i] &&
                         first == corner_colours[j + 1][i + 1] &&
                         first == colour_at_corner(x + 0.5, y + 0.5);
      Tile::Pixel above;
      if (!plain)
        above = pixel_at(rays, x, y, colour_of);
      else if (first.colour)
        above = {std::min(first.colour->r * first.light, 1.0f),
                 std::min(first.colour->g * first.light, 1.0f),
                 std::min(first.colour->b * first.light, 1.0f), 1};
      if (above.cover == 0) continue;
      drawn = true;
      Tile::Pixel& pixel = tile.pixels[j * Tile::side + i];
      const float past = 1 - above.cover;
      pixel = {pixel.r * past + above.r, pixel.g * past + above.g, pixel.b * past + above.b,
               pixel.cover * past + above.cover};
    }
  return drawn;
}

}  // namespace sphere

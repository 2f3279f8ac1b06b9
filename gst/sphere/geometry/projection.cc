// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/projection.h"

#include <algorithm>
#include <cmath>

namespace sphere {

namespace {

/// `x` and `y` in units of the plane that the sphere of diameter 1 is projected to.
Vec3 stereographic_direction(double x, double y) {
  const double s = x * x + y * y;
  return (1 / (1 + s)) * Vec3{2 * x, 2 * y, 1 - s};
}

}  // namespace

FieldRange field_range(Projection projection) {
  switch (projection) {
    case Projection::perspective:
      return {radians(1), radians(170), radians(90)};
    case Projection::little_planet:
      return {radians(1), radians(350), radians(270)};
    case Projection::stereographic:
      return {radians(1), radians(350), radians(180)};
    default:
      return {};
  }
}

Canvas::Canvas(Projection projection, Size size, double fov, double pixel_aspect)
    : projection_(projection), size_(size) {
  if (projection == Projection::cubemap || projection == Projection::eac) {
    constexpr int columns = CubeLayout::columns, rows = CubeLayout::rows;
    cube_.emplace(size, projection == Projection::eac);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const int left = CubeLayout::edge(column, columns, size.width);
        const int top = CubeLayout::edge(row, rows, size.height);
        patches_.push_back({left,
                            top,
                            {CubeLayout::edge(column + 1, columns, size.width) - left,
                             CubeLayout::edge(row + 1, rows, size.height) - top},
                            row * columns + column});
      }
    return;
  }
  patches_.push_back({0, 0, size, 0});
  if (projection == Projection::equirect) return;
  const FieldRange range = field_range(projection);
  const double across = fov > 0 ? std::clamp(fov, range.smallest, range.largest) : range.usual;
  const double half =
      projection == Projection::perspective ? std::tan(across / 2) : std::tan(across / 4);
  per_pixel_x_ = 2 * half / size.width;
  per_pixel_y_ = per_pixel_x_ / pixel_aspect;
}

Vec3 Canvas::direction(const Patch& patch, Point p) const {
  const double x = patch.x + p.x, y = patch.y + p.y;
  if (cube_) return cube_->direction(patch.face, {x, y});
  if (projection_ == Projection::equirect) return equirect_direction({x, y}, size_);
  const double across = (x - size_.width / 2.0) * per_pixel_x_;
  const double down = (y - size_.height / 2.0) * per_pixel_y_;
  if (projection_ == Projection::perspective) return normalised({across, down, 1});
  const Vec3 d = stereographic_direction(across, down);
  return projection_ == Projection::little_planet ? Vec3{d.x, d.z, -d.y} : d;
}

}  // namespace sphere

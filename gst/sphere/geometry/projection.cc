// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/projection.h"

#include <algorithm>
#include <cmath>

namespace sphere {

namespace {

constexpr int face_columns = 3, face_rows = 2;
// Around the equi-angular faces, as YouTube's have it and ffmpeg's v360 reads it: pixels at the
// ends of the rows, and above and below each of them.
constexpr double eac_padding = 2;

/// The edge of a face, at an even pixel.
int face_edge(int face, int faces, int pixels) {
  if (face == faces) return pixels;
  return static_cast<int>(std::lround(static_cast<double>(pixels) * face / faces / 2)) * 2;
}

/// u to the right and v downwards, both -1 to 1 over the face.
Vec3 cubemap_direction(int column, int row, double u, double v) {
  switch (row * face_columns + column) {
    case 0:
      return {1, v, -u};
    case 1:
      return {-1, v, u};
    case 2:
      return {u, -1, v};
    case 3:
      return {u, 1, -v};
    case 4:
      return {u, v, 1};
    default:
      return {-u, v, -1};
  }
}

Vec3 eac_direction(int column, int row, double u, double v) {
  switch (row * face_columns + column) {
    case 0:
      return {-1, v, u};
    case 1:
      return {u, v, 1};
    case 2:
      return {1, v, -u};
    case 3:
      return {-v, 1, -u};
    case 4:
      return {-v, -u, -1};
    default:
      return {-v, -1, u};
  }
}

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
    for (int row = 0; row < face_rows; ++row)
      for (int column = 0; column < face_columns; ++column) {
        const int left = face_edge(column, face_columns, size.width);
        const int top = face_edge(row, face_rows, size.height);
        patches_.push_back({left,
                            top,
                            {face_edge(column + 1, face_columns, size.width) - left,
                             face_edge(row + 1, face_rows, size.height) - top},
                            column,
                            row});
      }
    return;
  }
  patches_.push_back({0, 0, size, 0, 0});
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
  switch (projection_) {
    case Projection::equirect:
      return equirect_direction({x, y}, size_);
    case Projection::cubemap: {
      const double u = 2 * (x * face_columns / size_.width - patch.column) - 1;
      const double v = 2 * (y * face_rows / size_.height - patch.row) - 1;
      return normalised(cubemap_direction(patch.column, patch.row, u, v));
    }
    case Projection::eac: {
      const double face_width = (size_.width - 2 * eac_padding) / face_columns;
      const double face_height = size_.height / static_cast<double>(face_rows) - 2 * eac_padding;
      const double u = 2 * ((x - eac_padding) / face_width - patch.column) - 1;
      const double top = patch.row * (size_.height / static_cast<double>(face_rows)) + eac_padding;
      const double v = 2 * (y - top) / face_height - 1;
      // A quarter of a circle across a face. A cell's corner is never so far from it that the
      // tangent would turn over.
      const auto angle = [](double w) { return std::tan(std::clamp(w, -1.8, 1.8) * pi / 4); };
      return normalised(eac_direction(patch.column, patch.row, angle(u), angle(v)));
    }
    default:
      break;
  }
  const double across = (x - size_.width / 2.0) * per_pixel_x_;
  const double down = (y - size_.height / 2.0) * per_pixel_y_;
  if (projection_ == Projection::perspective) return normalised({across, down, 1});
  const Vec3 d = stereographic_direction(across, down);
  return projection_ == Projection::little_planet ? Vec3{d.x, d.z, -d.y} : d;
}

}  // namespace sphere

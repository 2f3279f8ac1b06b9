// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/geometry/cube.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gst/sphere/geometry/arctangent.h"

namespace sphere {

namespace {

constexpr Vec3 right = {1, 0, 0}, left = {-1, 0, 0}, up = {0, -1, 0}, down = {0, 1, 0},
               front = {0, 0, 1}, back = {0, 0, -1};
constexpr CubeFace cubemap_faces[CubeLayout::faces] = {{right, back, down},  {left, front, down},
                                                       {up, right, front},   {down, right, back},
                                                       {front, right, down}, {back, left, down}};
constexpr CubeFace equiangular_faces[CubeLayout::faces] = {
    {left, front, down}, {front, right, down}, {right, back, down},
    {down, back, left},  {back, up, left},     {up, front, left}};

// Around the equi-angular faces, as YouTube's have it and ffmpeg's v360 reads it: pixels at the
// ends of the rows, and above and below each of them.
constexpr double padding = 2;

// The largest coordinate on a face, -1 to 1 inside of it. A cell's corner is never so far from an
// equi-angular face that the tangent would turn over.
constexpr double farthest = 1.8;

}  // namespace

CubeLayout::CubeLayout(Size size, bool equiangular)
    : size_(size),
      equiangular_(equiangular),
      width_((size.width - (equiangular ? 2 * padding : 0)) / columns),
      height_(size.height / static_cast<double>(rows) - (equiangular ? 2 * padding : 0)) {}

const CubeFace& CubeLayout::face(int face) const {
  return (equiangular_ ? equiangular_faces : cubemap_faces)[face];
}

int CubeLayout::edge(int face, int count, int pixels) {
  if (face == count) return pixels;
  return static_cast<int>(std::lround(static_cast<double>(pixels) * face / count / 2)) * 2;
}

Region CubeLayout::area(int face) const {
  const int column = face % columns, row = face / columns;
  const double around = equiangular_ ? padding : 0;
  const double x = around + column * width_;
  const double y = row * (size_.height / static_cast<double>(rows)) + around;
  return {x, y, x + width_, y + height_};
}

Region CubeLayout::pixels(int face) const {
  const int column = face % columns, row = face / columns;
  if (!equiangular_)
    return {static_cast<double>(edge(column, columns, size_.width)),
            static_cast<double>(edge(row, rows, size_.height)),
            static_cast<double>(edge(column + 1, columns, size_.width)),
            static_cast<double>(edge(row + 1, rows, size_.height))};
  const Region all = area(face);
  return {column > 0 ? std::floor(all.left) : std::ceil(all.left), std::ceil(all.top),
          column + 1 < columns ? std::ceil(all.right) : std::floor(all.right),
          std::floor(all.bottom)};
}

double CubeLayout::resolution() const {
  // A plain face has half as many pixels per radian in its middle as at its edges.
  return equiangular_ ? width_ * 2 / pi : width_ / std::numbers::sqrt2;
}

int CubeLayout::face_of(Vec3 d) const {
  int best = 0;
  double most = dot(d, face(0).ahead);
  for (int n = 1; n < faces; ++n) {
    const double ahead = dot(d, face(n).ahead);
    if (ahead > most) {
      most = ahead;
      best = n;
    }
  }
  return best;
}

Point CubeLayout::point(int face, Vec3 d) const {
  const CubeFace& f = this->face(face);
  const double ahead = dot(d, f.ahead);
  double u = dot(d, f.right), v = dot(d, f.down);
  if (equiangular_) {
    u = arctangent(u, ahead) * 4 / pi;
    v = arctangent(v, ahead) * 4 / pi;
  } else {
    u /= ahead;
    v /= ahead;
  }
  const Region at = area(face);
  return {at.left + (u + 1) / 2 * width_, at.top + (v + 1) / 2 * height_};
}

Vec3 CubeLayout::direction(int face, Point p) const {
  const Region at = area(face);
  double u = 2 * (p.x - at.left) / width_ - 1, v = 2 * (p.y - at.top) / height_ - 1;
  if (equiangular_) {
    u = std::tan(std::clamp(u, -farthest, farthest) * pi / 4);
    v = std::tan(std::clamp(v, -farthest, farthest) * pi / 4);
  }
  const CubeFace& f = this->face(face);
  return normalised(f.ahead + u * f.right + v * f.down);
}

}  // namespace sphere

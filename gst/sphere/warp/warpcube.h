// SPDX-License-Identifier: LGPL-2.1-or-later
// The scalar code for one sample of a source that consists of a cube's faces. Part of warp.cc:
// included only by warpjob.h.

#pragma once

#include <algorithm>
#include <cmath>

#include "gst/sphere/warp/facesamples.h"

namespace sphere::warp {

/// Reads the samples of a level as a face continues beyond its edges: there, its neighbours are
/// read. Where three faces meet, the nearest sample of one of them is taken.
class FaceReader {
 public:
  FaceReader(const WarpPlane& plane, const CubeLayout& cube, const Job::Level& level, int face)
      : plane_(plane), cube_(cube), level_(level), face_(face), own_(level.faces[face]) {}

  const FaceSamples& own() const { return own_; }

  /// The components of the sample in this column and row, in the plane of the face.
  void read(int column, int row, float (&light)[4]) const {
    if (column >= own_.left && column <= own_.right && row >= own_.top && row <= own_.bottom)
      return read_sample(column, row, light);
    const Point at = {level_.phase_x + static_cast<double>(level_.step_x) * column,
                      level_.phase_y + static_cast<double>(level_.step_y) * row};
    const Vec3 d = cube_.direction(face_, at);
    const int face = cube_.face_of(d);
    const Point there = cube_.point(face, d);
    const FaceSamples& s = level_.faces[face];
    const auto within = [](double v, int first, int last) {
      return static_cast<float>(std::fmin(std::fmax(v, first), last));
    };
    const float x = within((there.x - level_.phase_x) / level_.step_x, s.left, s.right);
    const float y = within((there.y - level_.phase_y) / level_.step_y, s.top, s.bottom);
    const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
    const int x1 = std::min(x0 + 1, s.right), y1 = std::min(y0 + 1, s.bottom);
    const float across = x - static_cast<float>(x0), down = y - static_cast<float>(y0);
    float upper[2][4], lower[2][4];
    read_sample(x0, y0, upper[0]);
    read_sample(x1, y0, upper[1]);
    read_sample(x0, y1, lower[0]);
    read_sample(x1, y1, lower[1]);
    for (int k = 0; k < plane_.components; ++k) {
      const float above = upper[0][k] + across * (upper[1][k] - upper[0][k]);
      const float below = lower[0][k] + across * (lower[1][k] - lower[0][k]);
      light[k] = above + down * (below - above);
    }
  }

 private:
  void read_sample(int column, int row, float (&light)[4]) const {
    const uint8_t* const line = level_.data + row * level_.stride;
    for (int k = 0; k < plane_.components; ++k) {
      const int at = column * plane_.components + k;
      light[k] = static_cast<float>(
          plane_.bits <= 8 ? line[at] : (line[2 * at] | line[2 * at + 1] << 8) >> plane_.shift);
    }
  }

  const WarpPlane& plane_;
  const CubeLayout& cube_;
  const Job::Level& level_;
  const int face_;
  const FaceSamples& own_;
};

/// The light of one sample at a point of a face, in pixels of the picture; as sample_level().
inline void sample_face(const Job& job, const Job::Level& level, int face, float x, float y,
                        bool cubic, float (&light)[4]) {
  const WarpPlane& plane = job.plane;
  const FaceReader reader(plane, *job.grid.cube, level, face);
  const FaceSamples& own = reader.own();
  // The point is on the face, or hardly beyond it. fmin and fmax turn NaN into one of the limits.
  constexpr float beyond = 2;
  const auto within = [](float v, int first, int last) {
    return std::fmin(std::fmax(v, static_cast<float>(first) - beyond),
                     static_cast<float>(last) + beyond);
  };
  const float sx = within((x - level.phase_x) / level.step_x, own.left, own.right);
  const float sy = within((y - level.phase_y) / level.step_y, own.top, own.bottom);
  const int taps = cubic ? 4 : 2, before = cubic ? 1 : 0;
  const int x0 = static_cast<int>(std::floor(sx)) - before;
  const int y0 = static_cast<int>(std::floor(sy)) - before;
  if (x0 >= own.left && x0 + taps - 1 <= own.right && y0 >= own.top && y0 + taps - 1 <= own.bottom)
    return sample_level(plane, level, 0, x, y, cubic, 0, light);
  const float fx = sx - std::floor(sx), fy = sy - std::floor(sy);
  float across[4] = {1 - fx, fx}, down[4] = {1 - fy, fy};
  if (cubic) {
    cubic_weights_of(fx, across);
    cubic_weights_of(fy, down);
  }
  std::fill_n(light, 4, 0.0f);
  for (int r = 0; r < taps; ++r)
    for (int c = 0; c < taps; ++c) {
      float at[4];
      reader.read(x0 + c, y0 + r, at);
      for (int k = 0; k < plane.components; ++k) light[k] += across[c] * down[r] * at[k];
    }
}

}  // namespace sphere::warp

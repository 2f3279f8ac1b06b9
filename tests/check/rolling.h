// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that rolls, and pictures of a world whose every pixel tells its direction.

#pragma once

#include "tests/check/pipeline.h"

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/makers/madv_write.h"

namespace sphere::test {

using Bytes = std::vector<uint8_t>;

inline constexpr int pictures = 30, rate = 30;
inline constexpr Size frame_size = {480, 240}, sphere_size = {128, 64};

/// The rotation at picture n: from one picture to the next it changes by more than the tests allow,
/// so that a wrong orientation is noticed.
inline Angles held(double n) { return {7 * n + 100, 40 * std::sin(n / 3), 13 * n}; }

inline std::vector<makers::madv::Matrix> track(int count) {
  std::vector<makers::madv::Matrix> entries;
  for (int n = 0; n < count; ++n)
    entries.push_back(makers::madv::camera_matrix_of(rotation(held(n))));
  return entries;
}

inline LensPair lens_of_clip() { return *load_profile("mi-sphere"); }

// The colour of each pixel is its direction in the world: red to the right, green down, blue ahead.
inline constexpr double middle = 127.5, swing = 120;

/// The direction of each pixel of a frame, in the camera's axes.
inline std::vector<Vec3> directions_of(const LensPair& lens) {
  const LensPair scaled = lens.scaled_to(frame_size);
  std::vector<Vec3> directions;
  for (int y = 0; y < frame_size.height; ++y)
    for (int x = 0; x < frame_size.width; ++x) {
      const Point p = {x + 0.5, y + 0.5};
      const bool is_front = p.x >= scaled.front.region.left && p.x < scaled.front.region.right;
      directions.push_back(scaled[is_front ? 0 : 1].unproject(p));
    }
  return directions;
}

inline Bytes picture(const std::vector<Vec3>& directions, const Mat3& to_world) {
  Bytes pixels;
  pixels.reserve(directions.size() * 3);
  for (const Vec3& direction : directions) {
    const Vec3 d = to_world * direction;
    for (double value : {d.x, d.y, d.z})
      pixels.push_back(static_cast<uint8_t>(middle + swing * value + 0.5));
  }
  return pixels;
}

/// Where the three axes of the world are in a stitched RGBA picture.
inline Mat3 world_in(GstSample* sample) {
  Vec3 axes[3];
  const Component c[3] = {component_of(sample, 0), component_of(sample, 1),
                          component_of(sample, 2)};
  for (int y = 0; y < c[0].height; ++y)
    for (int x = 0; x < c[0].width; ++x) {
      const Size size = {c[0].width, c[0].height};
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, size);
      const double weight = std::hypot(d.x, d.z);
      for (int k = 0; k < 3; ++k) axes[k] = axes[k] + weight * (c[k].at(x, y) - middle) * d;
    }
  return {{normalised(axes[0]), normalised(axes[1]), normalised(axes[2])}};
}

/// By how many degrees the horizon is off in a stitched picture.
inline double tilt(GstSample* sample) {
  return degrees(angle_between(world_in(sample).row[1], {0, 1, 0}));
}

/// By how many degrees the middle of the picture differs from `want`.
inline double off(GstSample* sample, const Angles& want) {
  // Rows are world axes in the picture; so the matrix takes the picture's directions to the world.
  const Mat3 is = world_in(sample), should = rotation(want);
  double worst = 0;
  for (int i = 0; i < 3; ++i)
    worst = std::max(worst, degrees(angle_between(is.row[i], should.row[i])));
  return worst;
}

}  // namespace sphere::test

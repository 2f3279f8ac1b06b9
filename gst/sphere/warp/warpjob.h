// SPDX-License-Identifier: LGPL-2.1-or-later
// The data for the kernels of all instruction sets, and the scalar code for one sample. Part of
// warp.cc: included only there.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "gst/sphere/geometry/arctangent.h"
#include "gst/sphere/warp/facesamples.h"
#include "gst/sphere/warp/warp.h"

namespace sphere::warp {

// Fractions of a sample have 7 bits, so that a product with a byte fits a signed 16-bit lane.
inline constexpr int fraction_bits = 7;
inline constexpr int one = 1 << fraction_bits;
inline constexpr int product_bits = 2 * fraction_bits;

// Ten bits: the value of a step of eight bits, the largest value, and the bits below the sample in
// P010.
inline constexpr int deep_step = 4, deep_white = 1023, deep_shift = 6;

/// The number of segments in a block. A segment is drawn with one slope: it is one cell, or two
/// where a cell has too few samples.
inline constexpr int block_segments = 64;

/// What is read so many rows further down is prefetched.
inline constexpr int rows_ahead = 16;

/// Values of a layer along a row, interpolated between two rows of nodes: at the first sample of
/// each segment, and the change per sample. Points are in samples times `one`.
struct Track {
  float x[block_segments], dx[block_segments];
  float y[block_segments], dy[block_segments];
  float gain[block_segments], dgain[block_segments];
  float tint[3][block_segments], dtint[3][block_segments];
};

struct Block {
  const uint8_t* source;
  int stride;
  Track layer[2];
  float first_weight[block_segments], dfirst_weight[block_segments];
};

/// Bytes of a sample.
inline int sample_bytes(const WarpPlane& plane) {
  return plane.components * (plane.bits > 8 ? 2 : 1);
}

/// The brightest light of a plane, as the distance from its neutral value; 0 for colour
/// differences.
inline float white_of(const WarpPlane& plane) {
  const int step = plane.bits > 8 ? deep_step : 1;
  return static_cast<float>(std::max(plane.white - plane.neutral, 0) * step);
}

/// The data that is the same for all rows of a plane.
struct Job {
  const WarpGrid& grid;
  const WarpPlane& plane;
  int cells_a_segment = 1;
  int samples = 16;  // a segment
  float white = 0;   // the brightest light, as white_of() says
  bool near = true;  // of all levels

  /// The source, or one of its copies.
  struct Level {
    const uint8_t* data = nullptr;
    ptrdiff_t stride = 0;
    // The position of sample i is phase + step * i, in pixels of the picture.
    float phase_x = 0, phase_y = 0, step_x = 1, step_y = 1;
    // Samples that a layer may be read from, both ends included.
    int left[2], top[2], right[2], bottom[2];
    // The same for the faces of a cube; and the middles of the faces, and half of their sides.
    FaceSamples faces[CubeLayout::faces];
    float middle_x[CubeLayout::faces], middle_y[CubeLayout::faces], half_x = 1, half_y = 1;
    // The last offset from which four bytes may be read.
    int last_word = 0;
    // Whether the offsets of all bytes fit a 32-bit lane. In a larger plane (more than 2 GiB with
    // the padding of its rows), and in one of less than four bytes, samples are drawn one by one.
    bool near = true;
  } levels[1 + most_reductions];

  Job(const WarpGrid& grid_in, const WarpPlane& plane_in) : grid(grid_in), plane(plane_in) {
    // On a subsampled plane, a segment of two cells has no more samples than one cell of a full
    // plane.
    cells_a_segment = plane.step_x > 1 && grid.cell / plane.step_x < 8 ? 2 : 1;
    samples = grid.cell * cells_a_segment / plane.step_x;
    white = white_of(plane);
    for (int n = 0; n <= plane.copy_count; ++n) {
      const WarpCopy level =
          n ? plane.copies[n - 1] : WarpCopy{plane.source, plane.source_stride, plane.source_size};
      levels[n] = level_of(level, plane.step_x << n, plane.step_y << n);
      levels[n].phase_x = static_cast<float>(plane.phase_x + plane.step_x * ((1 << n) - 1) * 0.5);
      levels[n].phase_y = static_cast<float>(plane.phase_y + plane.step_y * ((1 << n) - 1) * 0.5);
      if (grid.cube) set_middles(*grid.cube, levels[n]);
    }
    near =
        std::all_of(levels, levels + plane.copy_count + 1, [](const Level& l) { return l.near; });
  }

  /// The columns of a source whose left and right edges meet, else 0.
  int around(const Level& level) const { return grid.edges_meet() ? level.right[0] + 1 : 0; }

  static void set_middles(const CubeLayout& cube, Level& level) {
    for (int face = 0; face < CubeLayout::faces; ++face) {
      const Region area = cube.area(face);
      const auto samples = [](double pixels, float step) {
        return static_cast<float>(pixels / step);
      };
      level.middle_x[face] = samples((area.left + area.right) / 2 - level.phase_x, level.step_x);
      level.middle_y[face] = samples((area.top + area.bottom) / 2 - level.phase_y, level.step_y);
      level.half_x = samples((area.right - area.left) / 2, level.step_x);
      level.half_y = samples((area.bottom - area.top) / 2, level.step_y);
    }
  }

  Level level_of(const WarpCopy& copy, int step_x, int step_y) const {
    Level level;
    level.data = copy.data;
    level.stride = copy.stride;
    level.step_x = static_cast<float>(step_x);
    level.step_y = static_cast<float>(step_y);
    const int64_t last_row = static_cast<int64_t>(copy.size.height - 1) * std::abs(copy.stride);
    const int64_t row_bytes = static_cast<int64_t>(copy.size.width) * sample_bytes(plane);
    const int64_t last_word = (copy.stride > 0 ? last_row : 0) + row_bytes - 4;
    level.near = last_row + row_bytes <= int64_t{1} << 31 && last_word >= 0;
    level.last_word = level.near ? static_cast<int>(last_word) : 0;
    for (int face = 0; grid.cube && face < CubeLayout::faces; ++face)
      level.faces[face] = face_samples(*grid.cube, face, step_x, step_y, copy.size);
    for (int i = 0; i < 2; ++i) {
      const Region& g = grid.layer[i].region;
      const auto within = [](double v, int step, int size) {
        return std::clamp(static_cast<int>(v) / step, 0, size);
      };
      level.left[i] =
          std::min(within(std::ceil(g.left), step_x, copy.size.width), copy.size.width - 1);
      level.top[i] =
          std::min(within(std::ceil(g.top), step_y, copy.size.height), copy.size.height - 1);
      // If the region ends at the picture's edge, the limit is the last sample, also for odd sizes.
      level.right[i] = g.right >= grid.source.width ? copy.size.width - 1
                                                    : within(g.right, step_x, copy.size.width) - 1;
      level.bottom[i] = g.bottom >= grid.source.height
                            ? copy.size.height - 1
                            : within(g.bottom, step_y, copy.size.height) - 1;
      level.right[i] = std::max(level.right[i], level.left[i]);
      level.bottom[i] = std::max(level.bottom[i], level.top[i]);
    }
    return level;
  }
};

/// The position of a row of the target in the grid.
struct GridRow {
  size_t above = 0, below = 0;  // first node of the two rows of nodes around it
  int row = 0;                  // of cells
  float part = 0;
};

inline GridRow grid_row(const Job& job, int target_row) {
  const double y = job.plane.phase_y + static_cast<double>(job.plane.step_y) * target_row;
  GridRow g;
  g.row = std::clamp(static_cast<int>(y / job.grid.cell), 0, job.grid.rows - 1);
  g.part = static_cast<float>(y / job.grid.cell - g.row);
  g.above = static_cast<size_t>(g.row) * job.grid.nodes_per_row();
  g.below = g.above + job.grid.nodes_per_row();
  return g;
}

/// The flags of a segment: it needs everything that one of its cells needs, and is inside only if
/// all its cells are.
inline uint8_t segment_flags(const Job& job, int row, int segment) {
  constexpr uint8_t needs = cell_first | cell_second | cell_gained | cell_reduced;
  const int first = segment * job.cells_a_segment;
  uint8_t flags = job.grid.flags(first, row);
  for (int c = 1; c < job.cells_a_segment; ++c) {
    const uint8_t more = job.grid.flags(first + c, row);
    flags = static_cast<uint8_t>(((flags | more) & needs) | (flags & more & ~needs));
  }
  return flags;
}

/// The copies of the source that are mixed at a point: `level` and the next one.
struct Mixture {
  int level = 0;
  float part = 0;
};

inline Mixture mixture(const WarpPlane& plane, float reduction) {
  const float wanted = std::fmin(std::fmax(reduction, 0.0f), static_cast<float>(plane.copy_count));
  Mixture m;
  m.level = std::min(static_cast<int>(wanted), std::max(plane.copy_count - 1, 0));
  m.part = wanted - static_cast<float>(m.level);
  return m;
}

/// Catmull-Rom weights of four samples: two on each side of the point.
inline void cubic_weights_of(float t, float (&w)[4]) {
  const float s = 1 - t, p = t * s;
  w[0] = -0.5f * p * s;
  w[3] = -0.5f * p * t;
  w[1] = s + p + 3 * w[3];
  w[2] = t + p + 3 * w[0];
}

/// The light of one sample of a layer in a copy of the source, without a gain. `around`: the number
/// of columns if the source is a whole sphere, else 0.
inline void sample_level(const WarpPlane& plane, const Job::Level& level, int layer, float x,
                         float y, bool cubic, int around, float (&light)[4]) {
  // fmin and fmax turn NaN into one of the limits.
  const int left = level.left[layer], right = level.right[layer];
  const int top = level.top[layer], bottom = level.bottom[layer];
  float sx = (x - level.phase_x) / level.step_x;
  if (around > 0) sx -= std::floor(sx / static_cast<float>(around)) * static_cast<float>(around);
  sx = std::fmin(std::fmax(sx, left), around > 0 ? around : right);
  const float sy = std::fmin(std::fmax((y - level.phase_y) / level.step_y, top), bottom);
  const int qx = static_cast<int>(sx * one + 0.5f), qy = static_cast<int>(sy * one + 0.5f);
  const auto column = [&](int c) {
    return around > 0 ? (c + around) % around : std::clamp(c, left, right);
  };
  const int whole_x = qx >> fraction_bits, y0 = qy >> fraction_bits;
  const int x0 = column(whole_x), x1 = column(whole_x + 1), y1 = std::min(y0 + 1, bottom);
  const int fx = qx & (one - 1), fy = qy & (one - 1);
  float across_weights[4], down_weights[4];
  if (cubic) {
    cubic_weights_of(static_cast<float>(fx) / one, across_weights);
    cubic_weights_of(static_cast<float>(fy) / one, down_weights);
  }
  /// A component, at an index in its row.
  const auto value = [&](int row, int index) -> int {
    const uint8_t* const at = level.data + row * level.stride;
    if (plane.bits <= 8) return at[index];
    return (at[2 * index] | at[2 * index + 1] << 8) >> plane.shift;
  };
  for (int k = 0; k < plane.components; ++k) {
    const int a = x0 * plane.components + k, b = x1 * plane.components + k;
    if (!cubic) {
      const int v = (value(y0, a) * (one - fy) + value(y1, a) * fy) * (one - fx) +
                    (value(y0, b) * (one - fy) + value(y1, b) * fy) * fx;
      light[k] = static_cast<float>(v) * (1.0f / (one * one));
      continue;
    }
    light[k] = 0;
    for (int r = 0; r < 4; ++r) {
      const int at_y = std::clamp(y0 + r - 1, top, bottom);
      float row = 0;
      for (int c = 0; c < 4; ++c) {
        const int at_x = column(whole_x + c - 1);
        row += across_weights[c] * static_cast<float>(value(at_y, at_x * plane.components + k));
      }
      light[k] += down_weights[r] * row;
    }
  }
}

/// Light, as the distance from its neutral value, with a gain. `white` is the brightest light, as
/// such a distance. A plain factor would make bright areas white: between the knee, which is the
/// lower the larger the gain is, and white, the curve is a parabola that ends at white. The curve
/// rises everywhere, without a bend. At most 1, the gain is a plain factor. warp.frag and warp.cc
/// have the same formula.
inline float lift(float light, float gain, float white) {
  if (gain <= 1 || white <= 0) return light * gain;
  const float below = std::min(light, white), knee = white * std::max(2 - gain, 0.0f);
  const float lifted = std::min(below * gain, 2 * white - knee),
              bent = std::max(lifted - knee, 0.0f);
  return lifted - bent * bent / (4 * (white - knee)) + (light - below);
}

/// The point in a whole sphere that shows a direction, and its face if there are faces.
struct SpherePoint {
  float x = 0, y = 0;
  int face = 0;
};
inline SpherePoint sphere_point(const WarpGrid& grid, float x, float y, float z) {
  if (grid.cube) {
    const Vec3 d = {x, y, z};
    const int face = grid.cube->face_of(d);
    const Point at = grid.cube->point(face, d);
    return {static_cast<float>(at.x), static_cast<float>(at.y), face};
  }
  constexpr auto half_turn = static_cast<float>(pi);
  const auto width = static_cast<float>(grid.source.width),
             height = static_cast<float>(grid.source.height);
  return {(arctangent(x, z) / (2 * half_turn) + 0.5f) * width,
          (arctangent(y, std::sqrt(x * x + z * z)) / half_turn + 0.5f) * height, 0};
}

}  // namespace sphere::warp

#include "gst/sphere/warp/warpcube.h"

namespace sphere::warp {

/// One sample by scalar code, for any point and any grid. It is used for the rim, for edges other
/// than those of a sphere, and for coarse outputs.
inline void draw_sample(const Job& job, const GridRow& g, int column, uint8_t* target) {
  const WarpGrid& grid = job.grid;
  const WarpPlane& plane = job.plane;
  const double x = plane.phase_x + static_cast<double>(plane.step_x) * column;
  const int c = std::clamp(static_cast<int>(x / grid.cell), 0, grid.columns - 1);
  const float across = static_cast<float>(x / grid.cell - c);
  const auto value = [&](const std::vector<float>& v) {
    const float upper = v[g.above + c] + across * (v[g.above + c + 1] - v[g.above + c]);
    const float lower = v[g.below + c] + across * (v[g.below + c + 1] - v[g.below + c]);
    return upper + g.part * (lower - upper);
  };
  const float first_weight =
      grid.first_weight.empty() ? 1 : std::clamp(value(grid.first_weight), 0.0f, 1.0f);
  float sum[4] = {};
  const Mixture mixed = grid.reduction.empty() ? Mixture{} : mixture(plane, value(grid.reduction));
  for (int i = 0; i < 2; ++i) {
    const float weight = i ? 1 - first_weight : first_weight;
    if (weight <= 0) continue;
    const WarpGrid::Layer& at = grid.layer[i];
    SpherePoint point;
    if (grid.flags(c, g.row) & cell_exact)
      point = sphere_point(grid, value(grid.direction[0]), value(grid.direction[1]),
                           value(grid.direction[2]));
    else
      point = {value(at.x), value(at.y), grid.cube ? grid.face[g.above + c] : 0};
    const auto sample = [&](int n, bool cubic, float(&light)[4]) {
      const Job::Level& level = job.levels[n];
      if (grid.cube)
        sample_face(job, level, point.face, point.x, point.y, cubic, light);
      else
        sample_level(plane, level, i, point.x, point.y, cubic, job.around(level), light);
    };
    float lights[4], coarser[4];
    sample(mixed.level, plane.cubic && mixed.level == 0, lights);
    if (mixed.part > 0) {
      sample(mixed.level + 1, false, coarser);
      for (int k = 0; k < plane.components; ++k) lights[k] += mixed.part * (coarser[k] - lights[k]);
    }
    const float gain = at.gain.empty() ? 1.0f : value(at.gain);
    float tint[4] = {};
    for (int k = 0; k < std::min(plane.components, 3); ++k) {
      const std::vector<float>& tints = at.tint[plane.first_component + k];
      tint[k] = tints.empty() ? (plane.components == 4 ? 1.0f : 0.0f) : value(tints);
    }
    for (int k = 0; k < plane.components; ++k) {
      float light = lights[k];
      // The gain is not applied to alpha.
      if (!at.gain.empty() && k < 3) {
        const float step = plane.bits > 8 ? deep_step : 1, neutral = plane.neutral * step;
        const float factor = plane.components == 4 ? gain * tint[k] : gain;
        light = lift(light - neutral, factor, job.white) + neutral +
                (plane.components == 4 ? 0 : tint[k] * step);
      }
      sum[k] += weight * light;
    }
  }
  for (int k = 0; k < plane.components; ++k) {
    if (plane.bits <= 8) {
      target[k] = static_cast<uint8_t>(std::clamp(sum[k] + 0.5f, 0.0f, 255.0f));
      continue;
    }
    const auto value = static_cast<unsigned>(std::clamp(sum[k] + 0.5f, 0.0f, float{deep_white}))
                       << plane.shift;
    target[2 * k] = static_cast<uint8_t>(value);
    target[2 * k + 1] = static_cast<uint8_t>(value >> 8);
  }
}

}  // namespace sphere::warp

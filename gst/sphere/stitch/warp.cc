// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

// Highway compiles this file once for each instruction set, by including it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gst/sphere/stitch/warp.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef SPHERE_WARP_ONCE
#define SPHERE_WARP_ONCE

namespace sphere::warp {

// Fractions of a sample have 7 bits, so that a product with a byte fits a signed 16-bit lane.
inline constexpr int fraction_bits = 7;
inline constexpr int one = 1 << fraction_bits;
inline constexpr int product_bits = 2 * fraction_bits;

// Ten bits: what a step of eight bits is, the largest value, and where P010 has them.
inline constexpr int deep_step = 4, deep_white = 1023, deep_shift = 6;

/// Grid values in use for one row: interpolated down the columns, at the edges of segments.
/// A segment is what one slope serves: one cell, or two where a cell has too few samples.
inline constexpr int block_segments = 64;

/// The place of a lens along a row: samples times `one`, at each segment's first sample, and how
/// much it grows a sample.
struct Track {
  float x[block_segments], dx[block_segments];
  float y[block_segments], dy[block_segments];
  float gain[block_segments], dgain[block_segments];
  float tint[3][block_segments], dtint[3][block_segments];
};

struct Block {
  const uint8_t* source;
  int stride;
  Track lens[2];
  float blend[block_segments], dblend[block_segments];
};

/// Bytes of a sample.
inline int sample_bytes(const WarpPlane& plane) {
  return plane.components * (plane.bits > 8 ? 2 : 1);
}

/// What is the same for all rows of a plane.
struct Job {
  const Plan& plan;
  const WarpPlane& plane;
  int cells_a_segment = 1;
  int samples = 16;  // a segment

  /// The source, or one of its copies.
  struct Level {
    const uint8_t* data = nullptr;
    ptrdiff_t stride = 0;
    // Sample i stands at phase + step * i, in pixels of the picture.
    float phase_x = 0, phase_y = 0, step_x = 1, step_y = 1;
    // Samples that a lens may be read from, both ends included.
    int left[2], top[2], right[2], bottom[2];
    // Whether each byte is so near to the first that a 32-bit lane can say how far. Of a plane that
    // is larger (2 GiB, with the gaps after its rows), samples are drawn one by one.
    bool near = true;
  } levels[1 + most_reductions];

  Job(const Plan& plan_in, const WarpPlane& plane_in) : plan(plan_in), plane(plane_in) {
    // On a subsampled plane two cells still make a segment no longer than the plan's accuracy
    // needs.
    cells_a_segment = plane.step_x > 1 && plan.cell / plane.step_x < 8 ? 2 : 1;
    samples = plan.cell * cells_a_segment / plane.step_x;
    for (int n = 0; n <= plane.copy_count; ++n) {
      const WarpCopy level =
          n ? plane.copies[n - 1] : WarpCopy{plane.source, plane.source_stride, plane.source_size};
      levels[n] = level_of(level, plane.step_x << n, plane.step_y << n);
      levels[n].phase_x = static_cast<float>(plane.phase_x + plane.step_x * ((1 << n) - 1) * 0.5);
      levels[n].phase_y = static_cast<float>(plane.phase_y + plane.step_y * ((1 << n) - 1) * 0.5);
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
    level.near = last_row + row_bytes <= int64_t{1} << 31;
    for (int i = 0; i < 2; ++i) {
      const Region& g = plan.region[i];
      const auto within = [](double v, int step, int size) {
        return std::clamp(static_cast<int>(v) / step, 0, size);
      };
      level.left[i] =
          std::min(within(std::ceil(g.left), step_x, copy.size.width), copy.size.width - 1);
      level.top[i] =
          std::min(within(std::ceil(g.top), step_y, copy.size.height), copy.size.height - 1);
      // Where the other lens does not follow, the picture's edge is the limit, odd sizes included.
      level.right[i] = g.right >= plan.source.width ? copy.size.width - 1
                                                    : within(g.right, step_x, copy.size.width) - 1;
      level.bottom[i] = g.bottom >= plan.source.height
                            ? copy.size.height - 1
                            : within(g.bottom, step_y, copy.size.height) - 1;
      level.right[i] = std::max(level.right[i], level.left[i]);
      level.bottom[i] = std::max(level.bottom[i], level.top[i]);
    }
    return level;
  }
};

/// Where a row of the target stands in the grid.
struct GridRow {
  size_t above = 0, below = 0;  // first node of the two rows of nodes around it
  int row = 0;                  // of cells
  float part = 0;
};

inline GridRow grid_row(const Job& job, int target_row) {
  const double y = job.plane.phase_y + static_cast<double>(job.plane.step_y) * target_row;
  GridRow g;
  g.row = std::clamp(static_cast<int>(y / job.plan.cell), 0, job.plan.rows - 1);
  g.part = static_cast<float>(y / job.plan.cell - g.row);
  g.above = static_cast<size_t>(g.row) * job.plan.nodes_per_row();
  g.below = g.above + job.plan.nodes_per_row();
  return g;
}

/// Flags of a segment: it needs what any of its cells needs, and is inside when all are.
inline uint8_t segment_flags(const Job& job, int row, int segment) {
  constexpr uint8_t needs = cell_front | cell_back | cell_lit | cell_reduced;
  const int first = segment * job.cells_a_segment;
  uint8_t flags = job.plan.flags(first, row);
  for (int c = 1; c < job.cells_a_segment; ++c) {
    const uint8_t more = job.plan.flags(first + c, row);
    flags = static_cast<uint8_t>(((flags | more) & needs) | (flags & more & ~needs));
  }
  return flags;
}

/// Which copies of the source are mixed at a place: `level` and the one after it.
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

/// Catmull-Rom: of the sample before, the two around, and the one after.
inline void cubic_weights_of(float t, float (&w)[4]) {
  const float s = 1 - t, p = t * s;
  w[0] = -0.5f * p * s;
  w[3] = -0.5f * p * t;
  w[1] = s + p + 3 * w[3];
  w[2] = t + p + 3 * w[0];
}

/// The light of one sample of a lens, by the book, as it stands in a copy of the source.
inline void sample_level(const WarpPlane& plane, const Job::Level& level, int lens, float x,
                         float y, bool cubic, float (&light)[4]) {
  // fmin and fmax turn what is not a number into a limit.
  const int left = level.left[lens], right = level.right[lens];
  const int top = level.top[lens], bottom = level.bottom[lens];
  const float sx = std::fmin(std::fmax((x - level.phase_x) / level.step_x, left), right);
  const float sy = std::fmin(std::fmax((y - level.phase_y) / level.step_y, top), bottom);
  const int qx = static_cast<int>(sx * one + 0.5f), qy = static_cast<int>(sy * one + 0.5f);
  const int x0 = qx >> fraction_bits, y0 = qy >> fraction_bits;
  const int x1 = std::min(x0 + 1, right), y1 = std::min(y0 + 1, bottom);
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
        const int at_x = std::clamp(x0 + c - 1, left, right);
        row += across_weights[c] * static_cast<float>(value(at_y, at_x * plane.components + k));
      }
      light[k] += down_weights[r] * row;
    }
  }
}

/// One sample, by the book: any place, any grid. Serves the rim, the edges and coarse outputs.
inline void draw_sample(const Job& job, const GridRow& g, int column, uint8_t* target) {
  const Plan& plan = job.plan;
  const WarpPlane& plane = job.plane;
  const double x = plane.phase_x + static_cast<double>(plane.step_x) * column;
  const int c = std::clamp(static_cast<int>(x / plan.cell), 0, plan.columns - 1);
  const float across = static_cast<float>(x / plan.cell - c);
  const auto value = [&](const std::vector<float>& v) {
    const float upper = v[g.above + c] + across * (v[g.above + c + 1] - v[g.above + c]);
    const float lower = v[g.below + c] + across * (v[g.below + c + 1] - v[g.below + c]);
    return upper + g.part * (lower - upper);
  };
  const float share = std::clamp(value(plan.blend), 0.0f, 1.0f);
  float sum[4] = {};
  const Mixture mixed = plan.reduction.empty() ? Mixture{} : mixture(plane, value(plan.reduction));
  for (int i = 0; i < 2; ++i) {
    const float weight = i ? 1 - share : share;
    if (weight <= 0) continue;
    const Plan::Coordinates& at = plan.lens[i];
    const float x_at = value(at.x), y_at = value(at.y);
    float lights[4], coarser[4];
    sample_level(plane, job.levels[mixed.level], i, x_at, y_at, plane.cubic && mixed.level == 0,
                 lights);
    if (mixed.part > 0) {
      sample_level(plane, job.levels[mixed.level + 1], i, x_at, y_at, false, coarser);
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
      // Alpha is no light.
      if (!at.gain.empty() && k < 3) {
        const float step = plane.bits > 8 ? deep_step : 1, neutral = plane.neutral * step;
        light = (light - neutral) * gain * (plane.components == 4 ? tint[k] : 1) + neutral +
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

#endif  // SPHERE_WARP_ONCE

HWY_BEFORE_NAMESPACE();
namespace sphere::warp::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR  // which has no 16-bit lanes inside its one 32-bit lane

/// Adds neighbouring products of 16-bit lanes, each below 2^15, into their common 32-bit lane.
template <class D, class V>
HWY_INLINE V pair_products(D d, V pairs, V weights) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  const hn::Repartition<int16_t, D> d16;
  auto rest = hn::Zero(d);
  return hn::ReorderWidenMulAccumulate(d, hn::BitCast(d16, pairs), hn::BitCast(d16, weights),
                                       hn::Zero(d), rest);
#else
  const auto low = [](V v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  return hn::Add(hn::Mul(low(pairs), low(weights)),
                 hn::Mul(hn::ShiftRight<16>(pairs), hn::ShiftRight<16>(weights)));
#endif
}

/// Where to read, and with what weights.
template <class V>
struct Taps {
  V row, column;   // of samples, and of bytes
  V across;        // (one - fx, fx) as 16-bit lanes
  V above, below;  // (one - fy, one - fy) and (fy, fy)
  V fx;
  int apart = 0;  // as rows_apart() says
};

template <class D, class DF, class VF>
HWY_INLINE Taps<hn::Vec<D>> make_taps(D d, DF, VF x, VF y, int bytes, int apart) {
  const auto qx = hn::NearestInt(x), qy = hn::NearestInt(y);
  const auto mask = hn::Set(d, one - 1);
  const auto fx = hn::And(qx, mask), fy = hn::And(qy, mask);
  Taps<hn::Vec<D>> t;
  t.row = hn::ShiftRight<fraction_bits>(qy);
  t.column = hn::ShiftRight<fraction_bits>(qx);
  if (bytes == 2) t.column = hn::ShiftLeft<1>(t.column);
  if (bytes == 4) t.column = hn::ShiftLeft<2>(t.column);
  t.across = hn::Add(hn::Sub(hn::ShiftLeft<16>(fx), fx), hn::Set(d, one));
  t.below = hn::Or(fy, hn::ShiftLeft<16>(fy));
  t.above = hn::Sub(hn::Set(d, one * 0x10001), t.below);
  t.fx = fx;
  t.apart = apart;
  return t;
}

/// Where in a plane each lane reads, in bytes.
template <class D>
HWY_INLINE hn::Vec<D> offsets(D d, const Taps<hn::Vec<D>>& t, int stride) {
  return hn::Add(hn::Mul(t.row, hn::Set(d, stride)), t.column);
}

template <class D, class V>
HWY_INLINE V between_rows(D d, V upper, V lower, const Taps<V>& t) {
  const hn::Repartition<int16_t, D> d16;
  return hn::BitCast(d, hn::Add(hn::Mul(hn::BitCast(d16, upper), hn::BitCast(d16, t.above)),
                                hn::Mul(hn::BitCast(d16, lower), hn::BitCast(d16, t.below))));
}

template <class D>
HWY_INLINE hn::Vec<D> read(D d, const uint8_t* base, hn::Vec<D> offset) {
  return hn::GatherOffset(d, reinterpret_cast<const int32_t*>(base), offset);
}

#include "gst/sphere/stitch/warpread-inl.h"

/// A sample's neighbours in a 32-bit lane, as two bytes, become two 16-bit lanes.
template <class D>
HWY_INLINE hn::Vec<D> spread_bytes(D d, hn::Vec<D> v) {
  const hn::Repartition<uint8_t, D> d8;
  alignas(16) static constexpr uint8_t pattern[16] = {0, 0x80, 1, 0x80, 4,  0x80, 5,  0x80,
                                                      8, 0x80, 9, 0x80, 12, 0x80, 13, 0x80};
  return hn::BitCast(d, hn::TableLookupBytesOr0(hn::BitCast(d8, v), hn::LoadDup128(d8, pattern)));
}

/// Bilinear samples of a plane with one or two components: 32-bit lanes with product_bits of
/// fraction, one vector a component.
template <int components, class D>
HWY_INLINE void sample_products(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                                hn::Vec<D> (&out)[components]) {
  hn::Vec<D> rows[2][1];
  read_rows(d, source, stride, t, rows);
  const auto upper = rows[0][0], lower = rows[1][0];
  if constexpr (components == 1) {
    out[0] = pair_products(d, between_rows(d, spread_bytes(d, upper), spread_bytes(d, lower), t),
                           t.across);
  } else {
    const auto bytes = hn::Set(d, 0x00FF00FF);
    out[0] = pair_products(d, between_rows(d, hn::And(upper, bytes), hn::And(lower, bytes), t),
                           t.across);
    const auto odd = [&](hn::Vec<D> v) { return hn::And(hn::ShiftRight<8>(v), bytes); };
    out[1] = pair_products(d, between_rows(d, odd(upper), odd(lower), t), t.across);
  }
}

/// Bilinear samples of RGBA: bytes 0 and 2, and bytes 1 and 3, as 16-bit lanes with fraction_bits.
template <class D>
HWY_INLINE void sample_rgba(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                            hn::Vec<D> (&out)[2]) {
  const hn::Repartition<int16_t, D> d16;
  const auto bytes = hn::Set(d, 0x00FF00FF);
  hn::Vec<D> rows[2][2];
  read_rows(d, source, stride, t, rows);
  const auto upper_left = rows[0][0], upper_right = rows[0][1];
  const auto lower_left = rows[1][0], lower_right = rows[1][1];
  // The fraction as a 1.15 number in both halves of the lane.
  const auto fx = hn::BitCast(d16, hn::ShiftLeft<8>(hn::Or(t.fx, hn::ShiftLeft<16>(t.fx))));
  const auto mix = [&](hn::Vec<D> ul, hn::Vec<D> ur, hn::Vec<D> ll, hn::Vec<D> lr) {
    const auto left = hn::BitCast(d16, between_rows(d, ul, ll, t));
    const auto right = hn::BitCast(d16, between_rows(d, ur, lr, t));
    return hn::BitCast(d, hn::Add(left, hn::MulFixedPoint15(hn::Sub(right, left), fx)));
  };
  const auto even = [&](hn::Vec<D> v) { return hn::And(v, bytes); };
  const auto odd = [&](hn::Vec<D> v) { return hn::And(hn::ShiftRight<8>(v), bytes); };
  out[0] = mix(even(upper_left), even(upper_right), even(lower_left), even(lower_right));
  out[1] = mix(odd(upper_left), odd(upper_right), odd(lower_left), odd(lower_right));
}

#include "gst/sphere/stitch/warpcubic-inl.h"

/// Stores N samples of one or two components given as 32-bit integers.
template <int components, class D>
HWY_INLINE void store_samples(D d, const hn::Vec<D> (&v)[components], uint8_t* target) {
  if constexpr (components == 1) {
    const hn::Rebind<uint8_t, D> d8;
    hn::StoreU(hn::DemoteTo(d8, v[0]), d8, target);
  } else {
    const hn::Rebind<uint16_t, D> d16;
    const auto limit = hn::Set(d, 255);
    const auto u = hn::Min(hn::Max(v[0], hn::Zero(d)), limit);
    const auto w = hn::Min(hn::Max(v[1], hn::Zero(d)), limit);
    hn::StoreU(hn::DemoteTo(d16, hn::Or(u, hn::ShiftLeft<8>(w))), d16,
               reinterpret_cast<uint16_t*>(target));
  }
}

/// Samples by any of the ways above.
template <int components, bool cubic, class D, class V, size_t count>
HWY_INLINE void sample_any(D d, const uint8_t* source, int stride, const Taps<V>& t,
                           V (&out)[count]) {
  if constexpr (components == 4 && cubic)
    sample_cubic_rgba(d, source, stride, t, out);
  else if constexpr (components == 4)
    sample_rgba(d, source, stride, t, out);
  else if constexpr (cubic)
    sample_cubic<components>(d, source, stride, t, out);
  else
    sample_products<components>(d, source, stride, t, out);
}

#include "gst/sphere/stitch/warpplain-inl.h"

/// Draws the samples of a segment, a multiple of the lanes, to `target`. One lens, or both blended.
template <int components, bool both, bool gained, bool cubic, class D>
HWY_INLINE void draw_segment(D d, const Job& job, const Block& block, int s, int lens,
                             uint8_t* target) {
  if constexpr (!both && !gained && !cubic && components < 4) {
    const hn::CappedTag<int16_t, 16> wide;
    const hn::CappedTag<int16_t, 8> narrow;
    if (job.samples * components >= 16
            ? draw_plain_segment<components>(wide, job, block, s, lens, target)
            : draw_plain_segment<components>(narrow, job, block, s, lens, target))
      return;
  }
  const hn::RebindToFloat<D> df;
  const WarpPlane& plane = job.plane;
  const int stride = block.stride;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto ramp = hn::Iota(df, 0.0f);
  const auto to_unit = hn::Set(df, 1.0f / (1 << product_bits));
  constexpr int words = components == 4 ? (cubic ? 4 : 2) : cubic ? components : 1;
  int apart[2] = {};
  for (int i = 0; i < 2; ++i)
    if (both || i == lens) apart[i] = rows_apart(job, block, i, s, components, words);

  for (int first = 0; first < job.samples; first += lanes) {
    const auto at = hn::Add(ramp, hn::Set(df, static_cast<float>(first)));
    const auto line = [&](const float* v, const float* dv) {
      return hn::MulAdd(at, hn::Set(df, dv[s]), hn::Set(df, v[s]));
    };
    const auto taps = [&](int i) {
      const Track& k = block.lens[i];
      return make_taps(d, df, line(k.x, k.dx), line(k.y, k.dy), components, apart[i]);
    };
    uint8_t* const out = target + first * components;

    if constexpr (components == 4) {
      const hn::Repartition<int16_t, D> d16;
      // A factor of 1 is a sixteenth of a 1.15 number's range, so that factors go up to 16. What it
      // gives is half the light, so that two lenses can be mixed before too much is cut off.
      const auto lit = [&](hn::Vec<D>(&v)[2], int i) {
        const Track& k = block.lens[i];
        const auto gain = line(k.gain, k.dgain);
        const auto factor = [&](int c) {
          const auto f = hn::Mul(hn::Mul(gain, line(k.tint[c], k.dtint[c])), hn::Set(df, 2048.0f));
          return hn::Min(hn::NearestInt(f), hn::Set(d, 32767));
        };
        const auto times = [&](hn::Vec<D> x, hn::Vec<D> low, hn::Vec<D> high, int neutral) {
          const auto q = hn::BitCast(d16, hn::Or(low, hn::ShiftLeft<16>(high)));
          const auto from = hn::BitCast(d16, hn::Set(d, neutral * one));
          const auto to = hn::BitCast(d16, hn::Set(d, neutral * (one / 2)));
          auto h = hn::MulFixedPoint15(hn::Sub(hn::BitCast(d16, x), from), q);
          for (int doubled = 0; doubled < 3; ++doubled) h = hn::SaturatedAdd(h, h);
          return hn::BitCast(d, hn::SaturatedAdd(h, to));
        };
        // Alpha is no light.
        v[0] = times(v[0], factor(0), factor(2), plane.neutral * 0x10001);
        v[1] = times(v[1], factor(1), hn::Set(d, 2048), plane.neutral);
      };
      hn::Vec<D> v[2];
      sample_any<components, cubic>(d, block.source, stride, taps(both ? 0 : lens), v);
      if constexpr (gained) lit(v, both ? 0 : lens);
      if constexpr (both) {
        hn::Vec<D> back[2];
        sample_any<components, cubic>(d, block.source, stride, taps(1), back);
        if constexpr (gained) lit(back, 1);
        const auto share =
            hn::Min(hn::Max(line(block.blend, block.dblend), hn::Zero(df)), hn::Set(df, 1.0f));
        const auto q =
            hn::Min(hn::NearestInt(hn::Mul(share, hn::Set(df, 32768.0f))), hn::Set(d, 32767));
        const auto w = hn::BitCast(d16, hn::Or(q, hn::ShiftLeft<16>(q)));
        for (int k = 0; k < 2; ++k) {
          const auto f = hn::BitCast(d16, v[k]), b = hn::BitCast(d16, back[k]);
          v[k] = hn::BitCast(d, hn::Add(b, hn::MulFixedPoint15(hn::Sub(f, b), w)));
        }
      }
      const auto half = hn::Set(d16, one / 2);
      const auto rounded = [&](hn::Vec<D> x) {
        const auto light = hn::BitCast(d16, x);
        if constexpr (gained)
          return hn::BitCast(
              d, hn::ShiftRight<fraction_bits>(hn::Max(
                     hn::SaturatedAdd(hn::SaturatedAdd(light, light), half), hn::Zero(d16))));
        else if constexpr (cubic)
          return hn::BitCast(d, hn::ShiftRight<fraction_bits>(
                                    hn::Max(hn::SaturatedAdd(light, half), hn::Zero(d16))));
        else
          return hn::BitCast(d, hn::ShiftRight<fraction_bits>(hn::Add(light, half)));
      };
      hn::StoreU(hn::Or(rounded(v[0]), hn::ShiftLeft<8>(rounded(v[1]))), d,
                 reinterpret_cast<int32_t*>(out));
    } else {
      hn::Vec<D> v[components];
      sample_any<components, cubic>(d, block.source, stride, taps(both ? 0 : lens), v);
      if constexpr (both || gained) {
        // Light of one lens as a float, its gain applied about the neutral value.
        const auto light = [&](hn::Vec<D> x, int i, int component) {
          auto f = hn::Mul(hn::ConvertTo(df, x), to_unit);
          if constexpr (gained) {
            const auto neutral = hn::Set(df, static_cast<float>(plane.neutral));
            const Track& k = block.lens[i];
            f = hn::MulAdd(hn::Sub(f, neutral), line(k.gain, k.dgain), neutral);
            if (const int c = plane.first_component + component; c > 0)
              f = hn::Add(f, line(k.tint[c], k.dtint[c]));
          }
          return f;
        };
        if constexpr (both) {
          hn::Vec<D> back[components];
          sample_any<components, cubic>(d, block.source, stride, taps(1), back);
          const auto share =
              hn::Min(hn::Max(line(block.blend, block.dblend), hn::Zero(df)), hn::Set(df, 1.0f));
          for (int k = 0; k < components; ++k) {
            const auto f = light(v[k], 0, k), b = light(back[k], 1, k);
            v[k] = hn::NearestInt(hn::MulAdd(hn::Sub(f, b), share, b));
          }
        } else {
          for (int k = 0; k < components; ++k) v[k] = hn::NearestInt(light(v[k], lens, k));
        }
      } else {
        const auto half = hn::Set(d, 1 << (product_bits - 1));
        for (int k = 0; k < components; ++k)
          v[k] = hn::ShiftRight<product_bits>(hn::Add(v[k], half));
      }
      store_samples<components>(d, v, out);
    }
  }
}

#include "gst/sphere/stitch/warpdeep-inl.h"

/// A value at the first sample of each segment, and its growth a sample: (node - origin) * scale,
/// the nodes being those of the two rows around, from the first segment on. Writes whole vectors.
void fill_line(const Job& job, const float* above, const float* below, float part, int count,
               float origin, float scale, float* HWY_RESTRICT v, float* HWY_RESTRICT dv) {
  const hn::CappedTag<float, 16> d;
  constexpr int most_lanes = static_cast<int>(hn::MaxLanes(d));
  static_assert(block_segments % most_lanes == 0);
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int skip = job.cells_a_segment, nodes = count * skip + 1;
  HWY_ALIGN float node[2 * block_segments + 4 * most_lanes];
  int n = 0;
  for (; n + lanes <= nodes; n += lanes) {
    const auto upper = hn::LoadU(d, above + n), lower = hn::LoadU(d, below + n);
    hn::Store(hn::MulAdd(hn::Set(d, part), hn::Sub(lower, upper), upper), d, node + n);
  }
  for (; n < nodes; ++n) node[n] = above[n] + part * (below[n] - above[n]);
  std::fill_n(node + n, 2 * lanes, node[n - 1]);

  const auto phase =
      hn::Set(d, static_cast<float>(job.plane.phase_x) / static_cast<float>(job.plan.cell * skip));
  const auto per_sample = hn::Set(d, scale / static_cast<float>(job.samples));
  for (int s = 0; s < count; s += lanes) {
    auto begin = hn::Zero(d), end = begin, between = begin;
    if (skip == 1) {
      begin = hn::Load(d, node + s);
      end = hn::LoadU(d, node + s + 1);
    } else {
      hn::LoadInterleaved2(d, node + 2 * s, begin, between);
      hn::LoadInterleaved2(d, node + 2 * s + 2, end, between);
    }
    const auto growth = hn::Sub(end, begin);
    const auto at = hn::Sub(hn::MulAdd(phase, growth, begin), hn::Set(d, origin));
    hn::StoreU(hn::Mul(at, hn::Set(d, scale)), d, v + s);
    hn::StoreU(hn::Mul(growth, per_sample), d, dv + s);
  }
}

/// Fills the block with `count` segments from `first` on, for the lenses in `needs`, to be drawn
/// from the source or one of its copies.
void fill_block(const Job& job, const GridRow& g, int first, int count, int needs, bool gained,
                const Job::Level& level, Block& block) {
  const Plan& plan = job.plan;
  const WarpPlane& plane = job.plane;
  block.source = level.data;
  block.stride = static_cast<int>(level.stride);
  const size_t origin_node = static_cast<size_t>(first) * job.cells_a_segment;
  const auto line = [&](const std::vector<float>& nodes, float origin, float scale, float* v,
                        float* dv) {
    fill_line(job, &nodes[g.above + origin_node], &nodes[g.below + origin_node], g.part, count,
              origin, scale, v, dv);
  };
  for (int i = 0; i < 2; ++i) {
    if (!(needs & (i ? cell_back : cell_front))) continue;
    const Plan::Coordinates& at = plan.lens[i];
    Track& t = block.lens[i];
    line(at.x, level.phase_x, one / level.step_x, t.x, t.dx);
    line(at.y, level.phase_y, one / level.step_y, t.y, t.dy);
    if (!gained) continue;
    line(at.gain, 0, 1, t.gain, t.dgain);
    const int colours = std::min(plane.components, 3);
    for (int k = plane.first_component; k < plane.first_component + colours; ++k) {
      if (!at.tint[k].empty()) {
        line(at.tint[k], 0, 1, t.tint[k], t.dtint[k]);
        continue;
      }
      std::fill_n(t.tint[k], count, plane.components == 4 ? 1.0f : 0.0f);
      std::fill_n(t.dtint[k], count, 0.0f);
    }
  }
  if (needs == (cell_front | cell_back)) line(plan.blend, 0, 1, block.blend, block.dblend);
}

template <int components, bool deep, bool both, bool gained, bool cubic, class D>
HWY_INLINE void draw_any_segment(D d, const Job& job, const Block& block, int s, int lens,
                                 uint8_t* target) {
  if constexpr (deep)
    draw_deep_segment<components, both, gained, cubic>(d, job, block, s, lens, target);
  else
    draw_segment<components, both, gained, cubic>(d, job, block, s, lens, target);
}

/// What the rows below will read is on its way meanwhile: it lies some rows further down, where no
/// processor looks for it by itself.
inline void fetch_ahead(const Block& block, int lens, int s, int bytes) {
  constexpr int rows_ahead = 4;
  const Track& track = block.lens[lens];
  const int column = static_cast<int>(track.x[s]) / one, row = static_cast<int>(track.y[s]) / one;
  __builtin_prefetch(block.source + static_cast<ptrdiff_t>(row + rows_ahead) * block.stride +
                     column * bytes);
}

template <int components, bool deep, bool both, bool gained, bool cubic, class D>
void draw_segments(D d, const Job& job, const Block& block, int count, int lens, uint8_t* target,
                   int samples_left) {
  constexpr int bytes = components * (deep ? 2 : 1);
  for (int s = 0; s < count; ++s) {
    for (int i = 0; i < 2; ++i)
      if (both || i == lens) fetch_ahead(block, i, s, bytes);
    if (samples_left >= job.samples) {
      draw_any_segment<components, deep, both, gained, cubic>(d, job, block, s, lens, target);
    } else {
      // The last segment reaches over the picture's edge.
      uint8_t whole[Planner::largest_cell * 4];
      draw_any_segment<components, deep, both, gained, cubic>(d, job, block, s, lens, whole);
      std::memcpy(target, whole, static_cast<size_t>(std::max(samples_left, 0)) * bytes);
    }
    target += static_cast<ptrdiff_t>(job.samples) * bytes;
    samples_left -= job.samples;
  }
}

/// Draws a filled block, one lens or both blended.
template <int components, bool deep, bool cubic, class D>
void draw_block(D d, const Job& job, const Block& block, int count, int needs, bool gained,
                uint8_t* out, int left) {
  const bool both = needs == (cell_front | cell_back);
  const int lens = needs == cell_back;
  if (both && gained)
    draw_segments<components, deep, true, true, cubic>(d, job, block, count, 0, out, left);
  else if (both)
    draw_segments<components, deep, true, false, cubic>(d, job, block, count, 0, out, left);
  else if (gained)
    draw_segments<components, deep, false, true, cubic>(d, job, block, count, lens, out, left);
  else
    draw_segments<components, deep, false, false, cubic>(d, job, block, count, lens, out, left);
}

#include "gst/sphere/stitch/warpreduced-inl.h"

template <int components, bool deep, bool cubic, class D>
void draw_row(D d, const Job& job, int row) {
  constexpr int bytes = components * (deep ? 2 : 1);
  const WarpPlane& plane = job.plane;
  const GridRow g = grid_row(job, row);
  uint8_t* const target = plane.target + row * plane.target_stride;
  const int segments = (plane.target_size.width + job.samples - 1) / job.samples;
  Block block;
  for (int s = 0; s < segments;) {
    const uint8_t flags = segment_flags(job, g.row, s);
    int end = s + 1;
    while (end < segments && end - s < block_segments && segment_flags(job, g.row, end) == flags)
      ++end;
    const int needs = flags & (cell_front | cell_back);
    const bool inside = (!(needs & cell_front) || (flags & cell_front_inside)) &&
                        (!(needs & cell_back) || (flags & cell_back_inside));
    const int first_sample = s * job.samples;
    if (!inside) {
      const int last = std::min(end * job.samples, plane.target_size.width);
      for (int column = first_sample; column < last; ++column)
        draw_sample(job, g, column, target + static_cast<ptrdiff_t>(column) * bytes);
    } else {
      const bool gained = (flags & cell_lit) && !job.plan.lens[0].gain.empty();
      uint8_t* const out = target + static_cast<ptrdiff_t>(first_sample) * bytes;
      const int left = plane.target_size.width - first_sample;
      if ((flags & cell_reduced) && plane.copy_count > 0) {
        draw_reduced<components, deep, cubic>(d, job, g, s, end - s, needs, gained, block, out,
                                              left);
      } else {
        fill_block(job, g, s, end - s, needs, gained, job.levels[0], block);
        draw_block<components, deep, cubic>(d, job, block, end - s, needs, gained, out, left);
      }
    }
    s = end;
  }
}

template <int components, bool deep = false, class D>
void draw_rows(D d, const Job& job, int first, int last) {
  for (int row = first; row < last; ++row) {
    if (job.plane.cubic)
      draw_row<components, deep, true>(d, job, row);
    else
      draw_row<components, deep, false>(d, job, row);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

void draw_by_sample(const Job& job, int first, int last) {
  const WarpPlane& plane = job.plane;
  for (int row = first; row < last; ++row) {
    const GridRow g = grid_row(job, row);
    uint8_t* const target = plane.target + row * plane.target_stride;
    for (int column = 0; column < plane.target_size.width; ++column)
      draw_sample(job, g, column, target + static_cast<ptrdiff_t>(column) * sample_bytes(plane));
  }
}

void WarpRows(const Plan& plan, const WarpPlane& plane, int first, int last) {
  const Job job(plan, plane);
#if HWY_TARGET == HWY_SCALAR
  draw_by_sample(job, first, last);
#else
  // Coarse outputs have fewer samples a segment than a vector has lanes: they go the careful way.
  if (job.samples < 8 || !job.levels[0].near) return draw_by_sample(job, first, last);
  const hn::CappedTag<int32_t, 16> wide;
  const hn::CappedTag<int32_t, 8> narrow;
  const auto draw = [&](auto d) {
    if (plane.bits > 8)
      return plane.components == 1 ? draw_rows<1, true>(d, job, first, last)
                                   : draw_rows<2, true>(d, job, first, last);
    switch (plane.components) {
      case 1:
        return draw_rows<1>(d, job, first, last);
      case 2:
        return draw_rows<2>(d, job, first, last);
      default:
        return draw_rows<4>(d, job, first, last);
    }
  };
  if (job.samples >= 16)
    draw(wide);
  else
    draw(narrow);
#endif
}

const char* Target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace sphere::warp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace sphere {
namespace warp {
HWY_EXPORT(WarpRows);
HWY_EXPORT(Target);
}  // namespace warp

void warp_rows(const Plan& plan, const WarpPlane& plane, int first, int last) {
  using namespace warp;
  HWY_DYNAMIC_DISPATCH(WarpRows)(plan, plane, first, last);
}

const char* warp_target() {
  using namespace warp;
  return HWY_DYNAMIC_DISPATCH(Target)();
}

}  // namespace sphere

#endif  // HWY_ONCE

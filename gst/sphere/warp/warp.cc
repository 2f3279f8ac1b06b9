// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

#include "gst/sphere/warp/warpjob.h"

// Highway compiles this file once for each instruction set, by including it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gst/sphere/warp/warp.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sphere::warp::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR  // HWY_SCALAR has no 16-bit lanes inside its one 32-bit lane

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

/// The points to read, and their weights.
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

/// The offset in a plane that each lane reads from, in bytes.
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

#include "gst/sphere/warp/warpread-inl.h"

/// Converts two bytes, a sample and its neighbour, in a 32-bit lane to two 16-bit lanes.
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

#include "gst/sphere/warp/warpcubic-inl.h"

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

/// Samples by the function above for this kind of plane.
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

#include "gst/sphere/warp/warpplain-inl.h"

/// Whether the gain of a layer, or that of one of its colours, is above 1 in a segment.
template <int components>
HWY_INLINE bool lifts(const Job& job, const Track& k, int s) {
  const auto largest = [&](const float* v, const float* dv) {
    return std::max(v[s], v[s] + static_cast<float>(job.samples) * dv[s]);
  };
  float gain = largest(k.gain, k.dgain);
  if (components == 4)
    gain *= std::max({largest(k.tint[0], k.dtint[0]), largest(k.tint[1], k.dtint[1]),
                      largest(k.tint[2], k.dtint[2])});
  return job.white > 0 && gain > 1;
}

/// As lift() of warpjob.h, for gains of any size.
template <bool exact, class DF, class VF>
HWY_INLINE VF lifted_light(DF d, VF light, VF gain, float white) {
  const auto most = hn::Set(d, white), twice = hn::Set(d, 2 * white);
  const auto plain = hn::Mul(light, gain), bend = hn::NegMulAdd(gain, most, twice);
  // Most vectors have no bright light.
  if (hn::AllFalse(d, hn::Gt(plain, bend))) return plain;
  const auto below = hn::Min(light, most), knee = hn::Max(bend, hn::Zero(d));
  const auto lifted = hn::Min(hn::Mul(below, gain), hn::Sub(twice, knee));
  const auto bent = hn::Max(hn::Sub(lifted, knee), hn::Zero(d));
  // Where the gain is 1 or less, nothing is bent.
  const auto room = hn::Max(hn::Mul(hn::Sub(most, knee), hn::Set(d, 4.0f)), hn::Set(d, 1e-6f));
  const auto square = hn::Mul(bent, bent);
  const auto taken =
      exact ? hn::Div(square, room) : hn::Mul(square, hn::ApproximateReciprocal(room));
  return hn::Add(hn::Sub(lifted, taken), hn::Sub(light, below));
}

/// Draws the samples of a segment, a multiple of the lanes, to `target`. One layer, or both
/// blended.
template <int components, bool both, bool gained, bool cubic, class D>
HWY_INLINE void draw_segment(D d, const Job& job, const Block& block, int s, int layer,
                             uint8_t* target) {
  const hn::RebindToFloat<D> df;
  const WarpPlane& plane = job.plane;
  const int stride = block.stride;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto ramp = hn::Iota(df, 0.0f);
  const auto to_unit = hn::Set(df, 1.0f / (1 << product_bits));
  constexpr int words = components == 4 ? (cubic ? 4 : 2) : cubic ? components : 1;
  int apart[2] = {};
  bool lifted[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (!both && i != layer) continue;
    apart[i] = rows_apart(job, block, i, s, components, words);
    if constexpr (gained && components != 2) lifted[i] = lifts<components>(job, block.layer[i], s);
  }

  for (int first = 0; first < job.samples; first += lanes) {
    const auto at = hn::Add(ramp, hn::Set(df, static_cast<float>(first)));
    const auto line = [&](const float* v, const float* dv) {
      return hn::MulAdd(at, hn::Set(df, dv[s]), hn::Set(df, v[s]));
    };
    const auto taps = [&](int i) {
      const Track& k = block.layer[i];
      return make_taps(d, df, line(k.x, k.dx), line(k.y, k.dy), components, apart[i]);
    };
    uint8_t* const out = target + first * components;

    if constexpr (components == 4) {
      const hn::Repartition<int16_t, D> d16;
      // A factor of 1 is a sixteenth of the range of a 1.15 number, therefore factors can be up to
      // 16. The product is half of the light, so that two lenses can be mixed before values are
      // clipped.
      const auto apply_gain = [&](hn::Vec<D>(&v)[2], int i) {
        const Track& k = block.layer[i];
        const auto gain = line(k.gain, k.dgain);
        const auto product = [&](int c) { return hn::Mul(gain, line(k.tint[c], k.dtint[c])); };
        const auto factor = [&](int c) {
          const auto f = hn::Mul(product(c), hn::Set(df, 2048.0f));
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
        // The gain is not applied to alpha.
        if (lifted[i]) {
          const auto light = [&](hn::Vec<D> x, int c) {
            const auto l = hn::Mul(hn::ConvertTo(df, x), hn::Set(df, 1.0f / one));
            const auto half =
                hn::Mul(lifted_light<false>(df, l, product(c), job.white), hn::Set(df, one / 2.0f));
            return hn::NearestInt(hn::Max(half, hn::Set(df, -32768.0f)));
          };
          const auto low = [&](hn::Vec<D> x) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(x)); };
          const auto high = [&](hn::Vec<D> x) { return hn::ShiftRight<16>(x); };
          const auto pair = [&](hn::Vec<D> l, hn::Vec<D> h) {
            return hn::Or(hn::And(l, hn::Set(d, 0xFFFF)), hn::ShiftLeft<16>(h));
          };
          v[0] = pair(light(low(v[0]), 0), light(high(v[0]), 2));
          v[1] = pair(light(low(v[1]), 1), hn::ShiftRight<1>(high(v[1])));
          return;
        }
        v[0] = times(v[0], factor(0), factor(2), plane.neutral * 0x10001);
        v[1] = times(v[1], factor(1), hn::Set(d, 2048), plane.neutral);
      };
      hn::Vec<D> v[2];
      sample_any<components, cubic>(d, block.source, stride, taps(both ? 0 : layer), v);
      if constexpr (gained) apply_gain(v, both ? 0 : layer);
      if constexpr (both) {
        hn::Vec<D> back[2];
        sample_any<components, cubic>(d, block.source, stride, taps(1), back);
        if constexpr (gained) apply_gain(back, 1);
        const auto first_weight =
            hn::Min(hn::Max(line(block.first_weight, block.dfirst_weight), hn::Zero(df)),
                    hn::Set(df, 1.0f));
        const auto q = hn::Min(hn::NearestInt(hn::Mul(first_weight, hn::Set(df, 32768.0f))),
                               hn::Set(d, 32767));
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
      sample_any<components, cubic>(d, block.source, stride, taps(both ? 0 : layer), v);
      if constexpr (both || gained) {
        // The light of one layer as a float, after its gain is applied to the difference from the
        // neutral value.
        const auto light = [&](hn::Vec<D> x, int i, int component) {
          auto f = hn::Mul(hn::ConvertTo(df, x), to_unit);
          if constexpr (gained) {
            const auto neutral = hn::Set(df, static_cast<float>(plane.neutral));
            const Track& k = block.layer[i];
            const auto distance = hn::Sub(f, neutral), gain = line(k.gain, k.dgain);
            f = lifted[i] ? hn::Add(lifted_light<false>(df, distance, gain, job.white), neutral)
                          : hn::MulAdd(distance, gain, neutral);
            if (const int c = plane.first_component + component; c > 0)
              f = hn::Add(f, line(k.tint[c], k.dtint[c]));
          }
          return f;
        };
        if constexpr (both) {
          hn::Vec<D> back[components];
          sample_any<components, cubic>(d, block.source, stride, taps(1), back);
          const auto first_weight =
              hn::Min(hn::Max(line(block.first_weight, block.dfirst_weight), hn::Zero(df)),
                      hn::Set(df, 1.0f));
          for (int k = 0; k < components; ++k) {
            const auto f = light(v[k], 0, k), b = light(back[k], 1, k);
            v[k] = hn::NearestInt(hn::MulAdd(hn::Sub(f, b), first_weight, b));
          }
        } else {
          for (int k = 0; k < components; ++k) v[k] = hn::NearestInt(light(v[k], layer, k));
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

#include "gst/sphere/warp/warpdeep-inl.h"

/// Writes the value at the first sample of each segment, (node - origin) * scale, and its change
/// per sample. `above` and `below` are the two rows of nodes around, from the first segment on.
/// Writes whole vectors.
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
      hn::Set(d, static_cast<float>(job.plane.phase_x) / static_cast<float>(job.grid.cell * skip));
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
  const WarpGrid& grid = job.grid;
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
    if (!(needs & (i ? cell_second : cell_first))) continue;
    const WarpGrid::Layer& at = grid.layer[i];
    Track& t = block.layer[i];
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
  if (needs == (cell_first | cell_second))
    line(grid.first_weight, 0, 1, block.first_weight, block.dfirst_weight);
}

/// Prefetches what later rows of the output will read. It is some rows further down in the source,
/// where the processor's own prefetcher does not find it. With four rows, the kernel waited for
/// memory (docs/performance.md).
inline void fetch_ahead(const Block& block, int layer, int s, int bytes) {
  const Track& track = block.layer[layer];
  const int column = static_cast<int>(track.x[s]) / one, row = static_cast<int>(track.y[s]) / one;
  __builtin_prefetch(block.source + static_cast<ptrdiff_t>(row + rows_ahead) * block.stride +
                     column * bytes);
}

/// Draws a segment, and prefetches for it. `fixed`: the points of the layer, or null where there
/// are no windows.
template <int components, bool deep, bool both, bool gained, bool cubic, class D>
HWY_INLINE void draw_any_segment(D d, const Job& job, const Block& block, const FixedTrack* fixed,
                                 int s, int layer, uint8_t* target) {
  if constexpr (is_plain<components, deep, both, gained, cubic>)
    if (fixed && draw_plain_segment<components>(job, block, *fixed, s, target)) return;
  for (int i = 0; i < 2; ++i)
    if (both || i == layer) fetch_ahead(block, i, s, components * (deep ? 2 : 1));
  if constexpr (deep)
    draw_deep_segment<components, both, gained, cubic>(d, job, block, s, layer, target);
  else
    draw_segment<components, both, gained, cubic>(d, job, block, s, layer, target);
}

template <int components, bool deep, bool both, bool gained, bool cubic, class D>
void draw_segments(D d, const Job& job, const Block& block, int count, int layer, uint8_t* target,
                   int samples_left) {
  constexpr int bytes = components * (deep ? 2 : 1);
  FixedTrack points;
  const FixedTrack* fixed = nullptr;
  if constexpr (is_plain<components, deep, both, gained, cubic>)
    if (has_windows_of(job, block)) {
      fix_points(block.layer[layer], count, points);
      fixed = &points;
    }
  for (int s = 0; s < count; ++s) {
    uint8_t whole[largest_cell * 4];
    // The last segment is wider than the rest of the picture.
    uint8_t* const to = samples_left >= job.samples ? target : whole;
    draw_any_segment<components, deep, both, gained, cubic>(d, job, block, fixed, s, layer, to);
    if (to == whole)
      std::memcpy(target, whole, static_cast<size_t>(std::max(samples_left, 0)) * bytes);
    target += static_cast<ptrdiff_t>(job.samples) * bytes;
    samples_left -= job.samples;
  }
}

/// Draws a filled block, one layer or both blended.
template <int components, bool deep, bool cubic, class D>
void draw_block(D d, const Job& job, const Block& block, int count, int needs, bool gained,
                uint8_t* out, int left) {
  const bool both = needs == (cell_first | cell_second);
  const int layer = needs == cell_second;
  if (both && gained)
    draw_segments<components, deep, true, true, cubic>(d, job, block, count, 0, out, left);
  else if (both)
    draw_segments<components, deep, true, false, cubic>(d, job, block, count, 0, out, left);
  else if (gained)
    draw_segments<components, deep, false, true, cubic>(d, job, block, count, layer, out, left);
  else
    draw_segments<components, deep, false, false, cubic>(d, job, block, count, layer, out, left);
}

#include "gst/sphere/warp/warpreduced-inl.h"

#include "gst/sphere/warp/warpexact-inl.h"

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
    const int needs = flags & (cell_first | cell_second);
    const bool inside = (!(needs & cell_first) || (flags & cell_first_inside)) &&
                        (!(needs & cell_second) || (flags & cell_second_inside));
    const int first_sample = s * job.samples;
    if (!inside && job.grid.is_sphere()) {
      draw_exact<components, deep, cubic>(d, job, g, s, end - s,
                                          target + static_cast<ptrdiff_t>(first_sample) * bytes,
                                          plane.target_size.width - first_sample);
    } else if (!inside) {
      const int last = std::min(end * job.samples, plane.target_size.width);
      for (int column = first_sample; column < last; ++column)
        draw_sample(job, g, column, target + static_cast<ptrdiff_t>(column) * bytes);
    } else {
      const bool gained = (flags & cell_gained) && !job.grid.layer[0].gain.empty();
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

void WarpRows(const WarpGrid& grid, const WarpPlane& plane, int first, int last) {
  const Job job(grid, plane);
#if HWY_TARGET == HWY_SCALAR
  draw_by_sample(job, first, last);
#else
  // With fewer samples in a segment than a vector has lanes (in coarse outputs), samples are drawn
  // one by one.
  if (job.samples < 8 || !job.near) return draw_by_sample(job, first, last);
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

void warp_rows(const WarpGrid& grid, const WarpPlane& plane, int first, int last) {
  using namespace warp;
  HWY_DYNAMIC_DISPATCH(WarpRows)(grid, plane, first, last);
}

const char* warp_target() {
  using namespace warp;
  return HWY_DYNAMIC_DISPATCH(Target)();
}

}  // namespace sphere

#endif  // HWY_ONCE

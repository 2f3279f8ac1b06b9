// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/addedfield.h"

#include <algorithm>
#include <cmath>

// Highway compiles this file once for each instruction set, by including it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gst/sphere/warp/addedfield.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef SPHERE_ADDEDFIELD_ONCE
#define SPHERE_ADDEDFIELD_ONCE

namespace sphere::addedfield {

// Samples of a run, which is processed at once, and samples that may be written beyond its end.
inline constexpr int run_samples = 256, spare = 16;

struct Run {
  int first = 0, count = 0;  // samples of the target's row
  int needs = 0;             // cell_first, cell_second or both
  float azimuth[run_samples + spare], height[run_samples + spare],
      first_weight[run_samples + spare];
  float added[3][run_samples + spare];
};

}  // namespace sphere::addedfield

#endif  // SPHERE_ADDEDFIELD_ONCE

HWY_BEFORE_NAMESPACE();
namespace sphere::addedfield::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F = hn::CappedTag<float, spare>;

/// Samples of the field at `count` points, for one layer, in steps of 8 bits.
template <class VF>
HWY_INLINE VF sample_field(const AddedField::Component& field, int layer, VF column, VF row) {
  const F df;
  const hn::RebindToSigned<F> d;
  const auto zero = hn::Zero(df);
  // NaN becomes one of the limits, too.
  const auto within = [&](VF v, int last) {
    return hn::Min(hn::Max(v, zero), hn::Set(df, static_cast<float>(last) - 1.001f));
  };
  const auto u = within(column, field.columns), v = within(row, field.rows);
  const auto x = hn::ConvertTo(d, u), y = hn::ConvertTo(d, v);
  const auto right = hn::Sub(u, hn::ConvertTo(df, x)), below = hn::Sub(v, hn::ConvertTo(df, y));
  const auto offset = hn::ShiftLeft<1>(hn::Add(hn::Mul(y, hn::Set(d, field.columns)), x));
  const auto* const samples = reinterpret_cast<const int32_t*>(field.layer[layer].data());
  // Each lane has two neighbouring samples.
  const auto between = [&](hn::Vec<decltype(d)> pair) {
    const auto first = hn::ConvertTo(df, hn::ShiftRight<16>(hn::ShiftLeft<16>(pair)));
    const auto second = hn::ConvertTo(df, hn::ShiftRight<16>(pair));
    return hn::MulAdd(right, hn::Sub(second, first), first);
  };
  const auto upper = between(hn::GatherOffset(d, samples, offset));
  const auto lower =
      between(hn::GatherOffset(d, samples, hn::Add(offset, hn::Set(d, 2 * field.columns))));
  return hn::Mul(hn::MulAdd(below, hn::Sub(lower, upper), upper), hn::Set(df, 1 / AddedField::one));
}

/// Calculates what is added to each sample of the run.
void gather(const AddedField::Component& field, const Run& run, float* added) {
  const F df;
  for (int i = 0; i < run.count; i += static_cast<int>(hn::Lanes(df))) {
    const auto column = hn::MulAdd(hn::LoadU(df, run.azimuth + i), hn::Set(df, field.per_turn),
                                   hn::Set(df, field.first_column));
    const auto row = hn::MulAdd(hn::LoadU(df, run.height + i), hn::Set(df, field.per_radian),
                                hn::Set(df, field.first_row));
    auto value = hn::Zero(df);
    if (run.needs == (cell_first | cell_second)) {
      const auto first_weight =
          hn::Min(hn::Max(hn::LoadU(df, run.first_weight + i), hn::Zero(df)), hn::Set(df, 1.0f));
      const auto back = sample_field(field, 1, column, row);
      value = hn::MulAdd(first_weight, hn::Sub(sample_field(field, 0, column, row), back), back);
    } else {
      value = sample_field(field, run.needs == cell_second, column, row);
    }
    hn::StoreU(value, df, added + i);
  }
}

/// Adds it to `count` samples, rounded down to a multiple of the lanes. Returns the number of these
/// samples.
template <int components, bool deep, class D>
HWY_INLINE int add(D d, const WarpPlane& plane, const Run& run, int from, int count,
                   uint8_t* target) {
  constexpr int bytes = components * (deep ? 2 : 1);
  constexpr int width = deep ? 16 : 8;
  using Sample =
      std::conditional_t<bytes == 1, uint8_t, std::conditional_t<bytes == 2, uint16_t, uint32_t>>;
  const hn::RebindToFloat<D> df;
  const hn::Rebind<Sample, D> ds;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto mask = hn::Set(d, deep ? 0xFFFF : 0xFF);
  const auto most = hn::Set(d, deep ? 1023 : 255);
  const auto scale = hn::Set(df, deep ? 4.0f : 1.0f);
  int i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto* const at = reinterpret_cast<Sample*>(target + static_cast<ptrdiff_t>(i) * bytes);
    hn::Vec<D> samples;
    if constexpr (bytes == 4)
      samples = hn::BitCast(d, hn::LoadU(ds, at));
    else
      samples = hn::PromoteTo(d, hn::LoadU(ds, at));
    // Alpha is not changed.
    auto out = components == 4 ? hn::And(samples, hn::Set(d, static_cast<int32_t>(0xFF000000u)))
                               : hn::Zero(d);
    const auto component = [&](auto index) {
      constexpr int k = decltype(index)::value;
      auto v = hn::And(hn::ShiftRight<k * width>(samples), mask);
      if (deep && plane.shift) v = hn::ShiftRight<6>(v);
      const auto sum =
          hn::MulAdd(hn::LoadU(df, run.added[k] + from + i), scale, hn::ConvertTo(df, v));
      auto q = hn::Min(hn::Max(hn::NearestInt(sum), hn::Zero(d)), most);
      if (deep && plane.shift) q = hn::ShiftLeft<6>(q);
      out = hn::Or(out, hn::ShiftLeft<k * width>(q));
    };
    component(std::integral_constant<int, 0>());
    if constexpr (components > 1) component(std::integral_constant<int, 1>());
    if constexpr (components > 2) component(std::integral_constant<int, 2>());
    if constexpr (bytes == 4)
      hn::StoreU(hn::BitCast(ds, out), ds, at);
    else
      hn::StoreU(hn::DemoteTo(ds, out), ds, at);
  }
  return i;
}

template <int components, bool deep>
void add_run(const AddedField& field, const WarpPlane& plane, Run& run, uint8_t* row) {
  constexpr int bytes = components * (deep ? 2 : 1);
  for (int k = 0; k < std::min(components, 3); ++k)
    gather(field.component[plane.first_component + k], run, run.added[k]);
  uint8_t* const target = row + static_cast<ptrdiff_t>(run.first) * bytes;
  const int done = add<components, deep>(hn::RebindToSigned<F>(), plane, run, 0, run.count, target);
  add<components, deep>(hn::CappedTag<int32_t, 1>(), plane, run, done, run.count - done,
                        target + static_cast<ptrdiff_t>(done) * bytes);
}

/// Appends `count` samples of a cell to the run, interpolated between the cell's four corners.
void append(const WarpGrid& grid, size_t above, size_t below, float down, float first, float step,
            int count, Run& run) {
  const F df;
  const auto put = [&](float begin, float end, float* out) {
    const float growth = end - begin;
    const auto from = hn::Set(df, begin + first * growth), by = hn::Set(df, step * growth);
    for (int i = 0; i < count; i += static_cast<int>(hn::Lanes(df)))
      hn::StoreU(hn::MulAdd(hn::Iota(df, static_cast<float>(i)), by, from), df, out + i);
  };
  const auto side = [&](const std::vector<float>& v, size_t n) {
    return v[above + n] + down * (v[below + n] - v[above + n]);
  };
  // Azimuths are made continuous: a corner beyond the jump from 1 to 0 gets one turn more.
  float turns[4] = {grid.azimuth[above], grid.azimuth[above + 1], grid.azimuth[below],
                    grid.azimuth[below + 1]};
  const auto [least, most] = std::minmax({turns[0], turns[1], turns[2], turns[3]});
  if (most - least > 0.5f)
    for (float& t : turns)
      if (t < 0.5f) t += 1;
  put(turns[0] + down * (turns[2] - turns[0]), turns[1] + down * (turns[3] - turns[1]),
      run.azimuth + run.count);
  put(side(grid.height, 0), side(grid.height, 1), run.height + run.count);
  if (run.needs == (cell_first | cell_second))
    put(side(grid.first_weight, 0), side(grid.first_weight, 1), run.first_weight + run.count);
  run.count += count;
}

void AddField(const AddedField& field, const WarpGrid& grid, const WarpPlane& plane, int first,
              int last) {
  const auto finish = [&](Run& run, uint8_t* row) {
    if (run.count == 0) return;
    if (plane.bits > 8)
      plane.components == 1 ? add_run<1, true>(field, plane, run, row)
                            : add_run<2, true>(field, plane, run, row);
    else if (plane.components == 1)
      add_run<1, false>(field, plane, run, row);
    else if (plane.components == 2)
      add_run<2, false>(field, plane, run, row);
    else
      add_run<4, false>(field, plane, run, row);
    run.count = 0;
  };
  // The first sample at or beyond a point.
  const auto sample_at = [&](double x) {
    return std::clamp(static_cast<int>(std::ceil((x - plane.phase_x) / plane.step_x)), 0,
                      plane.target_size.width);
  };
  Run run;
  for (int r = first; r < last; ++r) {
    const double y = plane.phase_y + static_cast<double>(plane.step_y) * r;
    const int row = std::clamp(static_cast<int>(y / grid.cell), 0, grid.rows - 1);
    const auto down = static_cast<float>(y / grid.cell - row);
    const size_t above = static_cast<size_t>(row) * grid.nodes_per_row();
    uint8_t* const target = plane.target + r * plane.target_stride;
    for (int c = 0; c < grid.columns; ++c) {
      const uint8_t flags = grid.flags(c, row);
      if (!(flags & cell_added)) {
        finish(run, target);
        continue;
      }
      const double left = static_cast<double>(c) * grid.cell;
      const int begin = sample_at(left);
      const int end = c + 1 < grid.columns ? sample_at(left + grid.cell) : plane.target_size.width;
      if (begin >= end) continue;
      const int needs = flags & (cell_first | cell_second);
      if (run.count && (needs != run.needs || run.count + end - begin > run_samples))
        finish(run, target);
      if (!run.count) run.first = begin;
      run.needs = needs;
      append(grid, above + c, above + c + grid.nodes_per_row(), down,
             static_cast<float>((plane.phase_x + plane.step_x * begin - left) / grid.cell),
             static_cast<float>(plane.step_x) / static_cast<float>(grid.cell), end - begin, run);
    }
    finish(run, target);
  }
}

}  // namespace sphere::addedfield::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace sphere {
namespace addedfield {
HWY_EXPORT(AddField);
}  // namespace addedfield

void add_field(const AddedField& field, const WarpGrid& grid, const WarpPlane& plane, int first,
               int last) {
  using namespace addedfield;
  HWY_DYNAMIC_DISPATCH(AddField)(field, grid, plane, first, last);
}

}  // namespace sphere

#endif  // HWY_ONCE

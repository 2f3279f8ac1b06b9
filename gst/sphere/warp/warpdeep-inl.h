// SPDX-License-Identifier: LGPL-2.1-or-later
// Samples of ten bits in two bytes, for each instruction set. Part of warp.cc: included only in its
// middle. Calculates with floats, because the products do not fit 16-bit lanes.

/// The weights of the samples around a point, two or four, along one direction.
template <bool cubic, class DF, class VF>
HWY_INLINE void deep_weights(DF d, VF t, VF* w) {
  const auto s = hn::Sub(hn::Set(d, 1.0f), t);
  if constexpr (cubic) {
    const auto p = hn::Mul(t, s), half = hn::Mul(p, hn::Set(d, -0.5f)), three = hn::Set(d, 3.0f);
    w[0] = hn::Mul(half, s);
    w[3] = hn::Mul(half, t);
    w[1] = hn::MulAdd(three, w[3], hn::Add(s, p));
    w[2] = hn::MulAdd(three, w[0], hn::Add(t, p));
  } else {
    w[0] = s;
    w[1] = t;
  }
}

/// Words of four bytes that are needed of each row of one component.
template <bool cubic>
inline constexpr int deep_words = cubic ? 2 : 1;

/// Samples of a plane with one or two components of 16 bits, as floats, one vector a component.
template <int components, bool cubic, class D, class DF>
HWY_INLINE void sample_deep(D d, DF df, const uint8_t* source, int stride,
                            const Taps<hn::Vec<D>>& t, hn::Vec<DF> (&out)[components]) {
  constexpr int taps = cubic ? 4 : 2, before = cubic ? 1 : 0;
  const auto to_unit = hn::Set(df, 1.0f / one);
  const auto low = hn::Set(d, 0xFFFF);
  hn::Vec<DF> across[taps], down[taps];
  deep_weights<cubic>(df, hn::Mul(hn::ConvertTo(df, t.fx), to_unit), across);
  deep_weights<cubic>(df, hn::Mul(hn::ConvertTo(df, hn::And(t.below, low)), to_unit), down);
  for (int k = 0; k < components; ++k) out[k] = hn::Zero(df);
  const auto first_of = [&](hn::Vec<D> v) { return hn::ConvertTo(df, hn::And(v, low)); };
  const auto second_of = [&](hn::Vec<D> v) {
    return hn::ConvertTo(df, hn::And(hn::ShiftRight<16>(v), low));
  };
  const uint8_t* const begin = source - before * (static_cast<ptrdiff_t>(stride) + 2 * components);
  hn::Vec<D> rows[taps][deep_words<cubic>];
  // Two components have too many bytes for a window.
  if constexpr (components == 1) read_rows(d, begin, stride, t, rows);
  const auto offset = offsets(d, t, stride);
  for (int r = 0; r < taps; ++r) {
    hn::Vec<DF> sum[components];
    for (int k = 0; k < components; ++k) sum[k] = hn::Zero(df);
    if constexpr (components == 1) {
      for (int c = 0; c < taps; c += 2) {
        const auto v = rows[r][c / 2];
        sum[0] = hn::MulAdd(first_of(v), across[c], sum[0]);
        sum[0] = hn::MulAdd(second_of(v), across[c + 1], sum[0]);
      }
    } else {
      for (int c = 0; c < taps; ++c) {
        const auto v = read(d, begin + static_cast<ptrdiff_t>(r) * stride + 4 * c, offset);
        sum[0] = hn::MulAdd(first_of(v), across[c], sum[0]);
        sum[1] = hn::MulAdd(second_of(v), across[c], sum[1]);
      }
    }
    for (int k = 0; k < components; ++k) out[k] = hn::MulAdd(sum[k], down[r], out[k]);
  }
}

/// Stores N samples of one or two components of ten bits. `shift`: WarpPlane::shift.
template <int components, class D>
HWY_INLINE void store_deep_samples(D d, int shift, hn::Vec<D> (&v)[components], uint8_t* target) {
  if (shift)
    for (int c = 0; c < components; ++c) v[c] = hn::ShiftLeft<deep_shift>(v[c]);
  if constexpr (components == 1) {
    const hn::Rebind<uint16_t, D> d16;
    hn::StoreU(hn::DemoteTo(d16, v[0]), d16, reinterpret_cast<uint16_t*>(target));
  } else {
    hn::StoreU(hn::Or(v[0], hn::ShiftLeft<16>(v[1])), d, reinterpret_cast<int32_t*>(target));
  }
}

/// As draw_segment(), for ten bits.
template <int components, bool both, bool gained, bool cubic, class D>
HWY_INLINE void draw_deep_segment(D d, const Job& job, const Block& block, int s, int layer,
                                  uint8_t* target) {
  const hn::RebindToFloat<D> df;
  const WarpPlane& plane = job.plane;
  const int stride = block.stride;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto ramp = hn::Iota(df, 0.0f);
  const auto unit = hn::Set(df, 1.0f / static_cast<float>(1 << plane.shift));
  const auto neutral = hn::Set(df, static_cast<float>(plane.neutral * deep_step));
  int apart[2] = {};
  bool lifted[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (components != 1 || (!both && i != layer)) continue;
    apart[i] = rows_apart(job, block, i, s, 2, deep_words<cubic>);
    if constexpr (gained) lifted[i] = lifts<components>(job, block.layer[i], s);
  }
  for (int first = 0; first < job.samples; first += lanes) {
    const auto at = hn::Add(ramp, hn::Set(df, static_cast<float>(first)));
    const auto line = [&](const float* v, const float* dv) {
      return hn::MulAdd(at, hn::Set(df, dv[s]), hn::Set(df, v[s]));
    };
    const auto sample_layer = [&](int i, hn::Vec<decltype(df)>(&v)[components]) {
      const Track& k = block.layer[i];
      const auto taps =
          make_taps(d, df, line(k.x, k.dx), line(k.y, k.dy), 2 * components, apart[i]);
      sample_deep<components, cubic>(d, df, block.source, stride, taps, v);
      for (int c = 0; c < components; ++c) {
        v[c] = hn::Mul(v[c], unit);
        if constexpr (gained) {
          const auto distance = hn::Sub(v[c], neutral), gain = line(k.gain, k.dgain);
          v[c] = lifted[i] ? hn::Add(lifted_light<true>(df, distance, gain, job.white), neutral)
                           : hn::MulAdd(distance, gain, neutral);
          if (const int tint = plane.first_component + c; tint > 0)
            v[c] = hn::MulAdd(line(k.tint[tint], k.dtint[tint]),
                              hn::Set(df, static_cast<float>(deep_step)), v[c]);
        }
      }
    };
    hn::Vec<decltype(df)> v[components];
    sample_layer(both ? 0 : layer, v);
    if constexpr (both) {
      hn::Vec<decltype(df)> back[components];
      sample_layer(1, back);
      const auto first_weight = hn::Min(
          hn::Max(line(block.first_weight, block.dfirst_weight), hn::Zero(df)), hn::Set(df, 1.0f));
      for (int c = 0; c < components; ++c)
        v[c] = hn::MulAdd(hn::Sub(v[c], back[c]), first_weight, back[c]);
    }
    hn::Vec<D> q[components];
    for (int c = 0; c < components; ++c)
      q[c] = hn::Min(hn::Max(hn::NearestInt(v[c]), hn::Zero(d)), hn::Set(d, deep_white));
    store_deep_samples<components>(d, plane.shift, q,
                                   target + static_cast<ptrdiff_t>(first) * 2 * components);
  }
}

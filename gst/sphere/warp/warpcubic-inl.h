// SPDX-License-Identifier: LGPL-2.1-or-later
// Cubic samples (Catmull-Rom, four by four), for each instruction set. Part of warp.cc: included
// only in its middle.

// Down the columns, weights have 6 bits, so that a sum of four products fits a signed 16-bit lane;
// along the row they have 14.
inline constexpr int cubic_bits_down = 6, cubic_bits_across = 14;

/// The four weights for a fraction, given in both halves of each lane; as 1.15 numbers.
template <class D16, class V16>
HWY_INLINE void cubic_weights(D16 d, V16 fraction, V16 (&w)[4]) {
  const auto t = hn::ShiftLeft<15 - fraction_bits>(fraction);
  const auto s = hn::Sub(hn::Set(d, 32767), t);
  const auto p = hn::MulFixedPoint15(t, s);
  const auto a = hn::MulFixedPoint15(p, s), b = hn::MulFixedPoint15(p, t);
  const auto half = [](V16 v) { return hn::ShiftRight<1>(v); };
  w[0] = hn::Neg(half(a));
  w[3] = hn::Neg(half(b));
  w[1] = hn::Sub(hn::Add(s, p), hn::Add(b, half(b)));
  w[2] = hn::Sub(hn::Add(t, p), hn::Add(a, half(a)));
}

/// The weights down a column, rounded so that their sum is exact.
template <class D16, class V16>
HWY_INLINE void cubic_weights_down(D16 d, V16 fraction, V16 (&w)[4]) {
  cubic_weights(d, fraction, w);
  for (int i : {0, 2, 3}) w[i] = hn::MulFixedPoint15(w[i], hn::Set(d, 1 << cubic_bits_down));
  w[1] = hn::Sub(hn::Set(d, 1 << cubic_bits_down), hn::Add(hn::Add(w[0], w[2]), w[3]));
}

/// As spread_bytes(), with the other two bytes.
template <class D>
HWY_INLINE hn::Vec<D> spread_last_bytes(D d, hn::Vec<D> v) {
  return spread_bytes(d, hn::ShiftRight<16>(v));
}

/// Cubic samples of a plane with one or two components: 32-bit lanes with as many bits of fraction
/// as sample_products() gives, one vector a component.
template <int components, class D>
HWY_INLINE void sample_cubic(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                             hn::Vec<D> (&out)[components]) {
  const hn::Repartition<int16_t, D> d16;
  using V16 = hn::Vec<decltype(d16)>;
  V16 across[4], down[4];
  cubic_weights(d16, hn::BitCast(d16, hn::Or(t.fx, hn::ShiftLeft<16>(t.fx))), across);
  cubic_weights_down(d16, hn::BitCast(d16, t.below), down);
  const auto low = hn::Set(d, 0xFFFF), high = hn::Set(d, static_cast<int32_t>(0xFFFF0000u));
  const auto pair = [&](V16 first, V16 second) {
    return hn::Or(hn::And(hn::BitCast(d, hn::ShiftRight<1>(first)), low),
                  hn::And(hn::BitCast(d, hn::ShiftRight<1>(second)), high));
  };
  const auto first = pair(across[0], across[1]), last = pair(across[2], across[3]);

  V16 sum[components][2];
  for (int k = 0; k < components; ++k) sum[k][0] = sum[k][1] = hn::Zero(d16);
  const auto bytes = hn::Set(d, 0x00FF00FF);
  hn::Vec<D> rows[4][components];
  read_rows(d, source - stride - components, stride, t, rows);
  for (int r = 0; r < 4; ++r) {
    const auto add = [&](V16& to, hn::Vec<D> v) {
      to = hn::Add(to, hn::Mul(hn::BitCast(d16, v), down[r]));
    };
    if constexpr (components == 1) {
      const auto v = rows[r][0];
      add(sum[0][0], spread_bytes(d, v));
      add(sum[0][1], spread_last_bytes(d, v));
    } else {
      for (int half = 0; half < 2; ++half) {
        const auto v = rows[r][half];
        add(sum[0][half], hn::And(v, bytes));
        add(sum[1][half], hn::And(hn::ShiftRight<8>(v), bytes));
      }
    }
  }
  constexpr int too_many = cubic_bits_down + cubic_bits_across - product_bits;
  for (int k = 0; k < components; ++k)
    out[k] = hn::ShiftRight<too_many>(hn::Add(pair_products(d, hn::BitCast(d, sum[k][0]), first),
                                              pair_products(d, hn::BitCast(d, sum[k][1]), last)));
}

/// Cubic samples of RGBA, in the form of sample_rgba(); they may lie a little outside of 0 to 255.
template <class D>
HWY_INLINE void sample_cubic_rgba(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                                  hn::Vec<D> (&out)[2]) {
  const hn::Repartition<int16_t, D> d16;
  using V16 = hn::Vec<decltype(d16)>;
  V16 across[4], down[4];
  cubic_weights(d16, hn::BitCast(d16, hn::Or(t.fx, hn::ShiftLeft<16>(t.fx))), across);
  cubic_weights_down(d16, hn::BitCast(d16, t.below), down);
  const auto bytes = hn::Set(d, 0x00FF00FF);
  const auto offset = offsets(d, t, stride);
  V16 sum[2] = {hn::Zero(d16), hn::Zero(d16)};
  for (int c = 0; c < 4; ++c) {
    V16 column[2] = {hn::Zero(d16), hn::Zero(d16)};
    for (int r = 0; r < 4; ++r) {
      const auto v = read(d, source + static_cast<ptrdiff_t>(r - 1) * stride + 4 * (c - 1), offset);
      column[0] = hn::Add(column[0], hn::Mul(hn::BitCast(d16, hn::And(v, bytes)), down[r]));
      column[1] = hn::Add(column[1],
                          hn::Mul(hn::BitCast(d16, hn::And(hn::ShiftRight<8>(v), bytes)), down[r]));
    }
    for (int k = 0; k < 2; ++k) sum[k] = hn::Add(sum[k], hn::MulFixedPoint15(column[k], across[c]));
  }
  static_assert(fraction_bits == cubic_bits_down + 1);
  for (int k = 0; k < 2; ++k) out[k] = hn::BitCast(d, hn::SaturatedAdd(sum[k], sum[k]));
}

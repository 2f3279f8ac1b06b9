// SPDX-License-Identifier: LGPL-2.1-or-later
// The most frequent case: 8 bits, one layer, no gain, bilinear; for each instruction set. Part of
// warp.cc: included only in its middle.
//
// All values are in 16-bit lanes, one for each byte of the target. Eight of them, a block, are read
// from neighbouring points, therefore points are relative to a window of sixteen bytes of some
// rows.

// Bits of the fraction of a point in a window. The error of a slope that is rounded to it is less
// than a fiftieth of the smallest fraction at the end of a block.
inline constexpr int coordinate_bits = 11, coordinate_one = 1 << coordinate_bits;
inline constexpr int most_lines = 6;

/// Each lane's two bytes, as distances from 128, times its two weights; `fraction_bits` more.
template <class D16, class V16>
HWY_INLINE V16 weigh_pairs(D16 d, V16 weights, V16 bytes) {
  bytes = hn::Xor(bytes, hn::Set(d, static_cast<int16_t>(0x8080)));
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  if constexpr (sizeof(V16) == 16) return V16{_mm_maddubs_epi16(weights.raw, bytes.raw)};
#if HWY_TARGET <= HWY_AVX2
  else
    return V16{_mm256_maddubs_epi16(weights.raw, bytes.raw)};
#endif
#else
  const auto low = hn::And(weights, hn::Set(d, 0xFF)), high = hn::ShiftRight<8>(weights);
  const auto first = hn::ShiftRight<8>(hn::ShiftLeft<8>(bytes)), second = hn::ShiftRight<8>(bytes);
  return hn::Add(hn::Mul(low, first), hn::Mul(high, second));
#endif
}

/// Draws the samples of a segment of one layer, a multiple of the lanes. Returns false if the
/// windows are too small for it.
template <int components, class D16>
HWY_INLINE bool draw_plain_segment(D16 d, const Job& job, const Block& block, int s, int layer,
                                   uint8_t* target) {
  if (!has_windows_of(job, block)) return false;
  const Track& track = block.layer[layer];
  using V = hn::Vec<decltype(d)>;
  const hn::Repartition<uint8_t, decltype(d)> d8;
  constexpr int blocks = static_cast<int>(hn::MaxLanes(d) / 8);
  constexpr int block_samples = 8 / components;
  constexpr float scale = coordinate_one / one;

  const auto nearest = [](float v) { return static_cast<int>(v + (v < 0 ? -0.5f : 0.5f)); };
  const int dx = nearest(track.dx[s] * scale), dy = nearest(track.dy[s] * scale);
  const auto apart = [](int slope) {
    return ((block_samples - 1) * std::abs(slope) + coordinate_one - 1) >> coordinate_bits;
  };
  const int lines = apart(dy) + 2;
  if (lines > most_lines || (apart(dx) + 2) * components > window_bytes) return false;

  // The lane's sample in its block, and the positions of its two bytes in the window of point 0.
  alignas(16) static constexpr int16_t sample_of[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                                          {0, 0, 1, 1, 2, 2, 3, 3}};
  alignas(16) static constexpr int16_t bytes_of[2][8] = {
      {0x100, 0x100, 0x100, 0x100, 0x100, 0x100, 0x100, 0x100},
      {0x200, 0x301, 0x200, 0x301, 0x200, 0x301, 0x200, 0x301}};
  const auto samples = hn::LoadDup128(d, sample_of[components - 1]);
  const auto bytes = hn::LoadDup128(d, bytes_of[components - 1]);
  const auto ramp_x = hn::Mul(samples, hn::Set(d, static_cast<int16_t>(dx)));
  const auto ramp_y = hn::Mul(samples, hn::Set(d, static_cast<int16_t>(dy)));
  const auto mask = hn::Set(d, one - 1);
  constexpr int most =
      1 << (coordinate_bits - fraction_bits);  // the bits of a point that are rounded

  for (int first = 0; first < job.samples; first += blocks * block_samples) {
    const uint8_t* window[blocks];
    V start_x = hn::Zero(d), start_y = hn::Zero(d);
    for (int b = 0; b < blocks; ++b) {
      const auto at = static_cast<float>(first + b * block_samples);
      const auto begin = [&](float v, float dv, int slope, int* base) {
        const int coordinate = static_cast<int>((v + at * dv) * scale + (most / 2 + 0.5f));
        *base = std::min(coordinate, coordinate + (block_samples - 1) * slope) >> coordinate_bits;
        return static_cast<int16_t>(coordinate - *base * coordinate_one);
      };
      int column, row;
      const int16_t x = begin(track.x[s], track.dx[s], dx, &column);
      const int16_t y = begin(track.y[s], track.dy[s], dy, &row);
      window[b] = block.source + static_cast<ptrdiff_t>(row) * block.stride + column * components;
      if constexpr (blocks == 1) {
        start_x = hn::Set(d, x);
        start_y = hn::Set(d, y);
      } else {
        const hn::Half<decltype(d)> half;
        start_x = b ? hn::Combine(d, hn::Set(half, x), hn::LowerHalf(start_x)) : hn::Set(d, x);
        start_y = b ? hn::Combine(d, hn::Set(half, y), hn::LowerHalf(start_y)) : hn::Set(d, y);
      }
    }
    const auto x = hn::Add(start_x, ramp_x), y = hn::Add(start_y, ramp_y);
    auto index = hn::ShiftRight<coordinate_bits>(x);
    if constexpr (components == 2) index = hn::Add(index, index);
    const auto pattern = hn::BitCast(d8, hn::Add(hn::Add(index, hn::ShiftLeft<8>(index)), bytes));
    const auto below = hn::ShiftRight<coordinate_bits>(y);

    const auto line = [&](int r) {
      const ptrdiff_t down = static_cast<ptrdiff_t>(r) * block.stride;
      if constexpr (blocks == 1) {
        return hn::BitCast(d, hn::TableLookupBytes(hn::LoadU(d8, window[0] + down), pattern));
      } else {
        const hn::Half<decltype(d8)> half;
        return hn::BitCast(d,
                           hn::TableLookupBytes(hn::Combine(d8, hn::LoadU(half, window[1] + down),
                                                            hn::LoadU(half, window[0] + down)),
                                                pattern));
      }
    };
    V upper = line(0), lower = line(1), last = lower;
    for (int r = 1; r + 1 < lines; ++r) {
      const auto here = hn::Eq(below, hn::Set(d, static_cast<int16_t>(r)));
      const V next = line(r + 1);
      upper = hn::IfThenElse(here, last, upper);
      lower = hn::IfThenElse(here, next, lower);
      last = next;
    }
    constexpr int drop = coordinate_bits - fraction_bits;
    const auto fx = hn::And(hn::ShiftRight<drop>(x), mask);
    const auto fy = hn::And(hn::ShiftRight<drop>(y), mask);
    const auto weights = hn::Add(hn::Sub(hn::ShiftLeft<8>(fx), fx), hn::Set(d, one));
    const auto above = weigh_pairs(d, weights, upper), under = weigh_pairs(d, weights, lower);
    const auto light = hn::Add(
        above, hn::MulFixedPoint15(hn::Sub(under, above), hn::ShiftLeft<15 - fraction_bits>(fy)));
    const auto rounded = hn::ShiftRight<fraction_bits>(hn::Add(light, hn::Set(d, one / 2)));
    const hn::Rebind<int8_t, decltype(d)> out;
    hn::StoreU(hn::Xor(hn::DemoteTo(out, rounded), hn::Set(out, -128)), out,
               reinterpret_cast<int8_t*>(target) + first * components);
  }
  return true;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// The most frequent case: 8 bits, one layer, no gain, bilinear; for each instruction set. Part of
// warp.cc: included only in its middle.
//
// All values are in 16-bit lanes, one for each byte of the target. Eight of them, or sixteen where
// the output is finer than the source, are read from neighbouring points, therefore points are
// relative to a window of sixteen bytes of some rows.

// Bits of the fraction of a point. The error of a slope that is rounded to it is less than a
// hundredth of a sample at the end of the largest segment.
inline constexpr int coordinate_bits = 11, coordinate_one = 1 << coordinate_bits;
inline constexpr int most_lines = 6;

template <int components, bool deep, bool both, bool gained, bool cubic>
inline constexpr bool is_plain = !deep && !both && !gained && !cubic && components < 4;

/// The points of a layer's segments with that fraction, and the changes per sample.
struct FixedTrack {
  int32_t x[block_segments], dx[block_segments];
  int32_t y[block_segments], dy[block_segments];
};

/// Writes whole vectors.
inline void fix_points(const Track& track, int count, FixedTrack& fixed) {
  const hn::CappedTag<float, 16> df;
  const hn::RebindToSigned<decltype(df)> d;
  const auto scale = hn::Set(df, static_cast<float>(coordinate_one) / one);
  // The fraction across has fewer bits where it is used.
  const auto half = hn::Set(df, static_cast<float>(1 << (coordinate_bits - fraction_bits - 1)));
  for (int s = 0; s < count; s += static_cast<int>(hn::Lanes(d))) {
    const auto scaled = [&](const float* v) { return hn::Mul(hn::LoadU(df, v + s), scale); };
    hn::StoreU(hn::NearestInt(hn::Add(scaled(track.x), half)), d, fixed.x + s);
    hn::StoreU(hn::NearestInt(scaled(track.y)), d, fixed.y + s);
    hn::StoreU(hn::NearestInt(scaled(track.dx)), d, fixed.dx + s);
    hn::StoreU(hn::NearestInt(scaled(track.dy)), d, fixed.dy + s);
  }
}

/// Each lane's two bytes times its two weights, which are not positive; `fraction_bits` more.
template <class D16, class V16>
HWY_INLINE V16 weigh_pairs(D16 d, V16 bytes, V16 weights) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  if constexpr (sizeof(V16) == 16) return V16{_mm_maddubs_epi16(bytes.raw, weights.raw)};
#if HWY_TARGET <= HWY_AVX2
  else
    return V16{_mm256_maddubs_epi16(bytes.raw, weights.raw)};
#endif
#else
  const auto low = hn::And(bytes, hn::Set(d, 0xFF));
  const auto high = hn::And(hn::ShiftRight<8>(bytes), hn::Set(d, 0xFF));
  return hn::Add(hn::Mul(low, hn::ShiftRight<8>(hn::ShiftLeft<8>(weights))),
                 hn::Mul(high, hn::ShiftRight<8>(weights)));
#endif
}

/// The distance between the windows' first and last row, or column, of so many samples.
inline int samples_apart(int samples, int slope) {
  return ((samples - 1) * std::abs(slope) + coordinate_one - 1) >> coordinate_bits;
}

/// Whether windows contain all that so many samples of a segment need.
inline bool fit_windows(int samples, int components, int dx, int dy) {
  return samples_apart(samples, dy) + 2 <= most_lines &&
         (samples_apart(samples, dx) + 2) * components <= window_bytes;
}

/// Draws the samples of a segment, a multiple of the lanes. Each of `windows` parts of a vector has
/// a window of its own.
template <int components, int windows, class D16>
HWY_INLINE void draw_windows(D16 d, const Job& job, const Block& block, const FixedTrack& track,
                             int s, uint8_t* target) {
  using V = hn::Vec<decltype(d)>;
  const hn::Repartition<uint8_t, decltype(d)> d8;
  constexpr int vector_samples = static_cast<int>(hn::MaxLanes(d)) / components;
  constexpr int window_samples = vector_samples / windows;
  const int dx = track.dx[s], dy = track.dy[s];
  const int lines = samples_apart(window_samples, dy) + 2;

  // The lane's sample in its window, and the positions of its two bytes from the sample's own.
  alignas(32) static constexpr int16_t sample_of[2][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
      {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7}};
  alignas(16) static constexpr int16_t bytes_of[2][8] = {
      {0x100, 0x100, 0x100, 0x100, 0x100, 0x100, 0x100, 0x100},
      {0x200, 0x301, 0x200, 0x301, 0x200, 0x301, 0x200, 0x301}};
  const auto samples = windows == 1 ? hn::Load(d, sample_of[components - 1])
                                    : hn::LoadDup128(d, sample_of[components - 1]);
  const auto bytes = hn::LoadDup128(d, bytes_of[components - 1]);
  const auto ramp_x = hn::Mul(samples, hn::Set(d, static_cast<int16_t>(dx)));
  const auto ramp_y = hn::Mul(samples, hn::Set(d, static_cast<int16_t>(dy)));

  for (int first = 0; first < job.samples; first += vector_samples) {
    const uint8_t* window[windows];
    V start_x = hn::Zero(d), start_y = hn::Zero(d);
    for (int w = 0; w < windows; ++w) {
      const auto begin = [&](int v, int slope, int* base) {
        const int coordinate = v + (first + w * window_samples) * slope;
        *base = std::min(coordinate, coordinate + (window_samples - 1) * slope) >> coordinate_bits;
        return static_cast<int16_t>(coordinate - *base * coordinate_one);
      };
      int column, row;
      const int16_t x = begin(track.x[s], dx, &column), y = begin(track.y[s], dy, &row);
      window[w] = block.source + static_cast<ptrdiff_t>(row) * block.stride + column * components;
      __builtin_prefetch(window[w] + rows_ahead * static_cast<ptrdiff_t>(block.stride));
      if constexpr (windows == 1) {
        start_x = hn::Set(d, x);
        start_y = hn::Set(d, y);
      } else {
        const hn::Half<decltype(d)> half;
        start_x = w ? hn::Combine(d, hn::Set(half, x), hn::LowerHalf(start_x)) : hn::Set(d, x);
        start_y = w ? hn::Combine(d, hn::Set(half, y), hn::LowerHalf(start_y)) : hn::Set(d, y);
      }
    }
    const auto x = hn::Add(start_x, ramp_x), y = hn::Add(start_y, ramp_y);
    auto index = hn::ShiftRight<coordinate_bits>(x);
    if constexpr (components == 2) index = hn::Add(index, index);
    const auto pattern = hn::BitCast(d8, hn::Add(hn::Add(index, hn::ShiftLeft<8>(index)), bytes));
    const auto below = hn::ShiftRight<coordinate_bits>(y);

    const auto line = [&](int r) {
      const ptrdiff_t down = static_cast<ptrdiff_t>(r) * block.stride;
      if constexpr (windows == 1) {
        return hn::BitCast(d, hn::TableLookupBytes(hn::LoadDup128(d8, window[0] + down), pattern));
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
    // The weights of a lane's two bytes, fx - one and -fx, are the lane's two bytes. They are
    // negative because the largest, one, is no signed byte, but its opposite is.
    const auto fx =
        hn::And(hn::ShiftRight<coordinate_bits - fraction_bits>(x), hn::Set(d, one - 1));
    const auto weights = hn::Add(hn::Sub(fx, hn::ShiftLeft<8>(fx)), hn::Set(d, one));
    const auto above = weigh_pairs(d, upper, weights), under = weigh_pairs(d, lower, weights);
    // The fraction down as a 1.15 number.
    constexpr int up = 15 - coordinate_bits;
    const auto fy =
        hn::And(hn::ShiftLeft<up>(y), hn::Set(d, static_cast<int16_t>((coordinate_one - 1) << up)));
    const auto darkness = hn::Add(above, hn::MulFixedPoint15(hn::Sub(under, above), fy));
    const auto rounded = hn::ShiftRight<fraction_bits>(hn::Sub(hn::Set(d, one / 2), darkness));
    const hn::Rebind<uint8_t, decltype(d)> out;
    hn::StoreU(hn::DemoteTo(out, rounded), out, target + first * components);
  }
}

/// Draws the samples of a segment. Returns false if the windows are too small for it.
template <int components>
HWY_INLINE bool draw_plain_segment(const Job& job, const Block& block, const FixedTrack& track,
                                   int s, uint8_t* target) {
  const hn::CappedTag<int16_t, 16> wide;
  const hn::CappedTag<int16_t, 8> narrow;
  constexpr int lanes = static_cast<int>(hn::MaxLanes(wide));
  const int dx = track.dx[s], dy = track.dy[s];
  const bool is_wide = lanes > 8 && job.samples * components >= lanes;
  if (is_wide && fit_windows(lanes / components, components, dx, dy))
    draw_windows<components, 1>(wide, job, block, track, s, target);
  else if (!fit_windows(8 / components, components, dx, dy))
    return false;
  else if (is_wide)
    draw_windows<components, lanes / 8>(wide, job, block, track, s, target);
  else
    draw_windows<components, 1>(narrow, job, block, track, s, target);
  return true;
}

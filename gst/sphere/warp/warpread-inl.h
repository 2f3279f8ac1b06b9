// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the bytes around each lane's point, for each instruction set. Part of warp.cc: included
// only in its middle.
//
// A gather reads each lane separately. With some instruction sets it is so slow that it takes most
// of the time. But four neighbouring lanes are read from neighbouring points: a window of sixteen
// bytes of a row usually contains all of them, and a shuffle distributes them to the lanes.

#if HWY_HAVE_SCALABLE
inline constexpr bool has_windows = false;
#else
inline constexpr bool has_windows = true;
#endif

inline constexpr int window_bytes = 16;

/// Whether all bytes of a window may be read, including those that no sample needs. In the picture
/// itself they are in the buffer because of inside_margin; in its smaller copies they may not be.
inline bool has_windows_of(const Job& job, const Block& block) {
  return has_windows && block.source == job.plane.source;
}

/// The largest distance between the rows of four neighbouring lanes, 1 or 2, if a window contains
/// all of them; 0 if windows can't be used. `bytes`: of a sample. `words`: the number of words of
/// four bytes that are needed of each row.
inline int rows_apart(const Job& job, const Block& block, int layer, int s, int bytes, int words) {
  if (!has_windows_of(job, block)) return 0;
  // Points are rounded.
  constexpr float rounding = 2;
  const auto apart = [](float slope) { return (3 * std::abs(slope) + rounding) / one; };
  const Track& track = block.layer[layer];
  if (static_cast<float>(bytes) * std::ceil(apart(track.dx[s])) + 4.0f * static_cast<float>(words) >
      window_bytes)
    return 0;
  const float down = apart(track.dy[s]);
  return down <= 1 ? 1 : down <= 2 ? 2 : 0;
}

/// Sixteen bytes for each four lanes, from the offset of the first of them.
template <class D>
HWY_INLINE hn::Vec<D> read_blocks(D d, const uint8_t* base, const int32_t* offset) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    const hn::Repartition<uint8_t, D> d8;
    return hn::BitCast(d, hn::LoadU(d8, base + *offset));
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, read_blocks(half, base, offset + hn::MaxLanes(half)),
                       read_blocks(half, base, offset));
  }
}

template <int most_apart, int rows, int words, class D>
HWY_INLINE void read_windows(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                             hn::Vec<D> (&out)[rows][words]) {
  // The points are on a straight line, therefore the smallest value is the first or the last one.
  const auto least = [](hn::Vec<D> v) { return hn::Min(hn::Broadcast<0>(v), hn::Broadcast<3>(v)); };
  const auto first_row = least(t.row), first_column = least(t.column);
  alignas(64) int32_t offset[hn::MaxLanes(D())];
  hn::Store(hn::Add(hn::Mul(first_row, hn::Set(d, stride)), first_column), d, offset);
  const auto below = hn::Sub(t.row, first_row);
  const auto once = hn::Eq(below, hn::Set(d, 1)), twice = hn::Eq(below, hn::Set(d, 2));

  const hn::Repartition<uint8_t, D> d8;
  alignas(16) static constexpr uint8_t lowest[16] = {0, 0, 0, 0, 4,  4,  4,  4,
                                                     8, 8, 8, 8, 12, 12, 12, 12};
  const auto start =
      hn::BitCast(d, hn::TableLookupBytes(hn::BitCast(d8, hn::Sub(t.column, first_column)),
                                          hn::LoadDup128(d8, lowest)));
  hn::Vec<D> pattern[words];
  for (int w = 0; w < words; ++w)
    pattern[w] = hn::Add(start, hn::Set(d, 0x03020100 + 0x04040404 * w));

  hn::Vec<D> line[rows + most_apart][words];
  for (int r = 0; r < rows + most_apart; ++r) {
    // A row that no lane needs may be outside of the picture.
    const bool wanted = r < rows + 1 || !hn::AllFalse(d, twice);
    const auto bytes =
        wanted ? read_blocks(d, source + static_cast<ptrdiff_t>(r) * stride, offset) : hn::Zero(d);
    for (int w = 0; w < words; ++w)
      line[r][w] =
          hn::BitCast(d, hn::TableLookupBytes(hn::BitCast(d8, bytes), hn::BitCast(d8, pattern[w])));
  }
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < words; ++w) {
      out[r][w] = hn::IfThenElse(once, line[r + 1][w], line[r][w]);
      if constexpr (most_apart > 1) out[r][w] = hn::IfThenElse(twice, line[r + 2][w], out[r][w]);
    }
}

/// Reads `words` words of four bytes from each lane's point on, of `rows` rows. Uses gathers where
/// windows can't be used.
template <int rows, int words, class D>
HWY_INLINE void read_rows(D d, const uint8_t* source, int stride, const Taps<hn::Vec<D>>& t,
                          hn::Vec<D> (&out)[rows][words]) {
  if constexpr (has_windows) {
    if (t.apart == 1) return read_windows<1>(d, source, stride, t, out);
    if (t.apart == 2) return read_windows<2>(d, source, stride, t, out);
  }
  const auto offset = offsets(d, t, stride);
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < words; ++w)
      out[r][w] = read(d, source + static_cast<ptrdiff_t>(r) * stride + 4 * w, offset);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Segments where the output is coarser than the source, for each instruction set. Part of warp.cc:
// included only in its middle.

/// Mixes the components `at` with `other`: the weight of `other` is `part` for the first sample,
/// and increases by `growth` with each sample.
template <typename T>
void mix(T* at, const T* other, int samples, int components, float part, float growth, int shift) {
  constexpr float whole = 256;
  for (int i = 0; i < samples; ++i, part += growth) {
    const int w = static_cast<int>(std::clamp(part, 0.0f, 1.0f) * whole + 0.5f);
    for (int k = 0; k < components; ++k, ++at, ++other) {
      const int a = *at >> shift, b = *other >> shift;
      *at = static_cast<T>((a + (((b - a) * w + 128) >> 8)) << shift);
    }
  }
}

/// Draws segments where the output is coarser than the source, each from two of its copies.
template <int components, bool deep, bool cubic, class D>
void draw_reduced(D d, const Job& job, const GridRow& g, int first, int count, int needs,
                  bool gained, Block& block, uint8_t* out, int left) {
  using T = std::conditional_t<deep, uint16_t, uint8_t>;
  const std::vector<float>& reduction = job.grid.reduction;
  const int skip = job.cells_a_segment;
  const auto edge = [&](int segment) {
    const float above = reduction[g.above + static_cast<size_t>(segment) * skip];
    const float below = reduction[g.below + static_cast<size_t>(segment) * skip];
    return above + g.part * (below - above);
  };
  T drawn[largest_cell * components], coarser[largest_cell * components];
  for (int s = first; s < first + count; ++s, left -= job.samples) {
    const float begin = edge(s), end = edge(s + 1);
    const Mixture mixed = mixture(job.plane, (begin + end) / 2);
    const auto level = static_cast<float>(mixed.level);
    const auto draw = [&](int n, T* target) {
      fill_block(job, g, s, 1, needs, gained, job.levels[n], block);
      auto* const bytes = reinterpret_cast<uint8_t*>(target);
      if (n == 0)
        draw_block<components, deep, cubic>(d, job, block, 1, needs, gained, bytes, job.samples);
      else
        draw_block<components, deep, false>(d, job, block, 1, needs, gained, bytes, job.samples);
    };
    draw(mixed.level, drawn);
    if (std::max(begin, end) > level) {
      draw(mixed.level + 1, coarser);
      mix(drawn, coarser, job.samples, components, begin - level,
          (end - begin) / static_cast<float>(job.samples), job.plane.shift);
    }
    const size_t bytes =
        static_cast<size_t>(std::clamp(left, 0, job.samples)) * components * sizeof(T);
    std::memcpy(out, drawn, bytes);
    out += static_cast<size_t>(job.samples) * components * sizeof(T);
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Segments of a whole sphere whose points can't be interpolated, because an edge of the picture or
// of a face, or a pole, is near; for each instruction set. Part of warp.cc: included only in its
// middle.
//
// Directions are interpolated, and each lane's point is calculated from its direction. What is read
// around a point may be at the other end of the picture or on another face, therefore each sample
// is read by itself.

/// As arctangent() of gst/sphere/geometry.
template <class DF, class VF>
HWY_INLINE VF arctangents(DF d, VF y, VF x) {
  const auto tall = hn::Abs(y), wide = hn::Abs(x);
  const auto least = hn::Min(tall, wide), most = hn::Max(tall, wide);
  const auto t = hn::Div(least, hn::Max(most, hn::Set(d, std::numeric_limits<float>::min())));
  const auto s = hn::Mul(t, t);
  auto sum = hn::Zero(d);
  for (int n = static_cast<int>(std::size(arctangent_terms)) - 1; n >= 0; --n)
    sum = hn::MulAdd(sum, s, hn::Set(d, static_cast<float>(arctangent_terms[n])));
  const auto half_turn = hn::Set(d, static_cast<float>(pi)), quarter = hn::Set(d, float{pi / 2});
  auto angle = hn::Mul(t, sum);
  angle = hn::IfThenElse(hn::Gt(tall, wide), hn::Sub(quarter, angle), angle);
  angle = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(half_turn, angle), angle);
  return hn::CopySign(angle, y);
}

template <class VF>
struct LaneDirections {
  VF x, y, z;
};

/// Points in samples of a level, and the samples that may be read around them, both ends included.
template <class VF>
struct LanePoints {
  VF x, y;
  VF left, top, right, bottom;
};

/// Reads the samples around each lane's point, as floats, one vector a component. `around`: as in
/// sample_level().
template <int components, bool deep, bool cubic, class D, class VF>
HWY_INLINE void sample_points(D d, const Job& job, const Job::Level& level, int around,
                              const LanePoints<VF>& p, VF (&light)[components]) {
  const hn::RebindToFloat<D> df;
  constexpr int taps = cubic ? 4 : 2, before = cubic ? 1 : 0;
  constexpr int bits = deep ? 16 : 8, bytes = components * bits / 8;
  // Rounded as all other points are, so that no step is seen beside these segments.
  const auto rounded = [&](VF v) {
    return hn::Mul(hn::Round(hn::Mul(v, hn::Set(df, one))), hn::Set(df, 1.0f / one));
  };
  const auto x_at = rounded(p.x), y_at = rounded(p.y);
  const auto left = hn::Floor(x_at), top = hn::Floor(y_at);
  VF across[taps], down[taps];
  deep_weights<cubic>(df, hn::Sub(x_at, left), across);
  deep_weights<cubic>(df, hn::Sub(y_at, top), down);
  hn::Vec<D> column[taps], row[taps];
  for (int n = 0; n < taps; ++n) {
    auto x = hn::Add(left, hn::Set(df, static_cast<float>(n - before)));
    const auto y = hn::Add(top, hn::Set(df, static_cast<float>(n - before)));
    if (around) {
      const auto turn = hn::Set(df, static_cast<float>(around));
      x = hn::IfThenElse(hn::Lt(x, hn::Zero(df)), hn::Add(x, turn), x);
      x = hn::IfThenElse(hn::Ge(x, turn), hn::Sub(x, turn), x);
    }
    // Also where a point is no number.
    x = hn::Min(hn::Max(x, p.left), p.right);
    column[n] = hn::Mul(hn::ConvertTo(d, x), hn::Set(d, bytes));
    row[n] = hn::Mul(hn::ConvertTo(d, hn::Min(hn::Max(y, p.top), p.bottom)),
                     hn::Set(d, static_cast<int>(level.stride)));
  }
  const auto unit = hn::Set(df, 1.0f / static_cast<float>(1 << job.plane.shift));
  const auto low = hn::Set(d, (1 << bits) - 1), last = hn::Set(d, level.last_word);
  for (int k = 0; k < components; ++k) light[k] = hn::Zero(df);
  // Where a sample is beside the one before it in all lanes, one word has both.
  bool in_pairs = 2 * bytes <= 4;
  for (int n = 1; n < taps && in_pairs; n += 2)
    in_pairs = hn::AllTrue(d, hn::Eq(column[n], hn::Add(column[n - 1], hn::Set(d, bytes))));
  for (int r = 0; r < taps; ++r) {
    auto word = hn::Zero(d);
    VF sum[components];
    for (int k = 0; k < components; ++k) sum[k] = hn::Zero(df);
    for (int c = 0; c < taps; ++c) {
      if (!in_pairs || c % 2 == 0) {
        const auto offset = hn::Add(row[r], column[c]), from = hn::Min(offset, last);
        word = read(d, level.data, from);
        // Of the last samples of a plane, more than they are is read before them.
        if constexpr (bytes < 4) word = hn::Shr(word, hn::ShiftLeft<3>(hn::Sub(offset, from)));
      }
      for (int k = 0; k < components; ++k) {
        sum[k] = hn::MulAdd(hn::ConvertTo(df, hn::And(word, low)), across[c], sum[k]);
        word = hn::ShiftRight<bits>(word);
      }
    }
    for (int k = 0; k < components; ++k) light[k] = hn::MulAdd(sum[k], down[r], light[k]);
  }
  for (int k = 0; deep && k < components; ++k) light[k] = hn::Mul(light[k], unit);
}

/// The points in an equirectangular picture that show directions.
template <class DF, class VF>
HWY_INLINE LanePoints<VF> equirect_points(DF d, const Job& job, const Job::Level& level,
                                          const LaneDirections<VF>& to) {
  const auto at = [&](VF angle, double whole, int pixels, float phase, float step) {
    const auto scale = static_cast<float>(pixels / whole) / step;
    return hn::MulAdd(angle, hn::Set(d, scale),
                      hn::Set(d, (static_cast<float>(pixels) / 2 - phase) / step));
  };
  const auto flat = hn::Sqrt(hn::MulAdd(to.x, to.x, hn::Mul(to.z, to.z)));
  LanePoints<VF> p;
  p.left = hn::Zero(d);
  p.right = hn::Set(d, static_cast<float>(level.right[0]));
  p.top = hn::Set(d, static_cast<float>(level.top[0]));
  p.bottom = hn::Set(d, static_cast<float>(level.bottom[0]));
  p.x = at(arctangents(d, to.x, to.z), 2 * pi, job.grid.source.width, level.phase_x, level.step_x);
  p.y = at(arctangents(d, to.y, flat), pi, job.grid.source.height, level.phase_y, level.step_y);
  p.y = hn::Min(hn::Max(p.y, p.top), p.bottom);
  return p;
}

/// Points on the faces that show directions.
template <class VF>
struct FacePoints {
  LanePoints<VF> at;
  VF face;                // its number
  VF ahead, right, down;  // the direction in the axes of the face
  VF middle_x, middle_y;
  // By how many samples the points are beyond the last samples of the face.
  VF beyond_x, beyond_y;
};

/// The products of directions with an axis.
template <class DF, class VF>
HWY_INLINE VF along(DF d, const LaneDirections<VF>& to, const Vec3& axis) {
  const auto times = [&](double by) { return hn::Set(d, static_cast<float>(by)); };
  return hn::MulAdd(to.x, times(axis.x),
                    hn::MulAdd(to.y, times(axis.y), hn::Mul(to.z, times(axis.z))));
}

/// Of all faces but number `but`, the nearest.
template <class DF, class VF>
HWY_INLINE FacePoints<VF> face_points(DF d, const Job& job, const Job::Level& level,
                                      const LaneDirections<VF>& to, VF but) {
  const CubeLayout& cube = *job.grid.cube;
  FacePoints<VF> p;
  LanePoints<VF>& at = p.at;
  p.ahead = p.right = p.down = hn::Set(d, -std::numeric_limits<float>::max());
  p.face = p.middle_x = p.middle_y = hn::Zero(d);
  at.left = at.top = at.right = at.bottom = hn::Zero(d);
  for (int n = 0; n < CubeLayout::faces; ++n) {
    const auto number = hn::Set(d, static_cast<float>(n));
    const auto ahead = along(d, to, cube.face(n).ahead);
    const auto nearer = hn::And(hn::Gt(ahead, p.ahead), hn::Ne(number, but));
    const auto choose = [&](VF& chosen, VF value) {
      chosen = hn::IfThenElse(nearer, value, chosen);
    };
    const auto choose_number = [&](VF& chosen, auto value) {
      choose(chosen, hn::Set(d, static_cast<float>(value)));
    };
    choose(p.ahead, ahead);
    choose(p.right, along(d, to, cube.face(n).right));
    choose(p.down, along(d, to, cube.face(n).down));
    choose(p.face, number);
    choose_number(p.middle_x, level.middle_x[n]);
    choose_number(p.middle_y, level.middle_y[n]);
    choose_number(at.left, level.faces[n].left);
    choose_number(at.top, level.faces[n].top);
    choose_number(at.right, level.faces[n].right);
    choose_number(at.bottom, level.faces[n].bottom);
  }
  const auto coordinate = [&](VF side) {
    if (!cube.equiangular()) return hn::Div(side, p.ahead);
    return hn::Mul(arctangents(d, side, p.ahead), hn::Set(d, static_cast<float>(4 / pi)));
  };
  at.x = hn::MulAdd(coordinate(p.right), hn::Set(d, level.half_x), p.middle_x);
  at.y = hn::MulAdd(coordinate(p.down), hn::Set(d, level.half_y), p.middle_y);
  p.beyond_x = hn::Max(hn::Sub(at.left, at.x), hn::Sub(at.x, at.right));
  p.beyond_y = hn::Max(hn::Sub(at.top, at.y), hn::Sub(at.y, at.bottom));
  // The nearest points of the face. Their limits are the first arguments, and are taken where a
  // point is no number.
  at.x = hn::Min(hn::Max(at.x, at.left), at.right);
  at.y = hn::Min(hn::Max(at.y, at.top), at.bottom);
  return p;
}

/// The directions of the samples that would follow the last ones of the faces, where points are
/// between them.
template <class DF, class VF>
HWY_INLINE LaneDirections<VF> directions_beyond(DF d, const Job& job, const Job::Level& level,
                                                const LaneDirections<VF>& to,
                                                const FacePoints<VF>& p) {
  const CubeLayout& cube = *job.grid.cube;
  const auto none = hn::Zero(d), whole = hn::Set(d, 1.0f);
  /// How much the product with an axis changes, if the coordinate ahead does not.
  const auto change = [&](VF beyond, VF at, VF last, VF middle, float half, VF side) {
    const auto outwards = hn::IfThenElse(hn::Eq(at, last), whole, hn::Neg(whole));
    auto coordinate = hn::Mul(hn::Sub(hn::Add(at, outwards), middle), hn::Set(d, 1 / half));
    if (cube.equiangular()) {
      // The tangent of an angle that is almost an eighth of a turn.
      const auto more = hn::Mul(hn::Sub(hn::Abs(coordinate), whole), hn::Set(d, float{pi / 4}));
      const auto tangent =
          hn::MulAdd(hn::Mul(more, more), hn::Mul(more, hn::Set(d, 1.0f / 3)), more);
      coordinate =
          hn::CopySign(hn::Div(hn::Add(whole, tangent), hn::Sub(whole, tangent)), coordinate);
    }
    return hn::IfThenElse(hn::Gt(beyond, none), hn::Sub(hn::Mul(coordinate, p.ahead), side), none);
  };
  const auto right = change(p.beyond_x, p.at.x, p.at.right, p.middle_x, level.half_x, p.right);
  const auto down = change(p.beyond_y, p.at.y, p.at.bottom, p.middle_y, level.half_y, p.down);
  LaneDirections<VF> moved = to;
  for (int n = 0; n < CubeLayout::faces; ++n) {
    const auto here = hn::Eq(p.face, hn::Set(d, static_cast<float>(n)));
    const CubeFace& face = cube.face(n);
    const auto move = [&](VF& axis, double by_right, double by_down) {
      const auto by = hn::MulAdd(right, hn::Set(d, static_cast<float>(by_right)),
                                 hn::Mul(down, hn::Set(d, static_cast<float>(by_down))));
      axis = hn::Add(axis, hn::IfThenElseZero(here, by));
    };
    move(moved.x, face.right.x, face.down.x);
    move(moved.y, face.right.y, face.down.y);
    move(moved.z, face.right.z, face.down.z);
  }
  return moved;
}

/// Draws those lanes one by one of which `wanted` is true.
template <int components, bool cubic, class D, class VF, class M>
void sample_lanes(D d, const Job& job, const Job::Level& level, const LaneDirections<VF>& to,
                  M wanted, VF (&light)[components]) {
  const hn::RebindToFloat<D> df;
  constexpr size_t most = hn::MaxLanes(D());
  HWY_ALIGN float x[most], y[most], z[most], is_wanted[most], lights[components][most];
  hn::Store(to.x, df, x);
  hn::Store(to.y, df, y);
  hn::Store(to.z, df, z);
  hn::Store(hn::IfThenElseZero(wanted, hn::Set(df, 1.0f)), df, is_wanted);
  for (int k = 0; k < components; ++k) hn::Store(light[k], df, lights[k]);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if (is_wanted[i] == 0) continue;
    const SpherePoint at = sphere_point(job.grid, x[i], y[i], z[i]);
    float sample[4];
    sample_face(job, level, at.face, at.x, at.y, cubic, sample);
    for (int k = 0; k < components; ++k) lights[k][i] = sample[k];
  }
  for (int k = 0; k < components; ++k) light[k] = hn::Load(df, lights[k]);
}

/// The light of a level in these directions.
template <int components, bool deep, bool cubic, class D, class VF>
HWY_INLINE void sample_directions(D d, const Job& job, const Job::Level& level,
                                  const LaneDirections<VF>& to, VF (&light)[components]) {
  const hn::RebindToFloat<D> df;
  if (!job.grid.cube)
    return sample_points<components, deep, cubic>(d, job, level, job.around(level),
                                                  equirect_points(df, job, level, to), light);
  const auto p = face_points(df, job, level, to, hn::Set(df, -1.0f));
  sample_points<components, deep, cubic>(d, job, level, 0, p.at, light);
  // Cubic samples are also read one sample further away.
  const auto margin = hn::Set(df, cubic ? -1.0f : 0.0f);
  const auto outside_x = hn::Gt(p.beyond_x, margin), outside_y = hn::Gt(p.beyond_y, margin);
  const auto outside = hn::Or(outside_x, outside_y);
  if (hn::AllFalse(df, outside)) return;
  if constexpr (cubic) return sample_lanes<components, cubic>(d, job, level, to, outside, light);
  // Between the last samples of two faces, the light is interpolated: from the last one of this
  // face to where it would have the next one, which the other face shows.
  const auto next = directions_beyond(df, job, level, to, p);
  VF other[components];
  sample_points<components, deep, false>(d, job, level, 0,
                                         face_points(df, job, level, next, p.face).at, other);
  const auto part = hn::Min(hn::Max(p.beyond_x, p.beyond_y), hn::Set(df, 1.0f));
  for (int k = 0; k < components; ++k)
    light[k] =
        hn::IfThenElse(outside, hn::MulAdd(part, hn::Sub(other[k], light[k]), light[k]), light[k]);
  // Where three faces meet.
  const auto corner = hn::And(outside_x, outside_y);
  if (!hn::AllFalse(df, corner)) sample_lanes<components, false>(d, job, level, to, corner, light);
}

/// Stores N samples given as floats.
template <int components, bool deep, class D, class VF>
HWY_INLINE void store_light(D d, const Job& job, VF (&light)[components], uint8_t* target) {
  hn::Vec<D> v[components];
  const auto most = hn::Set(d, deep ? deep_white : 255);
  for (int k = 0; k < components; ++k)
    v[k] = hn::Min(hn::Max(hn::NearestInt(light[k]), hn::Zero(d)), most);
  if constexpr (deep) {
    store_deep_samples<components>(d, job.plane.shift, v, target);
  } else if constexpr (components == 4) {
    const auto pixels = hn::Or(hn::Or(v[0], hn::ShiftLeft<8>(v[1])),
                               hn::Or(hn::ShiftLeft<16>(v[2]), hn::ShiftLeft<24>(v[3])));
    hn::StoreU(pixels, d, reinterpret_cast<int32_t*>(target));
  } else {
    store_samples<components>(d, v, target);
  }
}

/// Draws `count` segments from `first` on; `left` as in draw_segments().
template <int components, bool deep, bool cubic, class D>
void draw_exact(D d, const Job& job, const GridRow& g, int first, int count, uint8_t* out,
                int left) {
  const hn::RebindToFloat<D> df;
  using VF = hn::Vec<decltype(df)>;
  constexpr int bytes = components * (deep ? 2 : 1);
  const WarpGrid& grid = job.grid;
  const int lanes = static_cast<int>(hn::Lanes(d)), skip = job.cells_a_segment;
  const auto samples = static_cast<float>(job.samples);
  const float phase = static_cast<float>(job.plane.phase_x) / static_cast<float>(grid.cell * skip);
  for (int s = first; s < first + count; ++s, left -= job.samples) {
    /// At the first sample of the segment, and the change per sample.
    struct Line {
      float begin = 0, growth = 0;
    };
    const auto line = [&](const std::vector<float>& nodes) {
      const auto edge = [&](int segment) {
        const size_t n = static_cast<size_t>(segment) * skip;
        return nodes[g.above + n] + g.part * (nodes[g.below + n] - nodes[g.above + n]);
      };
      const float begin = edge(s), growth = edge(s + 1) - begin;
      return Line{begin + phase * growth, growth / samples};
    };
    const Line x = line(grid.direction[0]), y = line(grid.direction[1]),
               z = line(grid.direction[2]);
    const Line reduction = grid.reduction.empty() ? Line{} : line(grid.reduction);
    const Mixture mixed = mixture(job.plane, reduction.begin + reduction.growth * samples / 2);
    uint8_t whole[largest_cell * 4];
    uint8_t* const target = left >= job.samples ? out : whole;
    for (int n = 0; n < job.samples; n += lanes) {
      const auto index = hn::Iota(df, static_cast<float>(n));
      const auto at = [&](const Line& l) {
        return hn::MulAdd(index, hn::Set(df, l.growth), hn::Set(df, l.begin));
      };
      const LaneDirections<VF> to = {at(x), at(y), at(z)};
      VF light[components];
      if (mixed.level == 0)
        sample_directions<components, deep, cubic>(d, job, job.levels[0], to, light);
      else
        sample_directions<components, deep, false>(d, job, job.levels[mixed.level], to, light);
      const auto part = hn::Sub(at(reduction), hn::Set(df, static_cast<float>(mixed.level)));
      if (mixed.level < job.plane.copy_count && !hn::AllFalse(df, hn::Gt(part, hn::Zero(df)))) {
        VF coarser[components];
        sample_directions<components, deep, false>(d, job, job.levels[mixed.level + 1], to,
                                                   coarser);
        const auto weight = hn::Min(hn::Max(part, hn::Zero(df)), hn::Set(df, 1.0f));
        for (int k = 0; k < components; ++k)
          light[k] = hn::MulAdd(weight, hn::Sub(coarser[k], light[k]), light[k]);
      }
      store_light<components, deep>(d, job, light, target + static_cast<ptrdiff_t>(n) * bytes);
    }
    if (target == whole) std::memcpy(out, whole, static_cast<size_t>(std::max(left, 0)) * bytes);
    out += static_cast<ptrdiff_t>(job.samples) * bytes;
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/multiband.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace sphere {

namespace {

// Columns of a strip: a multiple of the first number.
constexpr int finest_columns = 64, most_columns = 8192;
// Pixels. Wide strips have larger cells, because the accuracy depends on how much the rim bends
// within one cell.
constexpr int cell = 8, wide_cell = 16, wide = 2560;
// An upper limit of the size of a grid's cells, radians.
constexpr double widest_cell = 0.25;
// Samples of more than 8 bits are used with this many bits below the steps of 8 bits in which
// AddedField counts.
constexpr int deeper = 2;

// Weights in each direction. To reduce: 1/8, 3/8, 3/8, 1/8 of the four nearest samples. To expand:
// 3/4 of the nearest and 1/4 of the next. Each sample is in the middle of the area that it
// represents.
constexpr float near_share = 0.75f, far_share = 0.25f;

SeamStrip strip_for(const Planner& planner) {
  const int columns = std::clamp(
      static_cast<int>(std::lround(planner.density() * 2 * pi / finest_columns)) * finest_columns,
      finest_columns, most_columns);
  const int size = columns >= wide ? wide_cell : cell;
  const double rows = planner.widest() * columns / (2 * pi);
  return SeamStrip(planner, planner.widest() / 2, columns,
                   static_cast<int>(std::ceil(rows / size - 0.01)) * size, size);
}

float ramp(double x) { return static_cast<float>(std::clamp(x + 0.5, 0.0, 1.0)); }

/// The sample of the coarser level from which sample i of the finer level takes far_share.
int far_of(int i, int coarse) { return std::clamp(i / 2 + (i % 2 ? 1 : -1), 0, coarse - 1); }

/// Expands a row of a level to one with twice as many samples. The ends of a row meet: it is a full
/// turn.
void expand(const float* __restrict coarse, int count, float* __restrict fine) {
  const auto put = [&](int c, float before, float after) {
    fine[2 * c] = near_share * coarse[c] + far_share * before;
    fine[2 * c + 1] = near_share * coarse[c] + far_share * after;
  };
  put(0, coarse[count - 1], coarse[1 % count]);
  for (int c = 1; c + 1 < count; ++c) put(c, coarse[c - 1], coarse[c + 1]);
  if (count > 1) put(count - 1, coarse[count - 2], coarse[0]);
}

/// The front lens's samples of a row minus the back lens's.
void subtract(const StripPicture::Component& picture, int row, int rows, int count,
              int16_t* __restrict out) {
  const uint8_t* __restrict const front = picture.data + row * picture.stride;
  const uint8_t* __restrict const back = front + rows * picture.stride;
  const int step = picture.pixel;
  if (picture.drop >= 0) {
    const int shift = picture.drop - deeper;
    const auto value = [&](const uint8_t* p) { return (p[0] | p[1] << 8) >> shift; };
    for (int x = 0; x < count; ++x)
      out[x] = static_cast<int16_t>(value(front + x * step) - value(back + x * step));
  } else if (step == 1) {
    for (int x = 0; x < count; ++x) out[x] = static_cast<int16_t>(front[x] - back[x]);
  } else {
    for (int x = 0; x < count; ++x) out[x] = static_cast<int16_t>(front[x * step] - back[x * step]);
  }
}

int16_t fixed(float value) {
  constexpr float most = 32767;
  return static_cast<int16_t>(std::lrintf(std::clamp(value * AddedField::one, -most, most)));
}

}  // namespace

Multiband::Multiband(const Planner& planner) : planner_(planner), strip_(strip_for(planner)) {}

void Multiband::prepare(const Mat3& view, WarpGrid& grid, int patch) const {
  constexpr float nowhere = 10;
  // Up to the last row of the field of a plane with half the samples.
  const double reach = planner_.widest() / 2 + 2 * strip_.row_height();
  grid.azimuth.assign(grid.node_count(), 0);
  grid.height.assign(grid.node_count(), nowhere);
  for_nodes_around(strip_.axes(), reach + widest_cell, view, planner_.directions(patch),
                   [&](uint32_t index, float azimuth, float height) {
                     grid.azimuth[index] = azimuth;
                     grid.height[index] = height;
                   });
  const int across = grid.nodes_per_row();
  for (int r = 0; r < grid.rows; ++r)
    for (int c = 0; c < grid.columns; ++c) {
      const float* const above = &grid.height[static_cast<size_t>(r) * across + c];
      const auto [lowest, highest] =
          std::minmax({above[0], above[1], above[across], above[across + 1]});
      if (highest < nowhere && lowest < reach && highest > -reach)
        grid.cells[static_cast<size_t>(r) * grid.columns + c] |= cell_added;
    }
}

void Multiband::shape(const StripPicture::Component& picture, Pyramid& pyramid,
                      AddedField::Component& field) const {
  const auto coarser = [](int step) {
    return static_cast<int>(std::bit_width(static_cast<unsigned>(step))) - 1;
  };
  const int bands = planner_.bands();
  pyramid.step_x = picture.step_x;
  pyramid.step_y = picture.step_y;
  const int columns = strip_.grid().output.width / picture.step_x;
  const int rows = strip_.grid().output.height / 2 / picture.step_y;
  const int count = std::max(bands - coarser(picture.step_y), 1);
  pyramid.levels.assign(count, {});
  for (int m = 0; m < count; ++m) {
    Level& level = pyramid.levels[m];
    level.columns = columns >> (m + 1);
    level.rows = ((m ? pyramid.levels[m - 1].rows : rows) + 1) / 2;
    level.samples.resize(static_cast<size_t>(level.columns) * level.rows);
  }
  pyramid.difference.resize(5 * static_cast<size_t>(columns) + 2);
  pyramid.sum.resize(columns);
  pyramid.coarser.resize(columns);

  const Level& finest = pyramid.levels[0];
  constexpr int before = 1;
  const int twice = finest.columns / 4 + 1;
  field.columns = before + finest.columns + twice;
  // One more row above and one below, where only one lens is shown.
  field.rows = 1 + finest.rows + 1;
  for (std::vector<int16_t>& layer : field.layer)
    layer.assign(static_cast<size_t>(field.columns) * field.rows, 0);
  const auto first = [](double phase, int step) { return (phase / step + 0.5) / 2; };
  field.per_turn = static_cast<float>(columns / 2.0);
  field.first_column = static_cast<float>(before - first(picture.phase_x, picture.step_x));
  const double a_row = 2 * picture.step_y * strip_.row_height();
  field.per_radian = static_cast<float>(-1 / a_row);
  field.first_row =
      static_cast<float>(1 + strip_.half() / a_row - first(picture.phase_y, picture.step_y));

  // The sum of w_k D_k equals the sum of (w_k - w_k-1) G_k, because D_k is G_k minus G_k+1.
  const auto weight = [&](int m, int row) {
    const int band = std::min(m + 1 + coarser(picture.step_y), bands);
    const double height = (1 + row - field.first_row) / field.per_radian;
    return ramp(height / planner_.widest() * (1 << (bands - band)));
  };
  pyramid.row_weights.assign(count, {});
  for (int m = 0; m < count; ++m) {
    // made[r] has the weights of this level's rows in row r of a finer level, down to the finest
    // one.
    const int own = pyramid.levels[m].rows;
    std::vector<std::vector<float>> made(own, std::vector<float>(own, 0));
    for (int r = 0; r < own; ++r) made[r][r] = 1;
    for (int finer = m - 1; finer >= 0; --finer) {
      std::vector<std::vector<float>> next(pyramid.levels[finer].rows, std::vector<float>(own));
      for (int r = 0; r < pyramid.levels[finer].rows; ++r) {
        const auto& near_row = made[r / 2];
        const auto& far_row = made[far_of(r, pyramid.levels[finer + 1].rows)];
        for (int i = 0; i < own; ++i)
          next[r][i] = near_share * near_row[i] + far_share * far_row[i];
      }
      made = std::move(next);
    }
    pyramid.row_weights[m].resize(finest.rows);
    for (int r = 0; r < finest.rows; ++r) {
      const float factor = weight(m, r) - (m ? weight(m - 1, r) : 0);
      RowWeights& weights = pyramid.row_weights[m][r];
      if (factor == 0) continue;
      const auto taken = [](float v) { return v != 0; };
      const auto begin = std::find_if(made[r].begin(), made[r].end(), taken);
      const auto end = std::find_if(made[r].rbegin(), made[r].rend(), taken).base();
      weights.first = static_cast<int>(begin - made[r].begin());
      for (auto it = begin; it != end; ++it) weights.factors.push_back(factor * *it);
    }
  }
}

void Multiband::reduce(const StripPicture::Component& picture, Pyramid& pyramid) const {
  const int columns = strip_.grid().output.width / picture.step_x;
  const int rows = strip_.grid().output.height / 2 / picture.step_y;
  // The buffer has four rows of the strip, and their weighted sum with one more sample at each end.
  const auto slot = [&](int row) {
    return &pyramid.difference[static_cast<size_t>(std::clamp(row, 0, rows - 1) & 3) * columns];
  };
  int16_t* __restrict const down = &pyramid.difference[4 * static_cast<size_t>(columns)];
  const float unit = (picture.drop >= 0 ? 0.25f : 1.0f) / 64;
  Level& finest = pyramid.levels[0];
  int loaded = 0;
  for (int r = 0; r < finest.rows; ++r) {
    for (; loaded <= std::min(2 * r + 2, rows - 1); ++loaded)
      subtract(picture, loaded, rows, columns, slot(loaded));
    const int16_t *const a = slot(2 * r - 1), *const b = slot(2 * r), *const c = slot(2 * r + 1),
                         *const d = slot(2 * r + 2);
    for (int x = 0; x < columns; ++x)
      down[x + 1] = static_cast<int16_t>(a[x] + d[x] + 3 * (b[x] + c[x]));
    down[0] = down[columns];
    down[columns + 1] = down[1];
    float* __restrict const out = finest.row(r);
    for (int x = 0; x < finest.columns; ++x) {
      const int16_t* const at = down + 2 * x;
      out[x] = static_cast<float>(at[0] + at[3] + 3 * (at[1] + at[2])) * unit;
    }
  }
  for (size_t m = 1; m < pyramid.levels.size(); ++m) {
    Level &from = pyramid.levels[m - 1], &to = pyramid.levels[m];
    float* __restrict const sum = pyramid.sum.data();
    for (int r = 0; r < to.rows; ++r) {
      const auto row = [&](int i) { return from.row(std::clamp(i, 0, from.rows - 1)); };
      const float *const a = row(2 * r - 1), *const b = row(2 * r), *const c = row(2 * r + 1),
                         *const d = row(2 * r + 2);
      for (int x = 0; x < from.columns; ++x) sum[x] = a[x] + d[x] + 3 * (b[x] + c[x]);
      float* __restrict const out = to.row(r);
      const auto put = [&](int x, float before, float after) {
        out[x] = (before + after + 3 * (sum[2 * x] + sum[2 * x + 1])) * (1.0f / 64);
      };
      const int last = to.columns - 1;
      put(0, sum[from.columns - 1], sum[2 % from.columns]);
      for (int x = 1; x < last; ++x) put(x, sum[2 * x - 1], sum[2 * x + 2]);
      if (last > 0) put(last, sum[2 * last - 1], sum[0]);
    }
  }
}

void Multiband::blend(const StripPicture& strip, int component) {
  const StripPicture::Component& picture = strip.component[component];
  Pyramid& pyramid = pyramids_[component];
  AddedField::Component& field = field_.component[component];
  if (picture.step_x != pyramid.step_x || picture.step_y != pyramid.step_y)
    shape(picture, pyramid, field);
  reduce(picture, pyramid);
  const int columns = pyramid.levels[0].columns, rows = pyramid.levels[0].rows;
  for (int r = 0; r < rows; ++r) {
    for (int m = static_cast<int>(pyramid.levels.size()) - 1; m >= 0; --m) {
      Level& level = pyramid.levels[m];
      float* __restrict const sum = pyramid.sum.data();
      if (m + 1 < static_cast<int>(pyramid.levels.size()))
        expand(pyramid.coarser.data(), level.columns / 2, sum);
      else
        std::fill_n(sum, level.columns, 0.0f);
      const RowWeights& weights = pyramid.row_weights[m][r];
      for (size_t i = 0; i < weights.factors.size(); ++i) {
        const float factor = weights.factors[i];
        const float* const row = level.row(weights.first + static_cast<int>(i));
        for (int x = 0; x < level.columns; ++x) sum[x] += factor * row[x];
      }
      if (m > 0) std::swap(pyramid.sum, pyramid.coarser);
    }
    const float* const all = pyramid.levels[0].row(r);
    for (int i = 0; i < 2; ++i) {
      int16_t* __restrict const row = &field.layer[i][static_cast<size_t>(r + 1) * field.columns];
      int16_t* __restrict const out = row + 1;
      const float own_part = i ? 0 : 1;
      for (int x = 0; x < columns; ++x) out[x] = fixed(pyramid.sum[x] - own_part * all[x]);
      row[0] = out[columns - 1];
      std::copy_n(out, field.columns - 1 - columns, out + columns);
    }
  }
  // Nothing is added to a lens where it is shown alone. The outer row of the other lens is a copy
  // of its neighbour: its weight is 0 there.
  std::copy_n(&field.layer[0][static_cast<size_t>(rows) * field.columns], field.columns,
              &field.layer[0][static_cast<size_t>(rows + 1) * field.columns]);
  std::copy_n(&field.layer[1][field.columns], field.columns, field.layer[1].data());
}

}  // namespace sphere

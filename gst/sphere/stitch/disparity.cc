// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/disparity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sphere {

namespace {

constexpr int rows = SeamStrip::rows;
constexpr int columns = DisparityFinder::columns;
constexpr int per_column = SeamStrip::columns / columns;
// The size of a window: rows, and columns to each side of its middle.
constexpr int tall = rows / 2, wide = 2;
constexpr int starts = rows - tall + 1;  // where a window can begin
// The sums of one column: products for each label, and samples and squares for each first row.
constexpr int most_labels = 2 * DisparityFinder::largest + 1;
constexpr int sum_count = most_labels + 4 * starts;
enum { front_sum, front_square, back_sum, back_square };

// Steps of 8 bits. Windows with less contrast are not used.
constexpr float noise = 2.0f;
// The cost of a change of one row from one column to the next, in units of correlation; and the
// highest cost of any change, with which the edge of a near object stays sharp.
constexpr float slope_cost = 0.06f, jump_cost = 0.9f;
// A small cost for large disparities: without evidence, objects are taken to be far away.
constexpr float near_cost = 0.0015f;
// The path around the seam begins this many columns before a full turn and ends as many after it.
constexpr int overlap = 96;

int wrapped(int column) { return (column + columns) % columns; }

}  // namespace

const std::vector<float>& DisparityFinder::find(const StripPicture& strip, double least,
                                                double most) {
  const int from = std::clamp(static_cast<int>(std::floor(least)), -largest, 0);
  const int to = std::clamp(static_cast<int>(std::ceil(most)), 0, largest);
  load(strip);
  correlate(from, to - from + 1);
  trace(from, to - from + 1);
  return smooth_;
}

void DisparityFinder::load(const StripPicture& strip) {
  front_.resize(static_cast<size_t>(columns) * rows);
  back_.resize(front_.size());
  const auto luma = [&](int x, int y) -> int {
    if (!strip.rgb) return strip.component[0].at(x, y);
    return (strip.component[0].at(x, y) + 2 * strip.component[1].at(x, y) +
            strip.component[2].at(x, y)) /
           4;
  };
  for (int y = 0; y < 2 * rows; ++y) {
    std::vector<int16_t>& lens = y < rows ? front_ : back_;
    for (int c = 0; c < columns; ++c) {
      int sum = 0;
      for (int i = 0; i < per_column; ++i) sum += luma(c * per_column + i, y);
      lens[static_cast<size_t>(c) * rows + y % rows] = static_cast<int16_t>(sum / per_column);
    }
  }
}

void DisparityFinder::correlate(int least, int labels) {
  sums_.resize(static_cast<size_t>(columns) * sum_count);
  window_.assign(sum_count, 0);
  cost_.resize(static_cast<size_t>(columns) * labels);
  // The two windows move apart in opposite directions, by half of the disparity each, therefore
  // their middle is on the same row of the sphere for all disparities.
  constexpr int middle = (rows - tall) / 2;
  const auto front_start = [](int disparity) { return middle + (disparity >> 1); };
  const auto back_start = [](int disparity) { return middle - (disparity - (disparity >> 1)); };

  for (int c = 0; c < columns; ++c) {
    const int16_t* const a = &front_[static_cast<size_t>(c) * rows];
    const int16_t* const b = &back_[static_cast<size_t>(c) * rows];
    int32_t* const sums = &sums_[static_cast<size_t>(c) * sum_count];
    for (int n = 0; n < labels; ++n) {
      const int16_t* const f = a + front_start(least + n);
      const int16_t* const g = b + back_start(least + n);
      int32_t sum = 0;
      for (int j = 0; j < tall; ++j) sum += f[j] * g[j];
      sums[n] = sum;
    }
    const auto slide = [&](const int16_t* v, int32_t* sum, int32_t* square) {
      int32_t s = 0, q = 0;
      for (int j = 0; j < tall; ++j) s += v[j], q += v[j] * v[j];
      for (int p = 0;; ++p) {
        sum[p] = s;
        square[p] = q;
        if (p == starts - 1) break;
        s += v[p + tall] - v[p];
        q += v[p + tall] * v[p + tall] - v[p] * v[p];
      }
    };
    int32_t* const singles = sums + most_labels;
    slide(a, singles + front_sum * starts, singles + front_square * starts);
    slide(b, singles + back_sum * starts, singles + back_square * starts);
  }

  const auto add = [&](int column, int sign) {
    const int32_t* const sums = &sums_[static_cast<size_t>(wrapped(column)) * sum_count];
    for (int i = 0; i < sum_count; ++i) window_[i] += sign * sums[i];
  };
  for (int c = -wide; c < wide; ++c) add(c, 1);
  constexpr float scale = 1.0f / (tall * (2 * wide + 1));
  const int32_t* const singles = window_.data() + most_labels;
  for (int c = 0; c < columns; ++c) {
    add(c + wide, 1);
    for (int n = 0; n < labels; ++n) {
      const int p = front_start(least + n), q = back_start(least + n);
      const auto single = [&](int which, int start) {
        return static_cast<float>(singles[which * starts + start]) * scale;
      };
      const float fa = single(front_sum, p), fb = single(back_sum, q);
      const float va = single(front_square, p) - fa * fa + noise * noise;
      const float vb = single(back_square, q) - fb * fb + noise * noise;
      const float ab = static_cast<float>(window_[n]) * scale - fa * fb;
      cost_[static_cast<size_t>(c) * labels + n] =
          1 - ab / std::sqrt(va * vb) + near_cost * static_cast<float>(std::abs(least + n));
    }
    add(c - wide, -1);
  }
}

void DisparityFinder::trace(int least, int labels) {
  constexpr int steps = columns + 2 * overlap;
  from_.resize(static_cast<size_t>(steps) * labels);
  path_cost_.assign(labels, 0);
  next_cost_.resize(labels);
  for (int s = 0; s < steps; ++s) {
    // The cheapest path to each label, by its neighbours' cheapest paths: upwards, then downwards.
    uint8_t* const from = &from_[static_cast<size_t>(s) * labels];
    const auto cheapest = std::min_element(path_cost_.begin(), path_cost_.end());
    const auto best = static_cast<uint8_t>(cheapest - path_cost_.begin());
    const float base = *cheapest, jump = base + jump_cost;
    for (int n = 0; n < labels; ++n) {
      next_cost_[n] = path_cost_[n];
      from[n] = static_cast<uint8_t>(n);
      if (n > 0 && next_cost_[n - 1] + slope_cost < next_cost_[n]) {
        next_cost_[n] = next_cost_[n - 1] + slope_cost;
        from[n] = from[n - 1];
      }
    }
    const float* const cost = &cost_[static_cast<size_t>(wrapped(s - overlap)) * labels];
    for (int n = labels - 1; n >= 0; --n) {
      if (n + 1 < labels && next_cost_[n + 1] + slope_cost < next_cost_[n]) {
        next_cost_[n] = next_cost_[n + 1] + slope_cost;
        from[n] = from[n + 1];
      }
    }
    for (int n = 0; n < labels; ++n) {
      if (jump < next_cost_[n]) {
        next_cost_[n] = jump;
        from[n] = best;
      }
      path_cost_[n] = next_cost_[n] - base + cost[n];
    }
  }

  path_.resize(columns);
  int label =
      static_cast<int>(std::min_element(path_cost_.begin(), path_cost_.end()) - path_cost_.begin());
  for (int s = steps - 1; s >= overlap; --s) {
    if (s - overlap < columns) path_[s - overlap] = label;
    label = from_[static_cast<size_t>(s) * labels + label];
  }

  // A fraction of a row, from the parabola through the costs around the best label.
  found_.resize(columns);
  for (int c = 0; c < columns; ++c) {
    const float* const cost = &cost_[static_cast<size_t>(c) * labels];
    const int n = path_[c];
    float part = 0;
    if (n > 0 && n + 1 < labels) {
      const float bend = cost[n - 1] - 2 * cost[n] + cost[n + 1];
      // The path prefers small changes, therefore the best label may be a little beside it.
      if (bend > 1e-4f) part = std::clamp((cost[n - 1] - cost[n + 1]) / (2 * bend), -1.0f, 1.0f);
    }
    found_[c] = static_cast<float>(least + n) + part;
  }
  constexpr int reach = 3;
  smooth_.resize(columns);
  for (int c = 0; c < columns; ++c) {
    float sum = 0;
    for (int i = -reach; i <= reach; ++i) sum += found_[wrapped(c + i)];
    smooth_[c] = sum / (2 * reach + 1);
  }
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/disparity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
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
// Nearer to the expected disparity, up to this many rows, a path costs less, by this much a row.
constexpr float expected_reach = 4, expected_cost = 0.02f;
// Windows that correlate less than the first value are not followed, more than the second fully.
constexpr float poor = 0.3f, good = 0.7f;
// The trust in a window that agrees poorly, and the factor for one whose best disparity is the
// largest that was searched.
constexpr float least_trust = 0.1f, end_trust = 0.3f;
// Columns: over how many the disparity is smoothed where it is trusted, and over how many it goes
// to 0 where it is not. A jump of more rows than `edge` between trusted columns stays sharper.
constexpr float trusted_length = 1.5f, lost_length = 20, edge = 3, edge_stiffness = 0.8f;
// Where the lenses must agree better: sectors of so many columns, each half over the next; by how
// much; and how often the rest is smoothed again without them.
constexpr int sector = 32;
constexpr double least_improvement = 0.003, least_agreement = 0.3;
constexpr int most_rejections = 4;
// Rows: a smaller disparity is not seen. And the trust of a column that is held at 0.
constexpr float least_moved = 0.5f, held = 0.5f;
// Steps of 8 bits: a larger mean change of a column's samples is a movement. Columns to each side
// of one that moved count as moved.
constexpr float movement = 3;
constexpr int moved_reach = 4;
// The path around the seam begins this many columns before a full turn and ends as many after it.
constexpr int overlap = 96;

int wrapped(int column) { return (column + columns) % columns; }

}  // namespace

const std::vector<float>& DisparityFinder::find(const StripPicture& strip, double least,
                                                double most, double steepest, double usual_miss,
                                                const std::vector<float>* expected) {
  steepest_ = static_cast<float>(steepest);
  usual_miss_ = usual_miss;
  const int from = std::clamp(static_cast<int>(std::floor(least)), -largest, 0);
  const int to = std::clamp(static_cast<int>(std::ceil(most)), 0, largest);
  load(strip);
  compare_to_last();
  correlate(from, to - from + 1);
  if (expected) expect(*expected, from, to - from + 1);
  trace(from, to - from + 1);
  compute_trust(from, to - from + 1);
  doubt_beyond_infinity();
  smooth();
  for (int i = 0; i < most_rejections && reject_worse(); ++i) smooth();
  if (agreement(0, columns, true) < agreement(0, columns, false))
    std::fill(smooth_.begin(), smooth_.end(), 0.0f);
  return smooth_;
}

void DisparityFinder::compare_to_last() {
  std::vector<uint8_t>& moved = moved_;
  const bool first = last_front_.size() != front_.size();
  moved.assign(columns, first);
  for (int c = 0; !first && c < columns; ++c) {
    int sum = 0;
    for (size_t i = static_cast<size_t>(c) * rows, end = i + rows; i < end; ++i)
      sum += std::abs(front_[i] - last_front_[i]) + std::abs(back_[i] - last_back_[i]);
    if (static_cast<float>(sum) <= movement * 2 * rows) continue;
    for (int i = -moved_reach; i <= moved_reach; ++i)
      moved[static_cast<size_t>(wrapped(c + i))] = 1;
  }
  last_front_ = front_;
  last_back_ = back_;
}

void DisparityFinder::expect(const std::vector<float>& expected, int least, int labels) {
  for (int c = 0; c < columns; ++c)
    for (int n = 0; n < labels; ++n)
      cost_[static_cast<size_t>(c) * labels + n] +=
          expected_cost *
          std::min(std::abs(static_cast<float>(least + n) - expected[c]), expected_reach);
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
}

/// How far each column of the path is followed.
void DisparityFinder::compute_trust(int least, int labels) {
  trust_.resize(columns);
  for (int c = 0; c < columns; ++c) {
    const int n = path_[c];
    const float correlation = 1 + near_cost * static_cast<float>(std::abs(least + n)) -
                              cost_[static_cast<size_t>(c) * labels + n];
    const float t = std::clamp((correlation - poor) / (good - poor), 0.0f, 1.0f);
    // The best label is at the end of the search: the right one may be beyond it.
    const bool at_end = labels > 1 && (n == 0 || n == labels - 1);
    trust_[c] = (least_trust + (1 - least_trust) * t * t * (3 - 2 * t)) * (at_end ? end_trust : 1);
  }
}

/// What lenses do wrong changes slowly around the seam: it is estimated as a constant and one wave,
/// with little weight for columns that differ from it. Near things have larger disparities than
/// that. Nothing has smaller ones but reflections and wrong matches, which are not followed.
void DisparityFinder::doubt_beyond_infinity() {
  using Wave = std::array<double, 3>;
  const auto wave_at = [](int c) -> Wave {
    const double turn = 2 * std::numbers::pi * c / columns;
    return {1, std::cos(turn), std::sin(turn)};
  };
  Wave x{};
  const auto off = [&](int c) {
    const Wave w = wave_at(c);
    return found_[c] - (w[0] * x[0] + w[1] * x[1] + w[2] * x[2]);
  };
  constexpr int rounds = 8, step = 4;
  for (int round = 0; round < rounds; ++round) {
    std::array<Wave, 3> a{};
    Wave b{};
    for (int c = 0; c < columns; c += step) {
      const Wave w = wave_at(c);
      const double unusual = round ? off(c) / usual_miss_ : 0;
      const double weight = trust_[c] / (1 + unusual * unusual);
      for (int i = 0; i < 3; ++i) {
        b[i] += weight * w[i] * found_[c];
        for (int j = 0; j < 3; ++j) a[i][j] += weight * w[i] * w[j];
      }
    }
    // Where columns on one side only are trusted, the wave is not known and stays small.
    for (int i = 1; i < 3; ++i) a[i][i] += 0.02 * columns / step;
    a[0][0] += 1e-6;
    for (int i = 0; i < 3; ++i)
      for (int j = i + 1; j < 3; ++j) {
        const double factor = a[j][i] / a[i][i];
        for (int k = i; k < 3; ++k) a[j][k] -= factor * a[i][k];
        b[j] -= factor * b[i];
      }
    for (int i = 2; i >= 0; --i) {
      x[i] = b[i];
      for (int k = i + 1; k < 3; ++k) x[i] -= a[i][k] * x[k];
      x[i] /= a[i][i];
    }
  }
  for (int c = 0; c < columns; ++c)
    if (off(c) < -2 * usual_miss_) trust_[c] = 0;
}

/// Minimises the sum of trust * (smooth - found)^2, of the squared steps from column to column,
/// and, where there is no trust, of the squares themselves.
void DisparityFinder::smooth() {
  constexpr int steps = columns + 2 * overlap;
  constexpr float stiffness = trusted_length * trusted_length;
  constexpr float pull = stiffness / (lost_length * lost_length);
  upper_.resize(steps);
  right_side_.resize(steps);
  const auto stiffness_after = [&](int s) {
    const int a = wrapped(s - overlap), b = wrapped(s + 1 - overlap);
    const bool jump =
        std::abs(found_[a] - found_[b]) > edge && std::min(trust_[a], trust_[b]) > 0.8f;
    return jump ? edge_stiffness : stiffness;
  };
  float before = 0;
  for (int s = 0; s < steps; ++s) {
    const int c = wrapped(s - overlap);
    const float after = s + 1 < steps ? stiffness_after(s) : 0;
    float diagonal = trust_[c] + pull * (1 - trust_[c]) + before + after;
    float value = trust_[c] * found_[c];
    if (s > 0) {
      diagonal += before * upper_[s - 1];
      value += before * right_side_[s - 1];
    }
    upper_[s] = -after / diagonal;
    right_side_[s] = value / diagonal;
    before = after;
  }
  smooth_.resize(columns);
  float next = 0;
  for (int s = steps - 1; s >= overlap; --s) {
    next = right_side_[s] - upper_[s] * next;
    if (s - overlap < columns) smooth_[s - overlap] = next;
  }
  // Nothing is sheared by more than `steepest_`: the larger of two neighbours is made smaller.
  for (const float sign : {1.0f, -1.0f})
    for (const int way : {1, -1})
      for (int i = 0, c = 0; i < 2 * columns; ++i) {
        const float most = std::max(sign * smooth_[c], 0.0f) + steepest_;
        c = wrapped(c + way);
        if (sign * smooth_[c] > most) smooth_[c] = sign * most;
      }
}

/// The correlation of both lenses in the middle rows of some columns, with the disparity or without
/// it.
double DisparityFinder::agreement(int first, int count, bool moved) const {
  constexpr int middle = (rows - tall) / 2;
  double n = 0, sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;
  for (int i = 0; i < count; ++i) {
    const int c = wrapped(first + i);
    const float half = moved ? smooth_[c] / 2 : 0;
    const auto sample = [&](const std::vector<int16_t>& lens, float row) {
      const float at = std::clamp(row, 0.0f, static_cast<float>(rows) - 1.001f);
      const int r = static_cast<int>(at);
      const int16_t* const v = &lens[static_cast<size_t>(c) * rows + r];
      return v[0] + (at - static_cast<float>(r)) * static_cast<float>(v[1] - v[0]);
    };
    for (int y = middle; y < middle + tall; ++y) {
      const double a = sample(front_, static_cast<float>(y) + half);
      const double b = sample(back_, static_cast<float>(y) - half);
      n += 1, sa += a, sb += b, ab += a * b, aa += a * a, bb += b * b;
    }
  }
  const double quiet = n * noise * noise;
  return (ab - sa * sb / n) / std::sqrt((aa - sa * sa / n + quiet) * (bb - sb * sb / n + quiet));
}

/// Holds the columns at 0 where both lenses agree poorly, or less with the disparity than without
/// it. Returns whether there were any.
bool DisparityFinder::reject_worse() {
  bool any = false;
  for (int first = 0; first < columns; first += sector / 2) {
    float largest_there = 0;
    for (int c = first; c < first + sector; ++c)
      largest_there = std::max(largest_there, std::abs(smooth_[wrapped(c)]));
    if (largest_there < least_moved) continue;
    const double with = agreement(first, sector, true);
    if (with >= least_agreement && with >= agreement(first, sector, false) + least_improvement)
      continue;
    any = true;
    for (int c = first; c < first + sector; ++c) {
      found_[wrapped(c)] = 0;
      trust_[wrapped(c)] = held;
    }
  }
  return any;
}

}  // namespace sphere

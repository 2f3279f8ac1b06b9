// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/seam.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sphere {

namespace {

// From this height above or below the seam on, the light is not changed.
constexpr double light_reach = radians(30);
// The whole shift is applied in the overlap of the lenses and a little beyond it. Then it decreases
// over a large angle, because a short transition would show as stretched objects.
constexpr double shift_whole = radians(6), shift_reach = radians(24);
// The part of the difference to the measured value that is applied in one frame.
constexpr float shift_pace = 0.2f, light_pace = 0.1f;
// The largest change of the shift in one frame, radians, where nothing moves and where something
// does: 0.2 and 0.8 pixels of an output of 3840 pixels. The lenses move against each other by
// twice as much.
constexpr float largest_shift_step = 3.3e-4f, largest_moving_shift_step = 1.3e-3f;
// Radians: a quarter of a pixel of 3840. What is measured depends a little on what is applied, so
// that without this the join of a still picture would tremble by less, and never come to rest.
constexpr float least_shift = 4e-4f;
// Likewise a part of the brightness, or of a step of 8 bits.
constexpr float least_light = 1e-4f;
// The largest change of colour in one frame, in steps of 8 bits.
constexpr float largest_tint_step = 0.4f;
// Limits of the search: objects that are nearer than this, and lenses that are wrong by more, are
// not found.
constexpr double nearest = 0.4;  // metres
constexpr double unknown_near = radians(2.5), wrong_lens = radians(3);
// What the lenses show farther than infinitely far by twice this much, is a reflection or an error.
constexpr double usual_miss = radians(0.2);
// The largest change of the shift along the seam, radians per radian: a straight line beside the
// seam is bent by less than its arctangent.
constexpr double steepest_shift = 0.25;
// From this height on, nothing is changed.
constexpr double farthest = std::max(light_reach, shift_reach);
constexpr int slopes = 64;

/// 1 up to the height `whole`, 0 from `reach` on, with a smooth transition.
float fading(double height, double whole, double reach) {
  const double t = std::clamp((reach - std::abs(height)) / (reach - whole), 0.0, 1.0);
  return static_cast<float>(t * t * (3 - 2 * t));
}

/// The two bins of a circle nearest to an angle in turns, and the weight of the second one.
template <int bins>
struct CircularIndex {
  static_assert((bins & (bins - 1)) == 0);
  explicit CircularIndex(float turns) {
    const float index = turns * bins + (bins - 0.5f);
    const auto n = static_cast<unsigned>(index);
    part = index - static_cast<float>(n);
    first = n & (bins - 1);
    second = (n + 1) & (bins - 1);
  }
  float mix(float a, float b) const { return a + part * (b - a); }
  unsigned first, second;
  float part;
};

/// The value after one step from `now` towards `wanted`, which changes it by at most `limit`.
float nearer(float now, float wanted, float pace, float limit) {
  return now + std::clamp((wanted - now) * pace, -limit, limit);
}

}  // namespace

Seam::Seam(const Planner& planner, const SeamOptions& options)
    : planner_(planner), options_(options), strip_(planner) {
  shift_.assign(DisparityFinder::columns, 0);
  wanted_shift_ = shift_;
  patches_.resize(planner.patches());
  if (!usable()) return;
  const double baseline = planner.pair().baseline;
  const double near = baseline > 0 ? baseline / nearest : unknown_near;
  least_ = -wrong_lens / strip_.row_height();
  most_ = (near + wrong_lens) / strip_.row_height();
  usual_miss_ = usual_miss / strip_.row_height();
  steepest_ = 2 * steepest_shift * (2 * pi / DisparityFinder::columns) / strip_.row_height();
  const double middle = strip_.axes().middle;
  for (int i = 0; i < 2; ++i)
    for (int n = 0; n <= slopes; ++n) {
      const double height = (2.0 * n / slopes - 1) * farthest;
      const double angle = pi / 2 + (i ? height : -height) + (i ? middle : -middle);
      constexpr double step = 1e-3;
      const RadialModel& model = planner.pair()[i].model;
      slopes_[i].push_back(static_cast<float>(
          (model.forward(angle + step) - model.forward(angle - step)) / (2 * step)));
    }
}

void Seam::begin(WarpGrid& grid, Patch& patch) const {
  patch.nodes.clear();
  patch.nodes.reserve(grid.node_count());
  if (!options_.gain) return;
  const bool has_gain = !grid.layer[0].gain.empty();
  for (WarpGrid::Layer& lens : grid.layer) {
    if (!has_gain) lens.gain.assign(grid.node_count(), 1);
    for (std::vector<float>& tint : lens.tint)
      tint.assign(grid.node_count(), options_.rgb ? 1.0f : 0.0f);
  }
}

float Seam::slope(int lens, double height) const {
  const auto index = static_cast<float>((height / farthest + 1) / 2 * slopes);
  const int n = std::clamp(static_cast<int>(index), 0, slopes - 1);
  const std::vector<float>& s = slopes_[lens];
  return s[n] + (index - static_cast<float>(n)) * (s[n + 1] - s[n]);
}

void Seam::add_node(uint32_t index, float azimuth, const double (&height)[2], const WarpGrid& grid,
                    Patch& patch) const {
  Node node;
  node.index = index;
  node.azimuth = azimuth;
  node.moves = false;
  for (int i = 0; i < 2; ++i) {
    node.light_weight[i] = fading(height[i], 0, light_reach);
    const float moved = fading(height[i], shift_whole, shift_reach);
    node.moves |= moved > 0;
    const WarpGrid::Layer& at = grid.layer[i];
    node.x[i] = at.x[index];
    node.y[i] = at.y[index];
    node.gain[i] = at.gain.empty() ? 1 : at.gain[index];
    // Both lenses show near objects farther from their axes.
    const Lens& lens = planner_.pair()[i];
    const float dx = node.x[i] - static_cast<float>(lens.centre.x);
    const float dy = node.y[i] - static_cast<float>(lens.centre.y);
    const float distance = std::max(std::hypot(dx / static_cast<float>(lens.stretch), dy), 1.0f);
    const float scale = slope(i, height[i]) / distance;
    node.per_x[i] = scale * dx * moved;
    node.per_y[i] = scale * dy * moved;
  }
  patch.nodes.push_back(node);
}

void Seam::prepare(const Mat3& view, WarpGrid& grid, int patch) {
  Patch& own = patches_[patch];
  own.nodes.clear();
  if (!usable()) return;
  begin(grid, own);
  for_nodes_around(strip_.axes(), farthest, view, planner_.directions(patch),
                   [&](uint32_t index, float azimuth, float height) {
                     add_node(index, azimuth, {height, height}, grid, own);
                   });
  mark_cells(grid, own);
}

void Seam::prepare(SeamStrip& strip) {
  if (!usable()) return;
  WarpGrid& grid = strip.grid();
  begin(grid, strip_patch_);
  for (int r = 0; r <= grid.rows; ++r)
    for (int c = 0; c <= grid.columns; ++c) {
      // The last column is a full turn after the first one: the same azimuth.
      const auto azimuth = static_cast<float>(c < grid.columns ? strip.azimuth(c) : 0);
      add_node(static_cast<uint32_t>(r * grid.nodes_per_row() + c), azimuth,
               {strip.height(0, r), strip.height(1, r)}, grid, strip_patch_);
    }
  mark_cells(grid, strip_patch_);
}

void Seam::mark_cells(WarpGrid& grid, Patch& patch) const {
  const int across = grid.nodes_per_row();
  const auto most = static_cast<float>(largest_shift());
  patch.edge_cells.clear();
  for (const Node& node : patch.nodes) {
    const float margin = margin_for(grid.reduction.empty() ? 0 : grid.reduction[node.index]);
    const bool light_changes =
        options_.gain && (node.light_weight[0] > 0 || node.light_weight[1] > 0);
    bool near_edge = false;
    for (int i = 0; options_.align && node.moves && i < 2; ++i) {
      const float wide = std::abs(node.per_x[i]) * most, tall = std::abs(node.per_y[i]) * most;
      near_edge |= !well_inside(grid.layer[i].region, node.x[i] - wide, node.y[i] - tall, margin) ||
                   !well_inside(grid.layer[i].region, node.x[i] + wide, node.y[i] + tall, margin);
    }
    if (!light_changes && !near_edge) continue;
    // The four cells around the node.
    const int row = static_cast<int>(node.index) / across;
    const int column = static_cast<int>(node.index) % across;
    for (int r = std::max(row - 1, 0); r <= std::min(row, grid.rows - 1); ++r)
      for (int c = std::max(column - 1, 0); c <= std::min(column, grid.columns - 1); ++c) {
        uint8_t& cell = grid.cells[static_cast<size_t>(r) * grid.columns + c];
        if (light_changes) cell |= cell_gained;
        // Up to four corners add the same cell; duplicates are removed below.
        if (near_edge && (cell & (cell_first | cell_second)))
          patch.edge_cells.push_back(static_cast<uint32_t>(r * grid.columns + c));
      }
  }
  std::vector<uint32_t>& cells = patch.edge_cells;
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
}

void Seam::check_edges(WarpGrid& grid, const Patch& patch) {
  const auto across = static_cast<uint32_t>(grid.nodes_per_row());
  const auto columns = static_cast<uint32_t>(grid.columns);
  for (uint32_t cell : patch.edge_cells) {
    const uint32_t node = cell / columns * across + cell % columns;
    const std::array corners = {node, node + 1, node + across, node + across + 1};
    float reduction = 0;
    if (!grid.reduction.empty())
      for (uint32_t n : corners) reduction = std::max(reduction, grid.reduction[n]);
    const float margin = margin_for(reduction);
    uint8_t inside = cell_first_inside | cell_second_inside;
    for (uint32_t n : corners)
      for (int i = 0; i < 2; ++i)
        if (!well_inside(grid.layer[i].region, grid.layer[i].x[n], grid.layer[i].y[n], margin))
          inside &= static_cast<uint8_t>(~(i ? cell_second_inside : cell_first_inside));
    uint8_t& flags = grid.cells[cell];
    flags = static_cast<uint8_t>((flags & ~(cell_first_inside | cell_second_inside)) | inside);
  }
}

void Seam::measure(const StripPicture& strip, bool alone) {
  if (!usable()) return;
  const std::vector<float>* disparity = &no_disparity_;
  if (options_.align) {
    const auto rows = static_cast<float>(2 / strip_.row_height());
    applied_.resize(shift_.size());
    for (size_t i = 0; i < shift_.size(); ++i) applied_[i] = shift_[i] * rows;
    disparity = &finder_.find(strip, least_, most_, steepest_, usual_miss_,
                              measured_ && !alone ? &applied_ : nullptr);
    const auto half = static_cast<float>(strip_.row_height() / 2);
    const auto limit = static_cast<float>(largest_shift());
    for (size_t i = 0; i < wanted_shift_.size(); ++i)
      wanted_shift_[i] = std::clamp((*disparity)[i] * half, -limit, limit);
  }
  if (options_.gain) wanted_light_ = measure_light(strip, *disparity);
  if (measured_ && !alone) return;
  shift_ = wanted_shift_;
  light_ = wanted_light_;
  measured_ = true;
  ++generation_;
}

void Seam::settle() {
  bool changed = false;
  const auto set = [&changed](float& now, float next) {
    changed |= now != next;
    now = next;
  };
  for (size_t i = 0; i < shift_.size(); ++i) {
    const bool moved = options_.align && finder_.moved(static_cast<int>(i));
    if (std::abs(wanted_shift_[i] - shift_[i]) < least_shift) continue;
    set(shift_[i], nearer(shift_[i], wanted_shift_[i], shift_pace,
                          moved ? largest_moving_shift_step : largest_shift_step));
  }
  for (int k = 0; k < 3; ++k) {
    const bool factor = options_.rgb || k == 0;
    // Each lens is corrected by half of the difference.
    const float limit = 2 * (factor ? largest_step : largest_tint_step);
    for (int b = 0; b < SeamLight::bins; ++b) {
      float& now = light_.component[k][b];
      const float wanted = wanted_light_.component[k][b];
      if (std::abs(wanted - now) >= least_light) set(now, nearer(now, wanted, light_pace, limit));
    }
  }
  if (changed) ++generation_;
}

void Seam::apply(WarpGrid& grid, const Patch& patch) const {
  if (!measured_) return;
  // The factors or summands of each lens's components at the seam: three for the front lens, then
  // three for the back lens.
  std::array<std::array<float, 6>, SeamLight::bins> light;
  for (int b = 0; b < SeamLight::bins; ++b)
    for (int k = 0; k < 3; ++k) {
      const float half = light_.component[k][b] / 2;
      const bool factor = options_.rgb || k == 0;
      light[b][k] = factor ? std::exp(-half) : -half;
      light[b][3 + k] = factor ? std::exp(half) : half;
    }
  for (const Node& node : patch.nodes) {
    if (options_.align && node.moves) {
      const CircularIndex<DisparityFinder::columns> at(node.azimuth);
      const float shift = at.mix(shift_[at.first], shift_[at.second]);
      for (int i = 0; i < 2; ++i) {
        grid.layer[i].x[node.index] = node.x[i] + shift * node.per_x[i];
        grid.layer[i].y[node.index] = node.y[i] + shift * node.per_y[i];
      }
    }
    if (!options_.gain || (node.light_weight[0] == 0 && node.light_weight[1] == 0)) continue;
    const CircularIndex<SeamLight::bins> at(node.azimuth);
    for (int i = 0; i < 2; ++i) {
      const auto value = [&](int k) {
        return at.mix(light[at.first][3 * i + k], light[at.second][3 * i + k]);
      };
      WarpGrid::Layer& lens = grid.layer[i];
      if (options_.rgb) {
        for (int k = 0; k < 3; ++k)
          lens.tint[k][node.index] = 1 + node.light_weight[i] * (value(k) - 1);
      } else {
        lens.gain[node.index] = node.gain[i] * (1 + node.light_weight[i] * (value(0) - 1));
        for (int k = 1; k < 3; ++k) lens.tint[k][node.index] = node.light_weight[i] * value(k);
      }
    }
  }
  check_edges(grid, patch);
}

}  // namespace sphere

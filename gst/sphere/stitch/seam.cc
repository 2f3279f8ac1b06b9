// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/seam.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sphere {

namespace {

// Height above the seam where the change of light is nothing any more.
constexpr double light_reach = radians(30);
// The shift is whole where both lenses are seen, and a little beyond, and then fades so slowly that
// nothing looks stretched.
constexpr double shift_whole = radians(6), shift_reach = radians(24);
// Shares of the way to what was measured that are gone in one frame.
constexpr float shift_pace = 0.2f, light_pace = 0.1f;
// Steps of 8 bits that colour may change in a frame.
constexpr float largest_tint_step = 0.4f;
// Nearer things, and calibrations that are farther off, are not looked for.
constexpr double nearest = 0.4;  // metres
constexpr double unknown_near = radians(2.5), far_off = radians(-1.6);
constexpr int slopes = 64;

/// 1 up to `whole`, 0 from `reach` on, smooth between.
float fading(double height, double whole, double reach) {
  const double t = std::clamp((reach - std::abs(height)) / (reach - whole), 0.0, 1.0);
  return static_cast<float>(t * t * (3 - 2 * t));
}

/// A place around the circle, in turns, between two of its bins.
template <int bins>
struct Around {
  static_assert((bins & (bins - 1)) == 0);
  explicit Around(float turns) {
    const float place = turns * bins + (bins - 0.5f);
    const auto n = static_cast<unsigned>(place);
    part = place - static_cast<float>(n);
    first = n & (bins - 1);
    second = (n + 1) & (bins - 1);
  }
  float mix(float a, float b) const { return a + part * (b - a); }
  unsigned first, second;
  float part;
};

/// One step from `now` towards `wanted`, no longer than `limit`.
float nearer(float now, float wanted, float pace, float limit) {
  return now + std::clamp((wanted - now) * pace, -limit, limit);
}

}  // namespace

Seam::Seam(const Planner& planner, const SeamOptions& options)
    : planner_(planner), options_(options), strip_(planner) {
  shift_.assign(DisparityFinder::columns, 0);
  wanted_shift_ = shift_;
  patches_.resize(planner_.patches());
  if (!usable()) return;
  const double baseline = planner.pair().baseline;
  const double near = baseline > 0 ? baseline / nearest : unknown_near;
  least_ = far_off / strip_.row_height();
  most_ = near / strip_.row_height();
}

void Seam::prepare(const Mat3& view, Plan& plan, int patch) {
  std::vector<Node>& nodes = patches_[patch].nodes;
  nodes.clear();
  if (!usable()) return;
  nodes.reserve(plan.node_count());
  const SeamAxes& axes = strip_.axes();
  const LensPair& pair = planner_.pair();

  // How fast a lens's picture grows with the angle, by height.
  const double reach = std::max(light_reach, shift_reach);
  std::array<float, slopes + 1> slope[2];
  for (int i = 0; i < 2; ++i)
    for (int n = 0; n <= slopes; ++n) {
      const double height = (2.0 * n / slopes - 1) * reach;
      const double angle = pi / 2 + (i ? height : -height) + (i ? axes.middle : -axes.middle);
      constexpr double step = 1e-3;
      slope[i][n] = static_cast<float>(
          (pair[i].model.forward(angle + step) - pair[i].model.forward(angle - step)) / (2 * step));
    }

  const Mat3 to_seam = Mat3{{axes.axis, axes.across, axes.along}} * view;
  const auto sine = [&](double height) { return static_cast<float>(std::sin(height)); };
  const float lowest = sine(axes.middle - reach), highest = sine(axes.middle + reach);
  const int across = plan.nodes_per_row();
  const Planner::Directions& look = planner_.directions(patch);
  const auto row_of = [&](int r) {
    const Vec3 v = to_seam.row[r];
    return std::array<float, 3>{static_cast<float>(v.x), static_cast<float>(v.y),
                                static_cast<float>(v.z)};
  };
  const std::array<float, 3> up = row_of(0), right = row_of(1), on = row_of(2);
  const bool has_gain = !plan.lens[0].gain.empty();
  for (int r = 0; r <= plan.rows; ++r) {
    for (int c = 0; c < across; ++c) {
      const size_t n = look.at(c, r);
      const auto along = [&](const std::array<float, 3>& m) {
        return m[0] * look.x[n] + m[1] * look.y[n] + m[2] * look.z[n];
      };
      const float above = along(up);
      if (above < lowest || above > highest) continue;
      const double height = std::asin(above) - axes.middle;
      Node node;
      node.index = static_cast<uint32_t>(r * across + c);
      const float turns = std::atan2(along(on), along(right)) * static_cast<float>(0.5 / pi);
      node.azimuth = turns < 0 ? turns + 1 : turns;
      node.lit = fading(height, 0, light_reach);
      node.moved = fading(height, shift_whole, shift_reach);
      const float place = static_cast<float>((height / reach + 1) / 2 * slopes);
      const int step = std::clamp(static_cast<int>(place), 0, slopes - 1);
      const float part = place - static_cast<float>(step);
      for (int i = 0; i < 2; ++i) {
        const Plan::Coordinates& at = plan.lens[i];
        node.x[i] = at.x[node.index];
        node.y[i] = at.y[node.index];
        node.gain[i] = has_gain ? at.gain[node.index] : 1;
        // Both lenses show near things farther from their axes.
        const Lens& lens = pair[i];
        const float dx = node.x[i] - static_cast<float>(lens.centre.x);
        const float dy = node.y[i] - static_cast<float>(lens.centre.y);
        const float distance =
            std::max(std::hypot(dx / static_cast<float>(lens.stretch), dy), 1.0f);
        const float scale =
            (slope[i][step] + part * (slope[i][step + 1] - slope[i][step])) / distance;
        node.per_x[i] = scale * dx * node.moved;
        node.per_y[i] = scale * dy * node.moved;
      }
      nodes.push_back(node);
    }
  }
  if (options_.gain) {
    for (Plan::Coordinates& lens : plan.lens) {
      if (!has_gain) lens.gain.assign(plan.node_count(), 1);
      for (std::vector<float>& tint : lens.tint)
        tint.assign(plan.node_count(), options_.rgb ? 1.0f : 0.0f);
    }
  }
  mark_cells(plan, patches_[patch]);
}

void Seam::mark_cells(Plan& plan, Patch& patch) const {
  const int across = plan.nodes_per_row();
  const auto farthest = static_cast<float>(largest_shift());
  patch.edge_cells.clear();
  for (const Node& node : patch.nodes) {
    const float margin = margin_for(plan.reduction.empty() ? 0 : plan.reduction[node.index]);
    const bool lit = options_.gain && node.lit > 0;
    bool near_edge = false;
    for (int i = 0; options_.align && node.moved > 0 && i < 2; ++i) {
      const float wide = std::abs(node.per_x[i]) * farthest,
                  tall = std::abs(node.per_y[i]) * farthest;
      near_edge |= !well_inside(plan.region[i], node.x[i] - wide, node.y[i] - tall, margin) ||
                   !well_inside(plan.region[i], node.x[i] + wide, node.y[i] + tall, margin);
    }
    if (!lit && !near_edge) continue;
    // The four cells around the node.
    const int row = static_cast<int>(node.index) / across;
    const int column = static_cast<int>(node.index) % across;
    for (int r = std::max(row - 1, 0); r <= std::min(row, plan.rows - 1); ++r)
      for (int c = std::max(column - 1, 0); c <= std::min(column, plan.columns - 1); ++c) {
        uint8_t& cell = plan.cells[static_cast<size_t>(r) * plan.columns + c];
        if (lit) cell |= cell_lit;
        // A cell may be noted by each of its corners; once would do.
        if (near_edge && (cell & (cell_front | cell_back)))
          patch.edge_cells.push_back(static_cast<uint32_t>(r * plan.columns + c));
      }
  }
  std::vector<uint32_t>& cells = patch.edge_cells;
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
}

void Seam::check_edges(Plan& plan, const Patch& patch) {
  const auto across = static_cast<uint32_t>(plan.nodes_per_row());
  const auto columns = static_cast<uint32_t>(plan.columns);
  for (uint32_t cell : patch.edge_cells) {
    const uint32_t node = cell / columns * across + cell % columns;
    const std::array corners = {node, node + 1, node + across, node + across + 1};
    float reduction = 0;
    if (!plan.reduction.empty())
      for (uint32_t n : corners) reduction = std::max(reduction, plan.reduction[n]);
    const float margin = margin_for(reduction);
    uint8_t inside = cell_front_inside | cell_back_inside;
    for (uint32_t n : corners)
      for (int i = 0; i < 2; ++i)
        if (!well_inside(plan.region[i], plan.lens[i].x[n], plan.lens[i].y[n], margin))
          inside &= static_cast<uint8_t>(~(i ? cell_back_inside : cell_front_inside));
    uint8_t& flags = plan.cells[cell];
    flags = static_cast<uint8_t>((flags & ~(cell_front_inside | cell_back_inside)) | inside);
  }
}

void Seam::measure(const StripPicture& strip, bool alone) {
  if (!usable()) return;
  const std::vector<float>* disparity = &no_disparity_;
  if (options_.align) {
    disparity = &finder_.find(strip, least_, most_);
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
}

void Seam::settle() {
  for (size_t i = 0; i < shift_.size(); ++i)
    shift_[i] += (wanted_shift_[i] - shift_[i]) * shift_pace;
  for (int k = 0; k < 3; ++k) {
    const bool factor = options_.rgb || k == 0;
    // Each lens takes half of what lies between them.
    const float limit = 2 * (factor ? largest_step : largest_tint_step);
    for (int b = 0; b < SeamLight::bins; ++b)
      light_.component[k][b] =
          nearer(light_.component[k][b], wanted_light_.component[k][b], light_pace, limit);
  }
}

void Seam::apply(Plan& plan, int patch) const {
  if (!measured_) return;
  // What each lens is multiplied with, or what is added to it, at the seam: three for the front
  // lens and three for the back lens.
  std::array<std::array<float, 6>, SeamLight::bins> light;
  for (int b = 0; b < SeamLight::bins; ++b)
    for (int k = 0; k < 3; ++k) {
      const float half = light_.component[k][b] / 2;
      const bool factor = options_.rgb || k == 0;
      light[b][k] = factor ? std::exp(-half) : -half;
      light[b][3 + k] = factor ? std::exp(half) : half;
    }
  for (const Node& node : patches_[patch].nodes) {
    if (options_.align && node.moved > 0) {
      const Around<DisparityFinder::columns> at(node.azimuth);
      const float shift = at.mix(shift_[at.first], shift_[at.second]);
      for (int i = 0; i < 2; ++i) {
        plan.lens[i].x[node.index] = node.x[i] + shift * node.per_x[i];
        plan.lens[i].y[node.index] = node.y[i] + shift * node.per_y[i];
      }
    }
    if (!options_.gain || node.lit == 0) continue;
    const Around<SeamLight::bins> at(node.azimuth);
    for (int i = 0; i < 2; ++i) {
      const auto value = [&](int k) {
        return at.mix(light[at.first][3 * i + k], light[at.second][3 * i + k]);
      };
      Plan::Coordinates& lens = plan.lens[i];
      if (options_.rgb) {
        for (int k = 0; k < 3; ++k) lens.tint[k][node.index] = 1 + node.lit * (value(k) - 1);
      } else {
        lens.gain[node.index] = node.gain[i] * (1 + node.lit * (value(0) - 1));
        for (int k = 1; k < 3; ++k) lens.tint[k][node.index] = node.lit * value(k);
      }
    }
  }
  check_edges(plan, patches_[patch]);
}

}  // namespace sphere

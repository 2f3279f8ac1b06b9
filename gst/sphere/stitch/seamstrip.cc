// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/seamstrip.h"

#include <algorithm>
#include <cmath>

namespace sphere {

namespace {

// Finer than the sphere's own: the strip bends around the whole rim of a lens.
constexpr int cell = 8;
// The last degree of a lens is fringed and dark.
constexpr double rim = radians(1);
constexpr double widest = radians(5), narrowest = radians(0.4);

}  // namespace

SeamAxes::SeamAxes(const Planner& planner) : middle(planner.middle()) {
  const LensPair& pair = planner.pair();
  axis = normalised(pair.front.axis() - pair.back.axis());
  // Any start would do; this one is the right of a camera that stands upright.
  const Vec3 down = std::abs(axis.y) < 0.9 ? Vec3{0, 1, 0} : Vec3{0, 0, 1};
  across = normalised(cross(down, axis));
  along = cross(axis, across);
}

Vec3 SeamAxes::direction(double azimuth, double height) const {
  const double h = middle + height, c = std::cos(h);
  return std::sin(h) * axis + c * std::cos(azimuth) * across + c * std::sin(azimuth) * along;
}

SeamStrip::SeamStrip(const Planner& planner) : axes_(planner) {
  const double seen =
      std::min(planner.highest() - planner.middle(), planner.middle() - planner.lowest());
  const double half = seen > 2 * rim ? std::min(seen - rim, widest) : seen * 0.5;
  if (half < narrowest) return;
  half_ = half;
  set_size(columns, rows, cell);
  draw(planner);
}

SeamStrip::SeamStrip(const Planner& planner, double half, int columns, int rows, int cell)
    : axes_(planner), half_(half) {
  set_size(columns, rows, cell);
  const float reduction =
      std::min(planner.reduction(2 * pi / columns), static_cast<float>(planner.reductions()));
  if (reduction > 0) plan_.reduction.assign(plan_.node_count(), reduction);
  draw(planner);
}

void SeamStrip::set_size(int columns, int rows, int cell) {
  plan_.output = {columns, 2 * rows};
  plan_.cell = cell;
  plan_.columns = columns / cell;
  plan_.rows = 2 * rows / cell;
}

double SeamStrip::height(int lens, int row) const {
  const int seam_row = plan_.rows / 2;
  const int own = std::clamp(lens ? row - seam_row : row, 0, seam_row);
  return half_ - own * plan_.cell * row_height();
}

void SeamStrip::draw(const Planner& planner) {
  const int seam_row = plan_.rows / 2;
  const float margin = margin_for(plan_.reduction.empty() ? 0 : plan_.reduction[0]);
  plan_.source = planner.pair().frame;
  plan_.blend.resize(plan_.node_count());
  plan_.cells.resize(static_cast<size_t>(plan_.columns) * plan_.rows);
  for (int i = 0; i < 2; ++i) {
    plan_.region[i] = planner.pair()[i].region;
    plan_.lens[i].x.resize(plan_.node_count());
    plan_.lens[i].y.resize(plan_.node_count());
    plan_.lens[i].gain.resize(planner.has_gain() ? plan_.node_count() : 0);
    const Lens& lens = planner.pair()[i];
    for (int r = 0; r <= plan_.rows; ++r) {
      for (int c = 0; c <= plan_.columns; ++c) {
        const Vec3 direction = axes_.direction(2 * pi * azimuth(c), height(i, r));
        Point p = planner.place(i, direction);
        // Between nodes the line runs inside the rim's arc; half of that is given to the nodes.
        const double half_angle = pi / plan_.columns, out = 1 + half_angle * half_angle / 4;
        p = {lens.centre.x + (p.x - lens.centre.x) * out,
             lens.centre.y + (p.y - lens.centre.y) * out};
        const size_t n = static_cast<size_t>(r) * plan_.nodes_per_row() + c;
        plan_.lens[i].x[n] = static_cast<float>(p.x);
        plan_.lens[i].y[n] = static_cast<float>(p.y);
        if (planner.has_gain())
          plan_.lens[i].gain[n] = static_cast<float>(planner.gain(i, direction));
        // So steep that it is 0 or 1 at every sample.
        plan_.blend[n] = 0.5f + 1e4f * static_cast<float>(seam_row - r);
      }
    }
  }
  const auto inside = [&](int i, int c, int r) {
    for (int down : {0, 1})
      for (int right : {0, 1}) {
        const size_t n = static_cast<size_t>(r + down) * plan_.nodes_per_row() + c + right;
        if (!well_inside(plan_.region[i], plan_.lens[i].x[n], plan_.lens[i].y[n], margin))
          return false;
      }
    return true;
  };
  for (int r = 0; r < plan_.rows; ++r)
    for (int c = 0; c < plan_.columns; ++c) {
      const bool back = r >= seam_row;
      uint8_t flags = back ? cell_back : cell_front;
      if (inside(back, c, r)) flags |= back ? cell_back_inside : cell_front_inside;
      if (planner.has_gain()) flags |= cell_lit;
      if (!plan_.reduction.empty()) flags |= cell_reduced;
      plan_.cells[static_cast<size_t>(r) * plan_.columns + c] = flags;
    }
}

}  // namespace sphere

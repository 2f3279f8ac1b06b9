// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/seamstrip.h"

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/videoframe.h"

namespace sphere {

namespace {

// Smaller than the cells of the output's grid, because the strip follows the whole rim of a lens.
constexpr int cell = 8;
// The last degree at the rim of a lens is dark and has colour fringes.
constexpr double rim = radians(1);
constexpr double widest = radians(5), narrowest = radians(0.4);

}  // namespace

SeamAxes::SeamAxes(const Planner& planner) : middle(planner.source().middle()) {
  const LensPair& pair = planner.pair();
  axis = normalised(pair.front.axis() - pair.back.axis());
  // Azimuth 0 could be anywhere on the circle; here it is the right of an upright camera.
  const Vec3 down = std::abs(axis.y) < 0.9 ? Vec3{0, 1, 0} : Vec3{0, 0, 1};
  across = normalised(cross(down, axis));
  along = cross(axis, across);
}

Vec3 SeamAxes::direction(double azimuth, double height) const {
  const double h = middle + height, c = std::cos(h);
  return std::sin(h) * axis + c * std::cos(azimuth) * across + c * std::sin(azimuth) * along;
}

SeamStrip::SeamStrip(const Planner& planner) : axes_(planner) {
  const double seen = std::min(planner.source().highest() - planner.source().middle(),
                               planner.source().middle() - planner.source().lowest());
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
  if (reduction > 0) grid_.reduction.assign(grid_.node_count(), reduction);
  draw(planner);
}

void SeamStrip::set_size(int columns, int rows, int cell) {
  grid_.output = {columns, 2 * rows};
  grid_.cell = cell;
  grid_.columns = columns / cell;
  grid_.rows = 2 * rows / cell;
}

double SeamStrip::height(int lens, int row) const {
  const int seam_row = grid_.rows / 2;
  const int own = std::clamp(lens ? row - seam_row : row, 0, seam_row);
  return half_ - own * grid_.cell * row_height();
}

void SeamStrip::draw(const Planner& planner) {
  const int seam_row = grid_.rows / 2;
  const float margin = margin_for(grid_.reduction.empty() ? 0 : grid_.reduction[0]);
  grid_.source = planner.pair().frame;
  grid_.first_weight.resize(grid_.node_count());
  grid_.cells.resize(static_cast<size_t>(grid_.columns) * grid_.rows);
  for (int i = 0; i < 2; ++i) {
    grid_.layer[i].region = planner.pair()[i].region;
    grid_.layer[i].x.resize(grid_.node_count());
    grid_.layer[i].y.resize(grid_.node_count());
    grid_.layer[i].gain.resize(planner.source().has_gain() ? grid_.node_count() : 0);
    const Lens& lens = planner.pair()[i];
    for (int r = 0; r <= grid_.rows; ++r) {
      for (int c = 0; c <= grid_.columns; ++c) {
        const Vec3 direction = axes_.direction(2 * pi * azimuth(c), height(i, r));
        Point p = planner.project(i, direction);
        // The straight line between two nodes is inside the arc. The nodes are moved outwards by
        // half of that distance.
        const double half_angle = pi / grid_.columns, out = 1 + half_angle * half_angle / 4;
        p = {lens.centre.x + (p.x - lens.centre.x) * out,
             lens.centre.y + (p.y - lens.centre.y) * out};
        const size_t n = static_cast<size_t>(r) * grid_.nodes_per_row() + c;
        grid_.layer[i].x[n] = static_cast<float>(p.x);
        grid_.layer[i].y[n] = static_cast<float>(p.y);
        if (planner.source().has_gain())
          grid_.layer[i].gain[n] = static_cast<float>(planner.source().gain(i, direction));
        // The slope is so large that the weight is 0 or 1 at every sample.
        grid_.first_weight[n] = 0.5f + 1e4f * static_cast<float>(seam_row - r);
      }
    }
  }
  const auto inside = [&](int i, int c, int r) {
    for (int down : {0, 1})
      for (int right : {0, 1}) {
        const size_t n = static_cast<size_t>(r + down) * grid_.nodes_per_row() + c + right;
        if (!well_inside(grid_.layer[i].region, grid_.layer[i].x[n], grid_.layer[i].y[n], margin))
          return false;
      }
    return true;
  };
  for (int r = 0; r < grid_.rows; ++r)
    for (int c = 0; c < grid_.columns; ++c) {
      const bool back = r >= seam_row;
      uint8_t flags = back ? cell_second : cell_first;
      if (inside(back, c, r)) flags |= back ? cell_second_inside : cell_first_inside;
      if (planner.source().has_gain()) flags |= cell_gained;
      if (!grid_.reduction.empty()) flags |= cell_reduced;
      grid_.cells[static_cast<size_t>(r) * grid_.columns + c] = flags;
    }
}

StripPicture strip_picture(const GstVideoFrame& frame) {
  StripPicture picture;
  for (int k = 0; k < 3; ++k) {
    const SampleLayout samples = layout_of_component(frame.info, k);
    StripPicture::Component& c = picture.component[k];
    c.data = component_data(frame, k);
    c.stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, k);
    c.pixel = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, k);
    if (samples.bits > 8) c.drop = samples.shift + samples.bits - 8;
    c.step_x = samples.step_x;
    c.step_y = samples.step_y;
    c.phase_x = samples.phase_x;
    c.phase_y = samples.phase_y;
  }
  picture.rgb = GST_VIDEO_INFO_IS_RGB(&frame.info);
  if (picture.rgb || frame.info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255) {
    picture.black = 0;
    picture.white = 255;
  }
  return picture;
}

}  // namespace sphere

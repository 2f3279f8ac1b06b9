// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/pairsource.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sphere {

namespace {

constexpr int table_steps = 2048;
// Radians, less than a hundredth of a pixel of the largest output. It is used for a hard seam, to
// avoid a division by 0.
constexpr double narrowest_band = 1e-5;
// The last degree at the rim of a lens is dark and has colour fringes. Only the other lens is used
// there, if the overlap is wide enough.
constexpr double rim = radians(1);
// At larger angles, the division by the sine is not accurate. No known pair of lenses needs them.
constexpr double farthest_reach = radians(170);
constexpr double smallest_gain = 0.1, largest_gain = 10;
// Half the baseline divided by the distance: nearer distances count as 2.5 baselines.
constexpr double largest_shift = 0.2;

}  // namespace

PairSource::PairSource(LensPair pair, double blend_width, double distance)
    : pair_(std::move(pair)) {
  const Lens& front = pair_.front;
  const Lens& back = pair_.back;
  const double apart = angle_between(front.axis(), back.axis());
  slack_ = (pi - apart) / 2;
  lowest_ = pi / 2 - front.half_fov() + slack_;
  highest_ = back.half_fov() - pi / 2 - slack_;
  const double overlap = std::max(highest_ - lowest_, 0.0);
  const double left_out = std::min(rim, overlap / 4);
  if (distance > 0) shift_ = std::clamp(pair_.baseline / 2 / distance, 0.0, largest_shift);
  band_ = std::max(std::min(blend_width, overlap - 2 * left_out), narrowest_band);
  const double margin = left_out + band_ / 2;
  middle_ = lowest_ + margin <= highest_ - margin
                ? std::clamp(0.0, lowest_ + margin, highest_ - margin)
                : (lowest_ + highest_) / 2;
  for (const Lens* lens : {&front, &back})
    has_gain_ |= lens->gain != 1 || lens->vignette != Vignette{};
  has_gain_ |= pair_.cut;
}

double PairSource::resolution() const {
  // Half-way between axis and rim.
  return std::max(pair_.front.model.forward(0.8), pair_.back.model.forward(0.8)) / 0.8;
}

void PairSource::set_node_angle(double angle) {
  reach_ = std::min(pi / 2 + slack_ + std::abs(middle_) + band_ / 2 + 3 * angle + shift_,
                    farthest_reach);
  // The gain fades to 0 over one cell, which must not reach beyond the rows that exist.
  fade_ = static_cast<float>(angle * 1.5 * pair_.frame.width / (2 * pi));
  make_tables();
}

void PairSource::make_tables() {
  const double lowest = std::cos(reach_);
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = pair_[i];
    Table& table = table_[i];
    table.lowest_cosine = static_cast<float>(lowest);
    table.per_cosine = static_cast<float>(table_steps / (1 - lowest));
    table.scale.resize(table_steps + 2);
    table.gain.resize(has_gain_ ? table_steps + 2 : 0);
    for (int n = 0; n <= table_steps; ++n) {
      const double cosine = lowest + (1 - lowest) * n / table_steps;
      // At the axis the ratio is 0 / 0; its limit is the slope there. The value at a thousandth of
      // a degree is accurate enough.
      const double angle = std::max(std::acos(std::min(cosine, 1.0)), 2e-5);
      const double distance = lens.model.forward(angle);
      table.scale[n] = static_cast<float>(distance / std::sin(angle));
      if (has_gain_)
        table.gain[n] = static_cast<float>(
            std::clamp(1 / lens.brightness(std::min(distance, lens.model.radius())), smallest_gain,
                       largest_gain));
    }
    table.scale[table_steps + 1] = table.scale[table_steps];
    if (has_gain_) table.gain[table_steps + 1] = table.gain[table_steps];
  }
}

double PairSource::first_weight(Vec3 direction) const {
  const double height =
      (pair_.back.angle_to_axis(direction) - pair_.front.angle_to_axis(direction)) / 2;
  return 0.5 + (height - middle_) / band_;
}

Point PairSource::project(int lens, Vec3 direction) const {
  // The lens is not in the centre of the camera, but in front of it, on its own axis.
  return pair_[lens].project(direction - shift_ * pair_[lens].axis());
}

double PairSource::gain(int lens, Vec3 direction) const {
  const Lens& l = pair_[lens];
  if (pair_.cut && is_missing(lens, static_cast<float>(project(lens, direction).y))) return 0;
  const double distance = l.model.forward(l.angle_to_axis(direction - shift_ * l.axis()));
  return std::clamp(1 / l.brightness(std::min(distance, l.model.radius())), smallest_gain,
                    largest_gain);
}

bool PairSource::is_missing(int lens, float y) const {
  const Region& region = pair_[lens].region;
  return y < static_cast<float>(region.top) + fade_ ||
         y > static_cast<float>(region.bottom) - fade_;
}

void PairSource::project_row(const Mat3& view, const DirectionRow& directions,
                             const ProjectedRow& out) const {
  const float middle = static_cast<float>(middle_), per_band = static_cast<float>(1 / band_);
  const auto shift = static_cast<float>(shift_);
  const int count = directions.count;
  const float* const direction_x = directions.x;
  const float* const direction_y = directions.y;
  const float* const direction_z = directions.z;
  float* const weights = out.first_weight;
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = pair_[i];
    // From the axes of the view to the axes of the lens.
    const Mat3 turn = lens.to_camera.transposed() * view;
    float m[9];
    for (int r = 0; r < 3; ++r) {
      m[3 * r] = static_cast<float>(turn.row[r].x);
      m[3 * r + 1] = static_cast<float>(turn.row[r].y);
      m[3 * r + 2] = static_cast<float>(turn.row[r].z);
    }
    // The horizontal axis is scaled to columns of the source; all other lengths are in rows.
    for (int k = 0; k < 3; ++k) m[k] *= static_cast<float>(lens.stretch);
    const auto cx = static_cast<float>(lens.centre.x), cy = static_cast<float>(lens.centre.y);
    const Table& table = table_[i];
    float* const xs = out.layer[i].x;
    float* const ys = out.layer[i].y;
    float* const gains = out.layer[i].gain;
    const float* const scales = table.scale.data();
    const float lowest = table.lowest_cosine, per_cosine = table.per_cosine;
    for (int c = 0; c < count; ++c) {
      const float vx = direction_x[c], vy = direction_y[c], vz = direction_z[c];
      float x = m[0] * vx + m[1] * vy + m[2] * vz;
      float y = m[3] * vx + m[4] * vy + m[5] * vz;
      float z = m[6] * vx + m[7] * vy + m[8] * vz;
      // The angle between the direction and the plane that is perpendicular to the axis of this
      // lens.
      const float above = std::asin(std::clamp(z, -1.0f, 1.0f));
      if (shift != 0) {
        const float size = 1 / std::sqrt(1 - shift * (2 * z - shift));
        x *= size;
        y *= size;
        z = (z - shift) * size;
      }
      const float index = (std::clamp(z, lowest, 1.0f) - lowest) * per_cosine;
      const int n = static_cast<int>(index);
      const float part = index - static_cast<float>(n);
      const float scale = scales[n] + part * (scales[n + 1] - scales[n]);
      xs[c] = cx + scale * x;
      ys[c] = cy + scale * y;
      if (gains) gains[c] = table.gain[n] + part * (table.gain[n + 1] - table.gain[n]);
      weights[c] = i == 0 ? above : 0.5f + ((weights[c] - above) * 0.5f - middle) * per_band;
    }
    if (const Correction* correction = lens.correction.get()) {
      for (int c = 0; c < count; ++c) {
        const Point moved = correction->at({xs[c], ys[c]});
        xs[c] += static_cast<float>(moved.x);
        ys[c] += static_cast<float>(moved.y);
      }
    }
    // The gain is 0 where rows of the lens's image are missing.
    if (pair_.cut)
      for (int c = 0; c < count; ++c)
        if (is_missing(i, ys[c])) gains[c] = 0;
  }
}

}  // namespace sphere

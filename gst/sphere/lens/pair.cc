// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/pair.h"

#include <algorithm>
#include <cmath>

namespace sphere {

Point Lens::project(Vec3 direction) const {
  const Vec3 d = to_camera.transposed() * direction;
  const double off_axis = std::hypot(d.x, d.y);
  Point p = centre;
  if (off_axis > 0) {
    const double distance = model.forward(std::atan2(off_axis, d.z));
    p = {centre.x + stretch * distance * d.x / off_axis, centre.y + distance * d.y / off_axis};
  }
  if (!correction) return p;
  const Point shift = correction->at(p);
  return {p.x + shift.x, p.y + shift.y};
}

Vec3 Lens::unproject(Point p) const {
  if (correction) {
    // Finds the point of the model that is shifted to p. Shifts change slowly from point to point,
    // therefore each iteration reduces the error by about a factor of ten.
    constexpr int rounds = 12;
    const Point shown = p;
    for (int i = 0; i < rounds; ++i) {
      const Point shift = correction->at(p);
      p = {shown.x - shift.x, shown.y - shift.y};
    }
  }
  const double x = (p.x - centre.x) / stretch, y = p.y - centre.y;
  const double distance = std::hypot(x, y);
  if (distance == 0) return axis();
  const double angle = model.inverse(distance);
  const double s = std::sin(angle) / distance;
  return to_camera * Vec3{s * x, s * y, std::cos(angle)};
}

LensPair LensPair::scaled_to(Size picture) const {
  const double sx = static_cast<double>(picture.width) / frame.width;
  const double sy = static_cast<double>(picture.height) / frame.height;
  LensPair scaled = *this;
  scaled.frame = picture;
  for (int i = 0; i < 2; ++i) {
    Lens& lens = scaled[i];
    lens.model = *RadialModel::make(lens.model.kind(), lens.model.fov(), lens.model.radius() * sy,
                                    lens.model.coefficients());
    lens.stretch *= sx / sy;
    if (lens.correction)
      lens.correction = std::make_shared<const Correction>(lens.correction->scaled(sx, sy));
    lens.centre = {lens.centre.x * sx, lens.centre.y * sy};
    lens.region = {lens.region.left * sx, lens.region.top * sy, lens.region.right * sx,
                   lens.region.bottom * sy};
  }
  return scaled;
}

LensPair LensPair::rows(double from, double to) const {
  LensPair part = *this;
  const double above = from * frame.height;
  part.cut = true;
  part.frame.height = static_cast<int>(std::lround((to - from) * frame.height));
  for (int i = 0; i < 2; ++i) {
    Lens& lens = part[i];
    lens.centre.y -= above;
    lens.region.top = std::max(lens.region.top - above, 0.0);
    lens.region.bottom =
        std::min(lens.region.bottom - above, static_cast<double>(part.frame.height));
    if (!lens.correction) continue;
    Correction moved = *lens.correction;
    moved.top -= above;
    lens.correction = std::make_shared<const Correction>(std::move(moved));
  }
  return part;
}

Result<LensPair> LensPair::with_fov(double fov) const {
  LensPair changed = *this;
  for (int i = 0; i < 2; ++i) {
    const RadialModel& old = changed[i].model;
    Result<RadialModel> model =
        RadialModel::make(old.kind(), fov, old.radius(), old.coefficients());
    if (!model) return model.error();
    changed[i].model = *model;
  }
  return changed;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gst/sphere/geometry/vec.h"

namespace sphere {

namespace {

// tan(a / 2) grows without limit; beyond this angle, a stereographic image would be larger than any
// sensor.
constexpr double stereographic_limit = radians(179);

}  // namespace

double RadialModel::shape(double a) const {
  switch (kind_) {
    case ModelKind::equidistant:
      return a;
    case ModelKind::equisolid:
      return 2 * std::sin(a / 2);
    case ModelKind::stereographic:
      return 2 * std::tan(std::min(a, stereographic_limit) / 2);
    case ModelKind::orthographic:
      return std::sin(a);
    case ModelKind::kannala_brandt: {
      const double s = a * a;
      return a * (1 + s * (k_[0] + s * (k_[1] + s * (k_[2] + s * k_[3]))));
    }
    case ModelKind::panotools: {
      const double r = a / (fov_ / 2);
      return r * ((1 - k_[0] - k_[1] - k_[2]) + r * (k_[2] + r * (k_[1] + r * k_[0])));
    }
    case ModelKind::double_sphere: {
      const double z = k_[0] + std::cos(a);
      return std::sin(a) / (k_[1] * std::hypot(std::sin(a), z) + (1 - k_[1]) * z);
    }
  }
  return a;
}

double RadialModel::slope(double a) const {
  switch (kind_) {
    case ModelKind::equidistant:
      return 1;
    case ModelKind::equisolid:
      return std::cos(a / 2);
    case ModelKind::stereographic: {
      const double c = std::cos(std::min(a, stereographic_limit) / 2);
      return 1 / (c * c);
    }
    case ModelKind::orthographic:
      return std::cos(a);
    case ModelKind::kannala_brandt: {
      const double s = a * a;
      return 1 + s * (3 * k_[0] + s * (5 * k_[1] + s * (7 * k_[2] + s * 9 * k_[3])));
    }
    case ModelKind::panotools: {
      const double r = a / (fov_ / 2);
      return ((1 - k_[0] - k_[1] - k_[2]) + r * (2 * k_[2] + r * (3 * k_[1] + r * 4 * k_[0]))) /
             (fov_ / 2);
    }
    case ModelKind::double_sphere: {
      const double sine = std::sin(a), cosine = std::cos(a), z = k_[0] + cosine;
      const double d = std::hypot(sine, z);
      const double below = k_[1] * d + (1 - k_[1]) * z;
      // Beyond this angle, the point would be behind the second centre.
      if (!(below > 1e-6) || !(d > 0)) return -1;
      const double below_slope = -k_[1] * k_[0] * sine / d - (1 - k_[1]) * sine;
      return (cosine * below - sine * below_slope) / (below * below);
    }
  }
  return 1;
}

double RadialModel::find_max_angle() const {
  switch (kind_) {
    case ModelKind::equidistant:
    case ModelKind::equisolid:
      return pi;
    case ModelKind::stereographic:
      return stereographic_limit;
    case ModelKind::orthographic:
      return pi / 2;
    case ModelKind::kannala_brandt:
    case ModelKind::panotools:
    case ModelKind::double_sphere:
      break;
  }
  // The first angle at which the distance decreases, searched in steps that are small compared to
  // the curve's bends.
  constexpr int steps = 2048;
  double last = 0;
  for (int i = 1; i <= steps; ++i) {
    const double a = pi * i / steps;
    if (slope(a) <= 0) {
      double lo = last, hi = a;
      for (int n = 0; n < 60; ++n) {
        const double mid = (lo + hi) / 2;
        (slope(mid) > 0 ? lo : hi) = mid;
      }
      return lo;
    }
    last = a;
  }
  return pi;
}

Result<RadialModel> RadialModel::make(ModelKind kind, double fov, double radius,
                                      const std::array<double, 4>& coefficients) {
  RadialModel model;
  model.kind_ = kind;
  model.fov_ = fov;
  model.radius_ = radius;
  model.k_ = coefficients;
  model.max_angle_ = model.find_max_angle();
  char text[160];
  if (fov / 2 > model.max_angle_ + 1e-9) {
    std::snprintf(
        text, sizeof text,
        "a lens with this model and these coefficients shows at most %.1f degrees, not %.1f",
        degrees(2 * model.max_angle_), degrees(fov));
    return invalid(text);
  }
  const double rim = model.shape(fov / 2);
  if (!(rim > 0) || !std::isfinite(rim) || !(radius > 0)) {
    return invalid(
        "with this field of view and these coefficients the radius of the image circle is "
        "impossible");
  }
  model.scale_ = radius / rim;
  return model;
}

double RadialModel::inverse(double distance) const {
  const double target = distance / scale_;
  if (target <= 0) return 0;
  if (target >= shape(max_angle_)) return max_angle_;
  switch (kind_) {
    case ModelKind::equidistant:
      return target;
    case ModelKind::equisolid:
      return 2 * std::asin(target / 2);
    case ModelKind::stereographic:
      return 2 * std::atan(target / 2);
    case ModelKind::orthographic:
      return std::asin(target);
    case ModelKind::kannala_brandt:
    case ModelKind::panotools:
    case ModelKind::double_sphere:
      break;
  }
  // Newton's method within a bracket that shrinks, because it must not leave the range in which
  // shape() grows.
  double lo = 0, hi = max_angle_;
  double a = std::min(target / std::max(slope(0), 1e-9), max_angle_);
  for (int i = 0; i < 60; ++i) {
    const double miss = shape(a) - target;
    (miss > 0 ? hi : lo) = a;
    const double gradient = slope(a);
    double next = gradient > 0 ? a - miss / gradient : lo;
    if (!(next > lo && next < hi)) next = (lo + hi) / 2;
    if (std::abs(next - a) < 1e-13) return next;
    a = next;
  }
  return a;
}

}  // namespace sphere

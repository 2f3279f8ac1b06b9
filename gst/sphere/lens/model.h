// SPDX-License-Identifier: LGPL-2.1-or-later
// Radial lens models: the distance from the image centre for an angle from the axis. All models are
// functions of the angle, therefore they are valid at and beyond 90 degrees, where a plane
// projection ends.

#pragma once

#include <array>
#include <numbers>
#include <string_view>

#include "gst/sphere/base/result.h"

namespace sphere {

enum class ModelKind {
  equidistant,     ///< f a
  equisolid,       ///< 2 f sin(a / 2)
  stereographic,   ///< 2 f tan(a / 2)
  orthographic,    ///< f sin(a)
  kannala_brandt,  ///< f (a + k1 a^3 + k2 a^5 + k3 a^7 + k4 a^9), OpenCV's fisheye model
  panotools,       ///< R (A r^4 + B r^3 + C r^2 + (1-A-B-C) r), r = a / (field of view / 2)
  double_sphere,   ///< f sin(a) / (w d + (1 - w) (xi + cos(a))), d = sqrt(sin(a)^2 + (xi +
                   ///< cos(a))^2)
};

/// The names that profile files use, in the order of ModelKind.
inline constexpr std::array<std::string_view, 7> model_names = {
    "equidistant",    "equisolid", "stereographic", "orthographic",
    "kannala-brandt", "panotools", "double-sphere"};

/// A rotationally symmetric lens: a function from the angle to the axis (radians) to the distance
/// from the centre (pixels), scaled so that half the field of view is at `radius`.
class RadialModel {
 public:
  /// Equidistant, with one pixel per radian.
  RadialModel() = default;

  /// `fov` is the full angle in radians that the image circle of `radius` pixels shows.
  /// Coefficients: k1..k4 for kannala_brandt, a b c for panotools, xi and w (alpha) for
  /// double_sphere, else ignored. An error if the distance does not grow with the angle over the
  /// whole field of view.
  static Result<RadialModel> make(ModelKind kind, double fov, double radius,
                                  const std::array<double, 4>& coefficients = {});

  ModelKind kind() const { return kind_; }
  double fov() const { return fov_; }
  double radius() const { return radius_; }
  const std::array<double, 4>& coefficients() const { return k_; }

  /// The largest angle up to which the distance grows with the angle and inverse() is valid.
  double max_angle() const { return max_angle_; }

  /// Distance in pixels for an angle of 0 to pi. The formula is also used beyond max_angle(), for
  /// interpolation across the edge.
  double forward(double angle) const { return scale_ * shape(angle); }
  /// The angle for a distance; max_angle() for distances that are too large.
  double inverse(double distance) const;

 private:
  double shape(double angle) const;
  double slope(double angle) const;
  double find_max_angle() const;

  ModelKind kind_ = ModelKind::equidistant;
  double fov_ = std::numbers::pi, radius_ = std::numbers::pi / 2;
  std::array<double, 4> k_{};
  double scale_ = 1;  // pixels for a shape() of 1
  double max_angle_ = std::numbers::pi;
};

}  // namespace sphere

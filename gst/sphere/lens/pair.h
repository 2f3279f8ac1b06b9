// SPDX-License-Identifier: LGPL-2.1-or-later
// The calibrated pair: two lenses and the positions of their images in one frame.

#pragma once

#include <cmath>
#include <memory>
#include <string>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/geometry/vec.h"
#include "gst/sphere/lens/correction.h"
#include "gst/sphere/lens/model.h"

namespace sphere {

/// Light fall-off over the image circle, Hugin's form: V(r) = 1 + b r^2 + c r^4 + d r^6, with r = 1
/// at the radius of the circle.
struct Vignette {
  double b = 0, c = 0, d = 0;
  double at(double r) const {
    const double s = r * r;
    return 1 + s * (b + s * (c + s * d));
  }
  bool operator==(const Vignette&) const = default;
};

struct Lens {
  RadialModel model;
  Point centre;  ///< the point of the optical axis, pixels of the frame
  /// The horizontal scale divided by the vertical one: other than 1 if the frame's pixels are not
  /// square. The model's distances are in the frame's rows.
  double stretch = 1;
  Mat3 to_camera;  ///< from lens axes to camera axes; for the back lens with its half turn
  /// Measured differences from the model; null if there are none.
  std::shared_ptr<const Correction> correction;
  Vignette vignette;
  double gain = 1;  ///< brightness of this lens relative to the other one
  Region region;    ///< the part of the frame that has this lens's image

  Vec3 axis() const { return to_camera.column(2); }
  double half_fov() const { return model.fov() / 2; }
  /// The distance of a point of the frame from the centre, in the model's unit.
  double distance(Point p) const { return std::hypot((p.x - centre.x) / stretch, p.y - centre.y); }
  /// The brightness at a distance from the centre; 1 without a fall-off and a gain.
  double brightness(double distance) const { return gain * vignette.at(distance / model.radius()); }
  /// The point of the frame that shows a direction in the camera's axes.
  Point project(Vec3 direction) const;
  /// The direction in the camera's axes that a point of the frame shows.
  Vec3 unproject(Point p) const;
  /// The angle in radians between a direction and the axis.
  double angle_to_axis(Vec3 direction) const { return angle_between(direction, axis()); }
};

/// The smallest angle between the axes of two lenses that can cover the sphere.
inline constexpr double min_axis_separation = radians(120);

struct LensPair {
  std::string name;
  Size frame;  ///< the frame that all coordinates are in
  Lens front, back;
  double baseline = 0;  ///< metres between the entrance pupils
  bool cut = false;     ///< rows of the frame are missing, and what they showed is lost

  Lens& operator[](int i) { return i ? back : front; }
  const Lens& operator[](int i) const { return i ? back : front; }

  /// The same pair for a picture of another size.
  LensPair scaled_to(Size picture) const;
  /// The same pair for a frame that has only these rows; both limits are parts of its height.
  LensPair rows(double from, double to) const;
  /// The same pair with another field of view, in radians, at the same image circles.
  Result<LensPair> with_fov(double fov) const;
};

}  // namespace sphere

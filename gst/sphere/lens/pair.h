// SPDX-License-Identifier: LGPL-2.1-or-later
// The calibrated pair: two lenses and where they draw in one frame.

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
  Point centre;  ///< where the optical axis meets the frame, pixels of the frame
  /// How much wider than high the frame draws: other than 1 where its pixels are not square. The
  /// model's distances are in the frame's rows.
  double stretch = 1;
  Mat3 to_camera;  ///< lens to camera; the back lens's half turn is in it
  /// What was measured beside the model; null for a lens that is its model.
  std::shared_ptr<const Correction> correction;
  Vignette vignette;
  double gain = 1;  ///< how much brighter than its fellow this lens draws
  Region region;    ///< the part of the frame that is this lens's

  Vec3 axis() const { return to_camera.column(2); }
  double half_fov() const { return model.fov() / 2; }
  /// How far a point of the frame is from the centre, in the model's unit.
  double distance(Point p) const { return std::hypot((p.x - centre.x) / stretch, p.y - centre.y); }
  /// The brightness at a distance from the centre, 1 for a lens with neither fall-off nor gain.
  double brightness(double distance) const { return gain * vignette.at(distance / model.radius()); }
  /// Where the frame shows a direction given in the camera's axes.
  Point project(Vec3 direction) const;
  /// The direction, in the camera's axes, that stands at a point of the frame.
  Vec3 unproject(Point p) const;
  /// The angle in radians between a direction and the axis.
  double angle_to_axis(Vec3 direction) const { return angle_between(direction, axis()); }
};

/// Two lenses that look less far apart than this do not make a sphere between them.
inline constexpr double min_axis_separation = radians(120);

struct LensPair {
  std::string name;
  Size frame;  ///< the frame that all coordinates are in
  Lens front, back;
  double baseline = 0;  ///< metres between the entrance pupils
  bool cut = false;     ///< the frame has not all rows: what stood in the others is nowhere

  Lens& operator[](int i) { return i ? back : front; }
  const Lens& operator[](int i) const { return i ? back : front; }

  /// The same pair drawn on another size of picture.
  LensPair scaled_to(Size picture) const;
  /// The same pair where the frame has only these of its rows, as parts of its height.
  LensPair rows(double from, double to) const;
  /// The same pair with another field of view, in radians, at the same image circles.
  Result<LensPair> with_fov(double fov) const;
};

}  // namespace sphere

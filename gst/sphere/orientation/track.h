// SPDX-License-Identifier: LGPL-2.1-or-later
// How a camera was held while it recorded, picture by picture, and the views that undo it.

#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

enum class Level {
  off,
  horizon,  ///< the horizon is level, and the picture turns with the camera
  full,     ///< the horizon is level, and the picture looks where it looked
};

/// Where the front lens looks to, as a turn about the vertical in radians. A lens that looks
/// straight up or down has the heading that the camera would have if it were stood up again.
double heading_of(const Quaternion& camera_to_world);

/// The view, view to camera, that shows the world as `level` says, when the picture is to look
/// along this heading.
Mat3 level_view(Level level, const Quaternion& camera_to_world, double heading);

/// One orientation for each picture of a video. An index may lie between two pictures.
class OrientationTrack {
 public:
  /// Pictures whose orientation is not known are holes, which are filled from their neighbours.
  /// Refuses a track in which no orientation is known.
  static Result<OrientationTrack> make(std::span<const std::optional<Quaternion>> orientations);

  size_t size() const { return entries_.size(); }
  size_t holes() const { return holes_; }

  /// Between entries interpolated, before the first and after the last as they are.
  Quaternion at(double index) const;
  /// The heading averaged over so many pictures around this one, with the nearest counting most.
  double smooth_heading(double index, double pictures) const;

 private:
  OrientationTrack() = default;
  double heading_at(double index) const;

  std::vector<Quaternion> entries_;
  std::vector<double> headings_;  ///< without jumps at half a turn
  size_t holes_ = 0;
};

}  // namespace sphere

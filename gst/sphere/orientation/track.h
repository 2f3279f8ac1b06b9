// SPDX-License-Identifier: LGPL-2.1-or-later
// The orientation of a camera during a recording, picture by picture, and the views that correct
// it.

#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

enum class Level {
  off,
  horizon,  ///< the horizon is level, and the heading follows the camera
  full,     ///< the horizon is level, and the heading stays constant
};

/// The direction of the front lens as an angle around the vertical, radians. For a lens that looks
/// straight up or down, it is the heading that the camera would have after it is put upright.
double heading_of(const Quaternion& camera_to_world);

/// The view (view to camera) for a way to level and the heading of the output.
Mat3 level_view(Level level, const Quaternion& camera_to_world, double heading);

/// One orientation for each picture of a video. An index may be between two pictures.
class OrientationTrack {
 public:
  /// Pictures without a known orientation are holes, which are filled from their neighbours.
  /// Returns an error if no orientation is known.
  static Result<OrientationTrack> make(std::span<const std::optional<Quaternion>> orientations);

  size_t size() const { return entries_.size(); }
  size_t holes() const { return holes_; }

  /// Interpolated between entries; constant before the first and after the last one.
  Quaternion at(double index) const;
  /// The weighted mean of the heading over this many pictures around an index. The nearest pictures
  /// have the largest weight.
  double smooth_heading(double index, double pictures) const;

 private:
  OrientationTrack() = default;
  double heading_at(double index) const;

  std::vector<Quaternion> entries_;
  std::vector<double> headings_;  ///< continuous: without jumps of a full turn
  size_t holes_ = 0;
};

}  // namespace sphere

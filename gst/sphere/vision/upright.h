// SPDX-License-Identifier: LGPL-2.1-or-later
// Where up is in a 360 picture, from its straight lines.
//
// Upright lines of the world (corners of houses, doors, poles, trees) are parts of great circles
// through the zenith; the horizon of the sea or of a plain is the great circle across from it. The
// direction that agrees with most of them is up.

#pragma once

#include <memory>
#include <span>

#include "gst/sphere/base/result.h"
#include "gst/sphere/vision/sphere_picture.h"

namespace sphere {

struct Upright {
  Vec3 up;                ///< in the axes of the picture
  double confidence = 0;  ///< 0 to 1; below `least_confidence` it is a guess
};

/// A picture that is tilted further than this, degrees, is not recognised.
inline constexpr double most_tilt = 45;
inline constexpr double least_confidence = 0.3;

/// Keeps, for the next picture of the same size, what does not depend on the picture.
class UprightFinder {
 public:
  UprightFinder();
  ~UprightFinder();
  UprightFinder(UprightFinder&&) noexcept;
  UprightFinder& operator=(UprightFinder&&) noexcept;

  /// An error: the picture is not complete, or OpenCV failed.
  Result<Upright> find(const SpherePicture& picture);

 private:
  struct Faces;
  std::unique_ptr<Faces> faces_;
};

/// The same for one picture.
Result<Upright> find_upright(const SpherePicture& picture);

/// The direction around which most of these are: the median, which some wrong ones do not move.
Vec3 middle_direction(std::span<const Vec3> directions);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Follows one thing through the pictures of a 360 video.

#pragma once

#include <memory>

#include "gst/sphere/base/result.h"
#include "gst/sphere/vision/sphere_picture.h"

namespace sphere {

/// What became of the thing in one picture.
struct Followed {
  Vec3 direction;       ///< of its middle; where it was seen last, if it is not seen
  bool is_seen = true;  ///< false: it is hidden, or looks too different
  double likeness = 1;  ///< to what it looked like before: 1 is the same
};

/// Compares the surroundings of a direction with what was there in the first picture and in the
/// pictures before, in views that are turned to it. A thing that is not seen any more is looked for
/// around the place where it was.
class Follower {
 public:
  /// Degrees: the diameter of what can be followed.
  static constexpr double smallest = 1, largest = 60, usual = 10;

  /// `target`: the direction of the middle of the thing; `size`: its diameter, degrees. An error:
  /// there is nothing by which it could be known again.
  static Result<Follower> make(const SpherePicture& picture, Vec3 target, double size);
  Follower(Follower&&) noexcept;
  Follower& operator=(Follower&&) noexcept;
  ~Follower();

  /// `seconds`: since the picture before. All pictures have the same size.
  Result<Followed> next(const SpherePicture& picture, double seconds);

 private:
  class Search;
  explicit Follower(std::unique_ptr<Search> search);

  std::unique_ptr<Search> search_;
};

}  // namespace sphere

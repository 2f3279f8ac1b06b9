// SPDX-License-Identifier: LGPL-2.1-or-later
// When what is in a clip comes in the film: the clip's own speed, and that of its keyframes.

#pragma once

#include <optional>
#include <vector>

#include "gst/sphere/view/path.h"

namespace sphere::tool {

/// A part of a clip that has one speed.
struct ClipPiece {
  double source = 0;  ///< where it begins in IN, seconds
  double film = 0;    ///< where it begins in the film, seconds from the clip's beginning
  double speed = 1;
};

/// Nothing but arithmetic: the same times come out whenever it is asked.
class ClipTimes {
 public:
  /// The speeds of keyframes are those of IN's time. `path` may be null.
  ClipTimes(double from, std::optional<double> to, double speed, const ViewPath* path);

  double from() const { return pieces_.front().source; }
  const std::optional<double>& to() const { return to_; }
  const std::vector<ClipPiece>& pieces() const { return pieces_; }
  /// Whether it is as fast as IN all along.
  bool at_usual_speed() const;

  /// The time in IN of a time in the clip's part of the film, and the other way round. Times before
  /// the beginning go on with the first speed.
  double source_time(double film) const;
  double film_time(double source) const;

 private:
  std::optional<double> to_;
  std::vector<ClipPiece> pieces_;
};

}  // namespace sphere::tool

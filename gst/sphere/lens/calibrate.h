// SPDX-License-Identifier: LGPL-2.1-or-later
// Calibration: finds a pair of lenses from objects that their own pictures show twice.
// docs/calibrate.md tells what can be determined in this way and what can't.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Brightness, row by row without gaps.
struct GreyPicture {
  Size size;
  std::vector<uint8_t> pixels;
};

struct CalibrationOptions {
  /// Called between steps; false ends the work with an error.
  std::function<bool(int done, int total)> progress;
};

/// The error of a pair of lenses at the seam, as it is measured there (calibrate_detail.h).
struct SeamError {
  double degrees = 0;
  double pixels = 0;  ///< of the frame
};

struct Calibration {
  LensPair pair;    ///< in the frame of the pictures
  LensPair before;  ///< what it was started from, in the same frame
  int overlap_matches = 0, cross_matches = 0;
  int joined = 0;  ///< number of pictures that show the same scene as the first, with the first
  /// Number of further pictures of that scene. The camera was hardly turned between them and
  /// others, which are all that the lenses can be found from.
  int unturned = 0;
  double residual_before = 0, residual = 0;        ///< median, in pixels of the frame
  double correlation_before = 0, correlation = 0;  ///< of the overlap, all pictures
  SeamError error;
  /// Whether pictures of one scene in several orientations showed the whole field of both lenses.
  /// Otherwise only the overlap was used: it determines little of the radial terms, which stay near
  /// those of the start.
  bool whole_field = false;
  /// Whether the fall-off was found. Otherwise it is that of the start, or a careful guess if the
  /// start has none.
  bool fall_off_found = false;
};

/// Starts from `start`, whose frame may have another size of the same shape. All pictures have one
/// size. Returns an error if too few matches are found.
Result<Calibration> calibrate(const std::vector<GreyPicture>& pictures, const LensPair& start,
                              const CalibrationOptions& options = {});

/// Calibrates unknown lenses: from several starts that are found in the pictures, and from `hint`
/// if it is given and fits their shape. Returns the result with the best agreement, which may be
/// the hint itself. Returns an error if no start leads to lenses.
Result<Calibration> find_lenses(const std::vector<GreyPicture>& pictures,
                                const std::optional<LensPair>& hint,
                                const CalibrationOptions& options = {});

/// Agreement of both lenses in the overlap: zero-mean normalised cross-correlation within 2.5
/// degrees of the seam and 60 degrees of the equator, where both have a picture, -1 to 1. It is
/// lowered where they have none in parts of that band.
double overlap_correlation(const GreyPicture& picture, const LensPair& pair);

/// The band around the seam as a picture: from left to right a full turn, the front lens above the
/// middle, the back lens below it. With the right lenses, lines are not broken in the middle.
GreyPicture seam_picture(const GreyPicture& picture, const LensPair& pair);

}  // namespace sphere

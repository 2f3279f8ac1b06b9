// SPDX-License-Identifier: LGPL-2.1-or-later
// Calibration: a pair of lenses found from what their own pictures show twice. docs/calibrate.md
// says what can be seen in them and what can't.

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
  /// The start is any camera's, not this one's: where the image circles are seen elsewhere, the
  /// lenses are put there first.
  bool find_circles = false;
  /// Called between steps; false ends the work with an error.
  std::function<bool(int done, int total)> progress;
};

struct Calibration {
  LensPair pair;               ///< in the frame of the pictures
  LensPair before;             ///< what it was started from, in the same frame
  bool circles_moved = false;  ///< `before` is the start on the image circles that were seen
  int overlap_matches = 0, cross_matches = 0;
  int joined = 0;  ///< pictures that show the same scene as the first, itself included
  double residual_before = 0, residual = 0;        ///< median, in pixels of the frame
  double correlation_before = 0, correlation = 0;  ///< of the overlap, all pictures
  /// Whether pictures of one scene, turned, showed the whole field of both lenses. Otherwise the
  /// overlap alone was seen: radial terms and fall-off are the start's but for what it tells.
  bool whole_field = false;
};

/// Starts from `start`, whose frame may have another size of the same shape. All pictures have one
/// size. Refuses scenes in which too little is found.
Result<Calibration> calibrate(const std::vector<GreyPicture>& pictures, const LensPair& start,
                              const CalibrationOptions& options = {});

/// Calibrates without knowing anything of the lenses: from several starts that are found in the
/// pictures, and from `hint` where one is given that fits their shape. The result, or the hint
/// itself, that agrees best is kept. Refuses pictures in which no start leads to lenses.
Result<Calibration> find_lenses(const std::vector<GreyPicture>& pictures,
                                const std::optional<LensPair>& hint,
                                const CalibrationOptions& options = {});

/// How well both lenses' views of what both see agree: zero-mean normalised cross-correlation
/// within 2.5 degrees of the seam and 60 degrees of the equator, -1 to 1.
double overlap_correlation(const GreyPicture& picture, const LensPair& pair);

/// The band round the seam, unrolled: from left to right once round, above the middle what the
/// front lens shows, below it what the back lens does. Where the lenses are right, nothing breaks
/// there.
GreyPicture seam_picture(const GreyPicture& picture, const LensPair& pair);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// How far apart the two lenses show the same thing, around the seam.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// Finds the disparity in strips: windows are compared by their correlation, which knows neither
/// exposure nor haze, and the best way round the whole seam is taken by dynamic programming, so
/// that a window with nothing in it follows its neighbours. Allocates once.
class DisparityFinder {
 public:
  static constexpr int columns = 1024;

  /// Rows of the strip by which the front lens shows a thing below where the back lens does, in
  /// each column. Searched from `least` to `most`, at most largest either way.
  const std::vector<float>& find(const StripPicture& strip, double least, double most);

  static constexpr int largest = SeamStrip::rows / 2;

 private:
  void load(const StripPicture& strip);
  void correlate(int least, int labels);
  void trace(int least, int labels);

  std::vector<int16_t> front_, back_;  // rows a column
  std::vector<int32_t> sums_, window_;
  std::vector<float> cost_, path_cost_, next_cost_;
  std::vector<uint8_t> from_;
  std::vector<int> path_;
  std::vector<float> found_, smooth_;
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later Disparity around the seam: the distance between the
// points at which the two lenses show the same object.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// Finds the disparity in strips. Windows are compared by their normalised correlation, which does
/// not depend on exposure or haze. Dynamic programming finds the best path around the whole seam,
/// therefore a window without detail follows its neighbours. Memory is allocated only for the first
/// strip.
class DisparityFinder {
 public:
  static constexpr int columns = 1024;

  /// For each column, the number of rows by which the front lens shows an object lower than the
  /// back lens does. Values from `least` to `most` are searched, at most from -largest to largest.
  const std::vector<float>& find(const StripPicture& strip, double least, double most);

  static constexpr int largest = SeamStrip::rows / 2;

 private:
  void load(const StripPicture& strip);
  void correlate(int least, int labels);
  void trace(int least, int labels);

  std::vector<int16_t> front_, back_;  // column by column
  std::vector<int32_t> sums_, window_;
  std::vector<float> cost_, path_cost_, next_cost_;
  std::vector<uint8_t> from_;
  std::vector<int> path_;
  std::vector<float> found_, smooth_;
};

}  // namespace sphere

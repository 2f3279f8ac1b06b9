// SPDX-License-Identifier: LGPL-2.1-or-later
// Disparity around the seam: the distance between the points at which the two lenses show the same
// object.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/stitch/seamstrip.h"

namespace sphere {

/// Finds the disparity in strips. Windows are compared by their normalised correlation, which does
/// not depend on exposure or haze. Dynamic programming finds the best path around the whole seam.
/// It is followed only where the windows agree well; elsewhere, and where both lenses would agree
/// less with it than without it, the disparity goes to 0 with the distance from what was found.
/// Memory is allocated only for the first strip.
class DisparityFinder {
 public:
  static constexpr int columns = 1024;

  /// For each column, the number of rows by which the front lens shows an object lower than the
  /// back lens does. Values from `least` to `most` are searched, at most from -largest to largest.
  /// `steepest`: the largest change from one column to the next. `usual_miss`: by how much far
  /// things may deviate from what the lenses do wrong. `expected`: the values that are applied now,
  /// one for each column; nearly equal paths are decided by it. Null: none are.
  const std::vector<float>& find(const StripPicture& strip, double least, double most,
                                 double steepest, double usual_miss,
                                 const std::vector<float>* expected = nullptr);

  /// Whether what a lens shows in a column has changed since the strip before.
  bool moved(int column) const { return moved_[static_cast<size_t>(column)] != 0; }

  static constexpr int largest = SeamStrip::rows / 2;

 private:
  void load(const StripPicture& strip);
  void compare_to_last();
  void correlate(int least, int labels);
  void expect(const std::vector<float>& expected, int least, int labels);
  void trace(int least, int labels);
  void compute_trust(int least, int labels);
  void doubt_beyond_infinity();
  void smooth();
  bool reject_worse();
  double agreement(int first, int count, bool moved) const;

  std::vector<int16_t> front_, back_, last_front_, last_back_;  // column by column
  std::vector<uint8_t> moved_;
  std::vector<int32_t> sums_, window_;
  std::vector<float> cost_, path_cost_, next_cost_;
  std::vector<uint8_t> from_;
  std::vector<int> path_;
  float steepest_ = 0;
  double usual_miss_ = 1;
  std::vector<float> found_, smooth_;
  std::vector<float> trust_;               // 0 to 1, of the columns of found_
  std::vector<float> upper_, right_side_;  // of the equations of smooth()
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds points of pictures that show the same object, by comparison of small patches.

#pragma once

#include <array>
#include <optional>
#include <vector>

#include "gst/sphere/lens/calibrate.h"

namespace sphere {

/// A picture and its copies of half the size, a quarter, and so on.
class Pyramid {
 public:
  Pyramid(const GreyPicture& picture, int levels);
  int levels() const { return static_cast<int>(levels_.size()); }
  const GreyPicture& level(int i) const { return levels_[static_cast<size_t>(i)]; }

 private:
  std::vector<GreyPicture> levels_;
};

/// Brightness at a point, interpolated linearly.
double brightness_at(const GreyPicture& picture, double x, double y);

/// Whether the picture of a lens shows a direction: `off` is its angle to the axis, `at` the point
/// where the lens draws it. The outermost rim is left out: it fades into black.
inline bool sees(const Lens& lens, double off, Point at) {
  constexpr double usable = 0.99;
  return off < lens.half_fov() && lens.distance(at) <= usable * lens.model.radius() &&
         at.x >= lens.region.left && at.x <= lens.region.right && at.y >= lens.region.top &&
         at.y <= lens.region.bottom;
}

/// A point of the scene that was seen twice.
struct Match {
  int picture[2], lens[2];
  Point point[2];   ///< in the frame
  double light[2];  ///< mean brightness of the patch, 1 to 255
};

struct MatchSearch {
  int level = 0;      ///< of the pyramid
  int reach = 1;      ///< radius of the search, in pixels of that level
  int points = 5000;  ///< number of directions that are tried, all over the sphere
};

/// Finds points that both lens `a` of picture `i` and lens `b` of picture `j` show. `views` are
/// rotations from camera to scene.
void find_matches(const std::vector<Pyramid>& pictures, const LensPair& pair,
                  const std::vector<Mat3>& views, int i, int a, int j, int b,
                  const MatchSearch& search, std::vector<Match>& found);

/// The edge of a lens's picture, in pixels of the frame.
struct Circle {
  Point centre;
  double radius = 0;
};

/// The image circles in these two parts of the frame; empty if one of them is not found.
std::optional<std::array<Circle, 2>> find_circles(const std::vector<Pyramid>& pictures,
                                                  const std::array<Region, 2>& regions);

/// The rotation that takes directions of the second picture to the first's, where both show one
/// scene from nearly one position; nothing where they don't seem to.
std::optional<Mat3> find_rotation(const GreyPicture& first, const GreyPicture& second,
                                  const LensPair& pair);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Points of pictures that show the same thing, found by comparing small patches.

#pragma once

#include <array>
#include <optional>
#include <vector>

#include "gst/sphere/lens/calibrate.h"

namespace sphere {

/// A picture and its halves, quarters...
class Pyramid {
 public:
  Pyramid(const GreyPicture& picture, int levels);
  int levels() const { return static_cast<int>(levels_.size()); }
  const GreyPicture& level(int i) const { return levels_[static_cast<size_t>(i)]; }

 private:
  std::vector<GreyPicture> levels_;
};

/// Brightness at a point, between pixels linearly.
double look(const GreyPicture& picture, double x, double y);

/// One thing seen twice.
struct Match {
  int picture[2], lens[2];
  Point point[2];   ///< in the frame
  double light[2];  ///< mean brightness of the patch, 1 to 255
};

struct MatchSearch {
  int level = 0;      ///< of the pyramid
  int reach = 1;      ///< how far to look, in that level's pixels
  int points = 5000;  ///< directions tried, all round the sphere
};

/// What lens `a` of picture `i` and lens `b` of picture `j` both show. `views` are camera to scene.
void find_matches(const std::vector<Pyramid>& pictures, const LensPair& pair,
                  const std::vector<Mat3>& views, int i, int a, int j, int b,
                  const MatchSearch& search, std::vector<Match>& found);

/// Where a lens's picture ends, in pixels of the frame.
struct Circle {
  Point centre;
  double radius = 0;
};

/// The image circles that the pictures show in these two parts of the frame; nothing where one of
/// them is not seen.
std::optional<std::array<Circle, 2>> find_circles(const std::vector<Pyramid>& pictures,
                                                  const std::array<Region, 2>& regions);

/// Puts both lenses on the image circles that the pictures show, the field of view as it is. False,
/// with nothing changed, where no circles are seen, or where they are nearly where the pair has
/// them.
bool move_to_circles(const std::vector<Pyramid>& pictures, LensPair& pair);

/// The rotation that takes directions of the second picture to the first's, where both show one
/// scene from nearly one position; nothing where they don't seem to.
std::optional<Mat3> find_rotation(const GreyPicture& first, const GreyPicture& second,
                                  const LensPair& pair);

}  // namespace sphere

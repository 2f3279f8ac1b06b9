// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/vision/upright.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "gst/sphere/vision/tangent_view.h"

namespace sphere {

namespace {

// Degrees. A short line tells its direction badly; one that is very long is often two.
constexpr double shortest_line = 4, longest_line = 30;
// Degrees by which a line may miss the zenith, or the horizon: while candidates are compared, and
// while the best one is made exact.
constexpr double coarse_tolerance = 2, fine_tolerance = 0.8;
constexpr double candidate_step = 1, far_from_best = 8;  ///< degrees
constexpr int refinements = 8;

// What makes a result trustworthy. `support`: how long all lines together are that agree with it,
// degrees. `contrast`: how much more they are than for any other direction. `spread`: how much they
// differ among themselves: lines of a single wall would fit any direction in its plane.
constexpr double least_support = 30, good_support = 120;
constexpr double least_contrast = 1.5, good_contrast = 3;
constexpr double good_spread = 0.08;

constexpr Vec3 picture_up = {0, -1, 0};

/// A straight line of the world: a part of a great circle.
struct Line {
  Vec3 normal;  ///< of the circle's plane
  double weight;
};

/// A view of 90 degrees, and where its pixels are in the picture.
struct Face {
  TangentView view;
  TangentView::Places places;
};

/// The six faces of a cube.
std::vector<Face> faces_for(Size size) {
  constexpr Angles faces[] = {{0, 0, 0},   {90, 0, 0}, {180, 0, 0},
                              {270, 0, 0}, {0, 90, 0}, {0, -90, 0}};
  const double pixel = 2 * pi / size.width;
  const int side = std::max(static_cast<int>(std::lround(2 / pixel)), 16);
  std::vector<Face> made;
  for (const Angles& angles : faces) {
    const TangentView view(rotation(angles), side, 2.0 / side);
    made.push_back({view, view.places(size)});
  }
  return made;
}

std::vector<Line> lines_of(const SpherePicture& picture, const std::vector<Face>& faces) {
  std::vector<Line> lines;
  for (const auto& [view, places] : faces) {
    std::vector<cv::Vec4f> found;
    cv::createLineSegmentDetector(cv::LSD_REFINE_STD)
        ->detect(TangentView::draw(picture, places), found);
    for (const cv::Vec4f& ends : found) {
      const Vec3 a = view.direction({ends[0] + 0.5, ends[1] + 0.5});
      const Vec3 b = view.direction({ends[2] + 0.5, ends[3] + 0.5});
      const double size = degrees(angle_between(a, b));
      if (size >= shortest_line)
        lines.push_back({normalised(cross(a, b)), std::min(size, longest_line)});
    }
  }
  return lines;
}

/// How well a line agrees with a direction that may be up, 0 to 1: as an upright line, and as a
/// part of the horizon.
struct Agreement {
  double upright = 0, horizon = 0;
};

/// `tolerance`: the sine of the angle by which the line may miss.
Agreement agreement(const Line& line, Vec3 up, double tolerance) {
  const double sine = std::abs(dot(line.normal, up));
  const auto falling = [&](double off) {
    const double part = off / tolerance;
    return std::max(1 - part * part, 0.0);
  };
  return {falling(sine), falling(std::sqrt(std::max(1 - sine * sine, 0.0)))};
}

/// `tolerance`: degrees.
double support(const std::vector<Line>& lines, Vec3 up, double tolerance) {
  const double most = std::sin(radians(tolerance));
  double sum = 0;
  for (const Line& line : lines) {
    const Agreement agrees = agreement(line, up, most);
    sum += line.weight * (agrees.upright + agrees.horizon);
  }
  return sum;
}

std::vector<Vec3> candidates() {
  std::vector<Vec3> all = {picture_up};
  for (double tilt = candidate_step; tilt <= most_tilt; tilt += candidate_step) {
    const int around = static_cast<int>(std::ceil(360 * std::sin(radians(tilt)) / candidate_step));
    for (int i = 0; i < around; ++i) {
      const double turn = 2 * pi * i / around, out = std::sin(radians(tilt));
      all.push_back({out * std::cos(turn), -std::cos(radians(tilt)), out * std::sin(turn)});
    }
  }
  return all;
}

/// The direction that is nearest to all lines that agree with one, and how much they differ: the
/// second eigenvalue of their spread, as a part of the whole.
struct Nearest {
  Vec3 up;
  double spread = 0;
};

/// `tolerance`: degrees.
Nearest nearest(const std::vector<Line>& lines, Vec3 up, double tolerance) {
  const double most = std::sin(radians(tolerance));
  cv::Matx33d sum = cv::Matx33d::zeros();
  double all = 0;
  for (const Line& line : lines) {
    const Agreement agrees = agreement(line, up, most);
    const cv::Vec3d n(line.normal.x, line.normal.y, line.normal.z);
    const cv::Matx33d across = n * n.t();
    // Upright lines: the sine to be made small is that to the normal. The horizon: the cosine.
    sum += line.weight * (agrees.upright * across + agrees.horizon * (cv::Matx33d::eye() - across));
    all += line.weight * (agrees.upright + agrees.horizon);
  }
  if (!(all > 0)) return {up, 0};
  cv::Vec3d values;
  cv::Matx33d vectors;
  cv::eigen(sum, values, vectors);
  const Vec3 least = {vectors(2, 0), vectors(2, 1), vectors(2, 2)};
  return {dot(least, up) < 0 ? -1.0 * least : least, values[1] / all};
}

double rise(double value, double low, double high) {
  return std::clamp((value - low) / (high - low), 0.0, 1.0);
}

Upright search(const SpherePicture& picture, const std::vector<Face>& faces) {
  const std::vector<Line> lines = lines_of(picture, faces);
  const std::vector<Vec3> all = candidates();
  std::vector<double> supports;
  supports.reserve(all.size());
  for (const Vec3 one : all) supports.push_back(support(lines, one, coarse_tolerance));
  const auto best = static_cast<size_t>(std::ranges::max_element(supports) - supports.begin());
  double other = 0;
  for (size_t i = 0; i < all.size(); ++i)
    if (degrees(angle_between(all[i], all[best])) > far_from_best)
      other = std::max(other, supports[i]);

  Nearest found{all[best], 0};
  for (int i = 0; i < refinements; ++i) {
    const double part = static_cast<double>(i) / (refinements - 1);
    found = nearest(lines, found.up, coarse_tolerance + part * (fine_tolerance - coarse_tolerance));
  }
  const double contrast = other > 0            ? supports[best] / other
                          : supports[best] > 0 ? good_contrast
                                               : 0;
  const double confidence = rise(supports[best], least_support, good_support) *
                            rise(contrast, least_contrast, good_contrast) *
                            rise(found.spread, 0, good_spread);
  // What went away from the best candidate was not well determined.
  const bool strayed = degrees(angle_between(found.up, all[best])) > 2 * coarse_tolerance;
  return {found.up, strayed ? 0 : confidence};
}

}  // namespace

struct UprightFinder::Faces {
  Size size;
  std::vector<Face> all;
};

UprightFinder::UprightFinder() = default;
UprightFinder::~UprightFinder() = default;
UprightFinder::UprightFinder(UprightFinder&&) noexcept = default;
UprightFinder& UprightFinder::operator=(UprightFinder&&) noexcept = default;

Result<Upright> UprightFinder::find(const SpherePicture& picture) {
  if (!picture.is_complete()) return invalid("the picture is not complete");
  try {
    if (!faces_ || faces_->size != picture.size)
      faces_ = std::make_unique<Faces>(Faces{picture.size, faces_for(picture.size)});
    return search(picture, faces_->all);
  } catch (const cv::Exception& reason) {
    return failed(std::string("OpenCV can't search the picture: ") + reason.what());
  }
}

Result<Upright> find_upright(const SpherePicture& picture) { return UprightFinder().find(picture); }

Vec3 middle_direction(std::span<const Vec3> directions) {
  // Weiszfeld's steps to the point with the smallest sum of distances.
  Vec3 middle = picture_up;
  for (int i = 0; i < 100; ++i) {
    Vec3 sum;
    for (const Vec3 one : directions) sum = sum + (1 / std::max(length(one - middle), 1e-9)) * one;
    if (!(length(sum) > 0)) break;
    middle = normalised(sum);
  }
  return middle;
}

}  // namespace sphere

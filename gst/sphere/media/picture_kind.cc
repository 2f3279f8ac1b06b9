// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/picture_kind.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sphere::media {

namespace {

// The limits below are between values that were measured in real and in drawn pictures; see
// tests/check/picture_kind.cc.

constexpr int least_width = 64, least_height = 32;
// Width divided by height, or height by width. Larger values are the strips of a camera's fastest
// modes, which have no corners.
constexpr double least_aspect = 1.2, largest_aspect = 2.6;

// A picture with less contrast or less brightness than this has nothing to judge.
constexpr double least_deviation = 4, least_brightness = 8;
// Black in video is 16; sensors add some noise.
constexpr double brightest_black = 24;
// A corner that is darker than this part of the picture's brightness is outside the image circle.
// Some of the eight corners may be brighter because of flare.
constexpr double dark_part = 0.25;
constexpr int corners = 8, least_dark_of_fisheyes = 5, most_dark_of_flat = 3;
// Distance from the middle of each half, divided by its side. Beyond it is always outside of the
// image circle, even of one that the frame cuts off at all four sides (the corner itself is at
// 0.707).
constexpr double outside_circle = 0.645;

// The number of cells in a row or a column. Samples are averaged over each cell, which removes
// noise.
constexpr int cells = 64;
// The change across the edge, divided by the change between distant columns: at most 0.34 in 360
// pictures (with a seam of unequal lenses at the edge), at least 0.65 in others.
constexpr double largest_step_at_edge = 0.45;
// The changes along the top and the bottom row, divided by those along the rows between: at most
// 0.26 in 360 pictures; in others, one of the two rows has more than 0.53.
constexpr double largest_change_at_poles = 0.35;
constexpr double least_change = 1, least_difference = 4;

double sample(const Brightness& picture, int x, int y) {
  return picture
      .data[static_cast<ptrdiff_t>(y) * picture.stride + static_cast<ptrdiff_t>(x) * picture.step];
}

struct Moments {
  double sum = 0, squares = 0;
  int count = 0;
  void add(double value) {
    sum += value;
    squares += value * value;
    ++count;
  }
  double mean() const { return sum / count; }
  double deviation() const { return std::sqrt(std::max(0.0, squares / count - mean() * mean())); }
};

Moments moments_of(const Brightness& picture) {
  Moments all;
  for (int j = 0; j < cells; ++j)
    for (int i = 0; i < cells; ++i)
      all.add(sample(picture, (2 * i + 1) * picture.width / (2 * cells),
                     (2 * j + 1) * picture.height / (2 * cells)));
  return all;
}

/// The mean of each corner of each half, outside of all possible image circles.
std::array<double, corners> corner_means(const Brightness& picture) {
  constexpr int samples = 24;
  constexpr double inner = 0.4;
  std::array<double, corners> means{};
  const bool beside = picture.width >= picture.height;
  const double width = beside ? picture.width / 2.0 : picture.width;
  const double height = beside ? picture.height : picture.height / 2.0;
  for (size_t n = 0; n < means.size(); ++n) {
    const double half = n < 4 ? 0 : 1;
    const double left = beside ? half * width : 0, top = beside ? 0 : half * height;
    Moments corner;
    for (int j = 0; j < samples; ++j)
      for (int i = 0; i < samples; ++i) {
        const double dx = inner + (0.5 - inner) * (i + 0.5) / samples;
        const double dy = inner + (0.5 - inner) * (j + 0.5) / samples;
        if (dx * dx + dy * dy < outside_circle * outside_circle) continue;
        const double x = left + width * (n & 1 ? 0.5 + dx : 0.5 - dx);
        const double y = top + height * (n & 2 ? 0.5 + dy : 0.5 - dy);
        corner.add(sample(picture, std::clamp(static_cast<int>(x), 0, picture.width - 1),
                          std::clamp(static_cast<int>(y), 0, picture.height - 1)));
      }
    means[n] = corner.mean();
  }
  return means;
}

/// The mean difference between neighbouring cells of a row, including the last and the first one.
double change_along(const Brightness& picture, int y) {
  std::array<double, cells> values{};
  for (int k = 0; k < cells; ++k) {
    Moments cell;
    for (int x = picture.width * k / cells; x < picture.width * (k + 1) / cells; ++x)
      cell.add(sample(picture, x, y));
    values[static_cast<size_t>(k)] = cell.mean();
  }
  double change = std::abs(values.front() - values.back());
  for (size_t k = 1; k < values.size(); ++k) change += std::abs(values[k] - values[k - 1]);
  return change / cells;
}

/// The mean difference between the cells of two columns.
double difference(const Brightness& picture, int x1, int x2) {
  constexpr int half = cells / 2;
  double sum = 0;
  for (int k = 0; k < half; ++k) {
    Moments cell;
    for (int y = picture.height * k / half; y < picture.height * (k + 1) / half; ++y)
      cell.add(sample(picture, x1, y) - sample(picture, x2, y));
    sum += std::abs(cell.mean());
  }
  return sum / half;
}

bool is_sphere(const Brightness& picture) {
  const int width = picture.width, height = picture.height;
  if (std::abs(width - 2 * height) > height / 50) return false;
  double far = 0;
  int count = 0;
  for (int k = 0; k < 8; ++k)
    for (int apart = 2; apart <= 4; ++apart) {
      far += difference(picture, width * k / 8, width * (k + apart) / 8 % width);
      ++count;
    }
  far /= count;
  if (far < least_difference || difference(picture, 0, width - 1) > largest_step_at_edge * far)
    return false;
  double between = 0;
  constexpr int first = 4, last = 12;
  for (int k = first; k <= last; ++k)
    between += change_along(picture, height * k / 16) / (last - first + 1);
  return between >= least_change &&
         std::max(change_along(picture, 0), change_along(picture, height - 1)) <=
             largest_change_at_poles * between;
}

}  // namespace

PictureKind classify_picture(const Brightness& picture) {
  if (picture.width < least_width || picture.height < least_height) return PictureKind::unclear;
  const double aspect = static_cast<double>(std::max(picture.width, picture.height)) /
                        std::min(picture.width, picture.height);
  if (aspect < least_aspect || aspect > largest_aspect) return PictureKind::unclear;
  const Moments all = moments_of(picture);
  const std::array<double, corners> means = corner_means(picture);
  const double black = std::min(*std::min_element(means.begin(), means.end()), brightest_black);
  if (all.deviation() < least_deviation || all.mean() - black < least_brightness)
    return PictureKind::unclear;
  const double limit = black + dark_part * (all.mean() - black);
  const auto dark =
      std::count_if(means.begin(), means.end(), [&](double mean) { return mean <= limit; });
  if (dark >= least_dark_of_fisheyes) return PictureKind::two_fisheyes;
  if (is_sphere(picture)) return PictureKind::sphere;
  return dark <= most_dark_of_flat ? PictureKind::flat : PictureKind::unclear;
}

}  // namespace sphere::media

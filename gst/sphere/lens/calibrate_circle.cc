// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cmath>

#include "gst/sphere/lens/calibrate_match.h"
#include "gst/sphere/lens/fit.h"

namespace sphere {

namespace {

// The width to which a half is reduced, pixels. Edges are found with an error of about one of these
// pixels.
constexpr int looked_at = 480;
constexpr int rays = 360, least_edges = 120;
// Pixels that are darker than this part of the brightness of the brightest tenth are outside of the
// image circle.
constexpr double lit_part = 0.12;
constexpr int darkest_bright = 60;

std::optional<Circle> fit_circle(std::vector<Point> points) {
  Circle circle;
  const size_t all = points.size();
  for (int round = 0; round < 6; ++round) {
    if (points.size() < least_edges || points.size() < all * 6 / 10) return std::nullopt;
    std::vector<std::vector<double>> a;
    std::vector<double> b;
    for (const Point& p : points) {
      a.push_back({2 * p.x, 2 * p.y, 1});
      b.push_back(p.x * p.x + p.y * p.y);
    }
    const auto x = least_squares(a, b);
    if (!x) return std::nullopt;
    circle.centre = {(*x)[0], (*x)[1]};
    circle.radius = std::sqrt(std::max(
        (*x)[2] + circle.centre.x * circle.centre.x + circle.centre.y * circle.centre.y, 0.0));
    const auto miss = [&](const Point& p) {
      return std::abs(std::hypot(p.x - circle.centre.x, p.y - circle.centre.y) - circle.radius);
    };
    std::vector<double> misses;
    for (const Point& p : points) misses.push_back(miss(p));
    std::nth_element(misses.begin(), misses.begin() + static_cast<ptrdiff_t>(misses.size() / 2),
                     misses.end());
    const double median = misses[misses.size() / 2];
    if (round == 5) return median < 1.5 ? std::optional(circle) : std::nullopt;
    std::erase_if(points, [&](const Point& p) { return miss(p) > std::max(1.5, 3 * median); });
  }
  return std::nullopt;
}

std::optional<Circle> find_circle(const GreyPicture& picture, const Region& region) {
  std::vector<uint8_t> values;
  for (int y = static_cast<int>(region.top); y < static_cast<int>(region.bottom); ++y)
    for (int x = static_cast<int>(region.left); x < static_cast<int>(region.right); ++x)
      values.push_back(picture.pixels[static_cast<size_t>(y) * picture.size.width + x]);
  if (values.empty()) return std::nullopt;
  const auto bright = values.begin() + static_cast<ptrdiff_t>(values.size() * 9 / 10);
  std::nth_element(values.begin(), bright, values.end());
  if (*bright < darkest_bright) return std::nullopt;
  const double threshold = lit_part * *bright;
  const Point middle = {(region.left + region.right) / 2, (region.top + region.bottom) / 2};
  const auto inside = [&](double x, double y) {
    return x > region.left + 1 && x < region.right - 1 && y > region.top + 1 &&
           y < region.bottom - 1;
  };
  std::vector<Point> edges;
  for (int i = 0; i < rays; ++i) {
    const double c = std::cos(2 * pi * i / rays), s = std::sin(2 * pi * i / rays);
    double r = 0;
    while (inside(middle.x + r * c, middle.y + r * s)) r += 0.5;
    const double border = r;
    // From the outside to the inside: there may be dark pixels inside, but no bright ones outside.
    const auto light = [&](double at) {
      return brightness_at(picture, middle.x + at * c, middle.y + at * s);
    };
    while (r > 3 && !(light(r) > threshold && light(r - 2) > threshold)) r -= 0.5;
    // The pixels are bright up to the border: the circle is cut off here.
    if (r > 3 && r < border - 2) edges.push_back({middle.x + r * c, middle.y + r * s});
  }
  return fit_circle(std::move(edges));
}

}  // namespace

std::optional<std::array<Circle, 2>> find_circles(const std::vector<Pyramid>& pictures,
                                                  const std::array<Region, 2>& regions) {
  // A pixel that is bright in any of the pictures is inside.
  int level = 0;
  const double side = regions[0].bottom - regions[0].top;
  while (level + 1 < pictures[0].levels() && side / (1 << level) > 1.5 * looked_at) ++level;
  GreyPicture brightest = pictures[0].level(level);
  for (const Pyramid& pyramid : pictures)
    for (size_t i = 0; i < brightest.pixels.size(); ++i)
      brightest.pixels[i] = std::max(brightest.pixels[i], pyramid.level(level).pixels[i]);

  const double scale = 1 << level;
  std::array<Circle, 2> circles;
  for (size_t i = 0; i < circles.size(); ++i) {
    const Region& r = regions[i];
    const auto seen =
        find_circle(brightest, {r.left / scale, r.top / scale, r.right / scale, r.bottom / scale});
    if (!seen) return std::nullopt;
    circles[i] = {{seen->centre.x * scale, seen->centre.y * scale}, seen->radius * scale};
    const double half = std::min(r.bottom - r.top, r.right - r.left) / 2;
    if (circles[i].radius < 0.4 * half || circles[i].radius > 1.2 * half ||
        circles[i].centre.x < r.left || circles[i].centre.x > r.right ||
        circles[i].centre.y < r.top || circles[i].centre.y > r.bottom)
      return std::nullopt;
  }
  return circles;
}

}  // namespace sphere

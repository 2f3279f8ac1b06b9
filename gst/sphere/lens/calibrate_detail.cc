// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_detail.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "gst/sphere/lens/calibrate_match.h"
#include "gst/sphere/lens/fit.h"

namespace sphere {

namespace {

/// Three directions at right angles: the first two in the plane of the seam, which is the bisector
/// of both axes.
struct SeamAxes {
  Vec3 pole, right, down;

  explicit SeamAxes(const LensPair& pair)
      : pole(normalised(pair.front.axis() - pair.back.axis())),
        right(normalised(cross({0, 1, 0}, pole))),
        down(cross(pole, right)) {}

  Vec3 direction(double round, double off) const {
    return std::cos(off) * (std::cos(round) * right + std::sin(round) * down) +
           std::sin(off) * pole;
  }
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

constexpr int least_sectors = 5;

/// How far apart both lenses show the details of a sector, in degrees.
struct Shift {
  double round;  // where the sector is, radians
  double along, across;
};

/// The part of the shifts across the seam that an error of the lenses explains: a constant one from
/// the fields of view, and a sine from the axes and centres. Its median. Shifts that do not fit
/// have little weight, as those of near things.
std::optional<double> smooth_part(const std::vector<Shift>& shifts) {
  constexpr int rounds = 20;
  constexpr double exact = 0.03;  // degrees
  std::vector<double> smooth(shifts.size());
  for (int n = 0; n < rounds; ++n) {
    std::vector<std::vector<double>> a;
    std::vector<double> b;
    for (size_t i = 0; i < shifts.size(); ++i) {
      const double weight = n ? 1 / std::sqrt(std::abs(shifts[i].across - smooth[i]) + exact) : 1;
      a.push_back({weight, weight * std::cos(shifts[i].round), weight * std::sin(shifts[i].round)});
      b.push_back(weight * shifts[i].across);
    }
    const auto x = least_squares(a, b);
    if (!x) return std::nullopt;
    for (size_t i = 0; i < shifts.size(); ++i)
      smooth[i] =
          (*x)[0] + (*x)[1] * std::cos(shifts[i].round) + (*x)[2] * std::sin(shifts[i].round);
  }
  for (double& value : smooth) value = std::abs(value);
  return median(std::move(smooth));
}

/// Both lenses' pictures around the seam, in steps of half a degree.
class Strips {
 public:
  static constexpr int sectors = 24;

  Strips(const GreyPicture& picture, const LensPair& pair) {
    const double scale = static_cast<double>(picture.size.width) / pair.frame.width;
    const SeamAxes seam(pair);
    for (int k = 0; k < 2; ++k)
      for (int row = 0; row < rows; ++row) {
        std::vector<float> line(azimuths);
        std::vector<bool> seen(azimuths);
        for (int i = 0; i < azimuths; ++i) {
          const Vec3 d = seam.direction(i * step, (row - middle) * step);
          const Point p = pair[k].project(d);
          seen[i] = sees(pair[k], pair[k].angle_to_axis(d), p);
          line[i] = static_cast<float>(brightness_at(picture, p.x * scale, p.y * scale));
        }
        flatten(line, seen);
        light_[k].push_back(std::move(line));
        seen_[k].push_back(std::move(seen));
      }
  }

  bool has_detail(int sector) const { return agreement_at(sector, 0, 0).has_value(); }

  /// From the place of the details of a sector in the front lens's picture to that in the other;
  /// nothing where they are not found.
  std::optional<Shift> shift(int sector) const {
    double agreement[2 * reach + 1][2 * reach + 1];
    int best_x = 0, best_y = 0;
    for (int y = -reach; y <= reach; ++y)
      for (int x = -reach; x <= reach; ++x) {
        // Along an edge all shifts agree; the smallest one is meant.
        constexpr double preference = 0.002;
        agreement[reach + y][reach + x] =
            agreement_at(sector, x, y).value_or(-1) - preference * (x * x + y * y);
      }
    for (int y = -reach; y <= reach; ++y)
      for (int x = -reach; x <= reach; ++x)
        if (agreement[reach + y][reach + x] > agreement[reach + best_y][reach + best_x])
          best_x = x, best_y = y;
    constexpr double least = 0.5, half_degree = degrees(step);
    if (agreement[reach + best_y][reach + best_x] < least || std::abs(best_x) == reach ||
        std::abs(best_y) == reach)
      return std::nullopt;
    const auto vertex = [](double before, double here, double after) {
      const double bend = before - 2 * here + after;
      return bend < 0 ? std::clamp((before - after) / (2 * bend), -0.5, 0.5) : 0.0;
    };
    const auto at = [&](int x, int y) { return agreement[reach + best_y + y][reach + best_x + x]; };
    return Shift{(sector + 0.5) * width * step,
                 half_degree * (best_x + vertex(at(-1, 0), at(0, 0), at(1, 0))),
                 half_degree * (best_y + vertex(at(0, -1), at(0, 0), at(0, 1)))};
  }

 private:
  static constexpr int azimuths = 720, width = azimuths / sectors;
  static constexpr double step = 2 * pi / azimuths;
  // To each side of the seam, and how far the search goes: 2.5 and 2 degrees.
  static constexpr int band = 5, reach = 4, middle = band + reach, rows = 2 * middle + 1;

  /// Nothing where there is too little detail.
  std::optional<double> agreement_at(int sector, int by_x, int by_y) const {
    constexpr int least_samples = 40;
    // Grey values.
    constexpr double least_deviation = 1.5;
    double ab = 0, aa = 0, bb = 0;
    int n = 0;
    for (int row = middle - band; row <= middle + band; ++row)
      for (int i = sector * width; i < (sector + 1) * width; ++i) {
        const int there = (i + by_x + azimuths) % azimuths;
        if (!seen_[0][row][i] || !seen_[1][row + by_y][there]) continue;
        const double a = light_[0][row][i], b = light_[1][row + by_y][there];
        ab += a * b;
        aa += a * a;
        bb += b * b;
        ++n;
      }
    const double least = least_deviation * least_deviation * n;
    if (n < least_samples || aa < least || bb < least) return std::nullopt;
    return ab / std::sqrt(aa * bb);
  }

  std::vector<std::vector<float>> light_[2];
  std::vector<std::vector<bool>> seen_[2];
};

}  // namespace

void flatten(std::vector<float>& line, const std::vector<bool>& seen) {
  // Degrees to each side.
  constexpr size_t reach = 12;
  constexpr float most_deviations = 1.5;
  const size_t count = line.size(), side = count * reach / 360;
  const std::vector<float> values = line;
  float squares = 0, all = 0;
  for (size_t i = 0; i < count; ++i) {
    line[i] = 0;
    if (!seen[i]) continue;
    float sum = 0, n = 0;
    for (size_t k = i + count - side; k <= i + count + side; ++k)
      if (seen[k % count]) {
        sum += values[k % count];
        n += 1;
      }
    line[i] = values[i] - sum / n;
    squares += line[i] * line[i];
    all += 1;
  }
  const float limit = most_deviations * std::sqrt(squares / std::max(all, 1.0F));
  for (float& value : line) value = std::clamp(value, -limit, limit);
}

std::vector<GreyPicture> detail_pictures(const std::vector<GreyPicture>& pictures, double radius) {
  int level = 0;
  while (radius / (1 << level) > detail_radius && level < 6) ++level;
  std::vector<GreyPicture> small;
  for (const GreyPicture& picture : pictures)
    small.push_back(Pyramid(picture, level + 1).level(level));
  return small;
}

double detail_agreement(const GreyPicture& picture, const LensPair& pair) {
  constexpr int azimuths = 720, rows = 9;
  constexpr double band = radians(2.5);
  // A narrow strip agrees by chance.
  constexpr double least_seen = 0.4;
  const double scale = static_cast<double>(picture.size.width) / pair.frame.width;
  const SeamAxes seam(pair);
  double ab = 0, aa = 0, bb = 0, n = 0;
  std::vector<float> line[2] = {std::vector<float>(azimuths), std::vector<float>(azimuths)};
  std::vector<bool> seen(azimuths);
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < azimuths; ++i) {
      const Vec3 d = seam.direction(2 * pi * i / azimuths, band * (2.0 * row / (rows - 1) - 1));
      seen[i] = true;
      for (int k = 0; k < 2; ++k) {
        const Point p = pair[k].project(d);
        seen[i] = seen[i] && sees(pair[k], pair[k].angle_to_axis(d), p);
        line[k][i] = static_cast<float>(brightness_at(picture, p.x * scale, p.y * scale));
      }
      n += seen[i];
    }
    for (std::vector<float>& one : line) flatten(one, seen);
    for (int i = 0; i < azimuths; ++i) {
      ab += line[0][i] * line[1][i];
      aa += line[0][i] * line[0][i];
      bb += line[1][i] * line[1][i];
    }
  }
  // A mean square of less than 1 (grey values) is noise.
  if (aa < n || bb < n || n == 0) return 0;
  return ab / std::sqrt(aa * bb) * std::min(1.0, n / (rows * azimuths * least_seen));
}

SeamError measure_error(const std::vector<GreyPicture>& pictures, const LensPair& pair) {
  std::vector<Shift> shifts;
  int lost = 0;
  for (const GreyPicture& picture : pictures) {
    const Strips strips(picture, pair);
    for (int sector = 0; sector < Strips::sectors; ++sector)
      if (strips.has_detail(sector)) {
        const std::optional<Shift> shift = strips.shift(sector);
        if (shift)
          shifts.push_back(*shift);
        else
          ++lost;
      }
  }
  SeamError error{most_error, 0};
  if (static_cast<int>(shifts.size()) > std::max(lost, least_sectors - 1))
    if (const std::optional<double> smooth = smooth_part(shifts)) {
      std::vector<double> along;
      for (const Shift& shift : shifts) along.push_back(std::abs(shift.along));
      error.degrees = std::min(std::hypot(median(std::move(along)), *smooth), most_error);
    }
  const double right_angle =
      (pair.front.model.forward(pi / 2) + pair.back.model.forward(pi / 2)) / 2;
  error.pixels = error.degrees * right_angle / 90;
  return error;
}

}  // namespace sphere

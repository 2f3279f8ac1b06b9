// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_light.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "gst/sphere/lens/fit.h"

namespace sphere {

namespace {

// The logarithm of the fall-off is -sum(amounts[n] * r^powers[n]), with r = 1 at the rim. With
// amounts of 0 and more it falls from the axis to the rim without a rise.
constexpr std::array powers = {2, 4, 6};
constexpr size_t terms = powers.size();
using Terms = std::array<double, terms>;

// Of 256 grey values: darker ones are mostly noise, brighter ones are clipped.
constexpr uint8_t darkest = 12, brightest = 250;
// The part of a sample's area that may have such values, of 255.
constexpr double most_unusable = 12;
// Pixels at the rim of the image circle are dark for other reasons.
constexpr double rim = radians(1.8);
// Above and below are the sky and what the camera stands on.
constexpr double highest = radians(60);

// The overlap: the largest height above the seam, and the step; the sectors around the seam whose
// medians are compared.
constexpr double largest_height = radians(6), height_step = radians(0.5);
constexpr int sectors = 36, samples_a_sector = 14, least_samples = 6, least_sectors = 6;
// The fall-off changes the ratio of the lenses by at least this standard deviation, for reasons
// that are the same in all sectors, such as stray light.
constexpr double least_deviation = 0.004;

// The gradient: the distance between two samples along a circle of latitude, and the rings and the
// quarters of a lens whose medians are used.
constexpr double gradient_step = radians(4), least_growth = radians(1.5), ring = radians(5);
constexpr int rings = 22, quarters = 4, least_pairs = 12;

// The weight of a row, in parts of that of an independent one. Neighbouring heights show much of
// the same. Gradients show the scene, too, which may itself be darker at the seam: they only decide
// what the overlap leaves open.
constexpr double overlap_trust = 0.15, gradient_trust = 0.04;

// Standard deviation of each amount before anything is seen: lenses darken mostly near the rim.
constexpr Terms usual_amounts = {0.25, 0.45, 0.6};
// What is taken where nothing can be measured: 10 % less light at the seam than on the axis.
constexpr double guessed_amount = 0.11;
// What is darker by less at the seam than 30 degrees inside, is within the error of the method.
constexpr double least_step = 0.045;
// No correction is larger than this factor at the rim.
constexpr double least_brightness = 0.4;

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A measured change of the logarithm of the fall-off.
struct Row {
  Terms factor;  // of the amounts
  double value;
  bool overlap;
};

/// The brightness of directions, each as the mean of about one degree.
class Sampler {
 public:
  Sampler(const GreyPicture& picture, const LensPair& pair) {
    const double per_degree = pair.front.model.radius() / degrees(pair.front.half_fov());
    const int level = std::clamp(static_cast<int>(std::lround(std::log2(per_degree))), 0, 6);
    GreyPicture unusable{picture.size, {}};
    unusable.pixels.reserve(picture.pixels.size());
    for (const uint8_t value : picture.pixels)
      unusable.pixels.push_back(value <= darkest || value >= brightest ? 255 : 0);
    picture_ = Pyramid(picture, level + 1).level(level);
    unusable_ = Pyramid(unusable, level + 1).level(level);
    pair_ = pair.scaled_to(picture_.size);
  }

  /// The logarithm of the brightness, if the lens shows the direction well.
  std::optional<double> light(int lens, Vec3 direction) const {
    const Lens& l = pair_[lens];
    if (l.angle_to_axis(direction) > l.half_fov() - rim) return std::nullopt;
    const Point p = l.project(direction);
    const Region& in = l.region;
    if (p.x < in.left + 1 || p.x > in.right - 1 || p.y < in.top + 1 || p.y > in.bottom - 1)
      return std::nullopt;
    if (brightness_at(unusable_, p.x, p.y) > most_unusable) return std::nullopt;
    const double value = brightness_at(picture_, p.x, p.y);
    return value > darkest ? std::optional(std::log(value)) : std::nullopt;
  }

 private:
  GreyPicture picture_, unusable_;
  LensPair pair_;
};

class LightFinder {
 public:
  LightFinder(const std::vector<GreyPicture>& pictures, const LensPair& pair) : pair_(pair) {
    for (const GreyPicture& picture : pictures) samplers_.emplace_back(picture, pair);
  }

  LightFinding find() {
    LightFinding finding;
    measure_overlap();
    finding.measured = rows_.size() >= least_sectors;
    Terms amounts{};
    if (finding.measured) {
      measure_gradients();
      amounts = solve();
      if (step_of(amounts) < least_step) amounts = {};
    } else {
      amounts.back() = guessed_amount;
    }
    finding.vignette = fit_vignette([&](double r) {
      double sum = 0;
      for (size_t n = 0; n < terms; ++n) sum += amounts[n] * std::pow(r, powers[n]);
      return std::exp(-std::min(sum, -std::log(least_brightness)));
    });
    return finding;
  }

 private:
  /// The factors of the amounts in the logarithm of the fall-off, in a direction.
  Terms factors(int lens, Vec3 direction) const {
    const Lens& l = pair_[lens];
    const double r = l.model.forward(l.angle_to_axis(direction)) / l.model.radius();
    Terms f;
    for (size_t n = 0; n < terms; ++n) f[n] = -std::pow(r, powers[n]);
    return f;
  }

  /// How much less light there is at the seam than 30 degrees inside: a logarithm.
  double step_of(const Terms& amounts) const {
    double step = 0;
    for (size_t n = 0; n < terms; ++n) {
      const auto fall = [&](double angle) {
        const RadialModel& model = pair_.front.model;
        return amounts[n] * std::pow(model.forward(angle) / model.radius(), powers[n]);
      };
      step += fall(pi / 2) - fall(pi / 3);
    }
    return step;
  }

  /// Both lenses show a direction at different distances from their axes. At two heights, one as
  /// far above the seam as the other is below it, the ratios of the lenses are compared: exposure
  /// and everything else that differs between the lenses around there is the same in both.
  void measure_overlap() {
    const Vec3 axis = normalised(pair_.front.axis() - pair_.back.axis());
    const Vec3 right = normalised(cross({0, 1, 0}, axis)), down = cross(axis, right);
    const double seen =
        std::min(pair_.front.half_fov(), pair_.back.half_fov()) - pi / 2 - rim - height_step;
    const int heights = static_cast<int>(std::min(seen, largest_height) / height_step);
    for (int s = 0; s < sectors; ++s)
      for (int k = 1; k <= heights; ++k) {
        const double height = k * height_step;
        std::vector<double> values;
        Terms factor{};
        for (const Sampler& sampler : samplers_)
          for (int n = 0; n < samples_a_sector; ++n) {
            const double round = 2 * pi * (s + (n + 0.5) / samples_a_sector) / sectors;
            const Vec3 on = std::cos(round) * right + std::sin(round) * down;
            const Vec3 above = std::cos(height) * on + std::sin(height) * axis;
            const Vec3 below = std::cos(height) * on - std::sin(height) * axis;
            if (std::abs(lonlat_of(above).lat) > highest) continue;
            const auto fa = sampler.light(0, above), ba = sampler.light(1, above);
            const auto fb = sampler.light(0, below), bb = sampler.light(1, below);
            if (!fa || !ba || !fb || !bb) continue;
            values.push_back((*fa - *ba) - (*fb - *bb));
            const Terms a = factors(0, above), b = factors(1, above), c = factors(0, below),
                        d = factors(1, below);
            for (size_t t = 0; t < terms; ++t) factor[t] = (a[t] - b[t]) - (c[t] - d[t]);
          }
        if (static_cast<int>(values.size()) >= least_samples)
          rows_.push_back({factor, median_of(values), true});
      }
  }

  /// How the brightness changes away from the axis, in rings. Pairs lie on one circle of latitude,
  /// because light changes most with the height.
  void measure_gradients() {
    struct Ring {
      std::vector<double> values;
      Terms factor{};
    };
    constexpr double step = radians(1), most = radians(55);
    for (const Sampler& sampler : samplers_)
      for (int i = 0; i < 2; ++i) {
        std::array<std::array<Ring, quarters>, rings> found;
        const Vec3 axis = pair_[i].axis();
        const double middle = lonlat_of(axis).lon;
        for (double lat = -most; lat <= most; lat += step)
          for (double lon = radians(12); lon < radians(105); lon += step)
            for (const double side : {-1.0, 1.0}) {
              const Vec3 inner = direction_of({middle + side * lon, lat});
              const Vec3 outer = direction_of({middle + side * (lon + gradient_step), lat});
              const double from = angle_between(inner, axis), to = angle_between(outer, axis);
              if (to - from < least_growth) continue;
              const auto a = sampler.light(i, inner), b = sampler.light(i, outer);
              if (!a || !b) continue;
              const int n = static_cast<int>((from + to) / 2 / ring);
              const int quarter = (side > 0) + 2 * (lat > 0);
              if (n >= rings) continue;
              Ring& r = found[static_cast<size_t>(n)][static_cast<size_t>(quarter)];
              // Per width of a ring, with the factors of the ring's middle.
              r.values.push_back((*b - *a) / (to - from) * ring);
              const Terms fa = factors(i, inner), fb = factors(i, outer);
              for (size_t t = 0; t < terms; ++t)
                r.factor[t] += (fb[t] - fa[t]) / (to - from) * ring;
            }
        for (auto& quarter_rings : found)
          for (Ring& r : quarter_rings) {
            const auto count = static_cast<int>(r.values.size());
            if (count < least_pairs) continue;
            for (double& f : r.factor) f /= count;
            rows_.push_back({r.factor, median_of(r.values), false});
          }
      }
  }

  /// Iteratively reweighted least squares. Each kind of row has the deviation that its residuals
  /// show; rows that deviate more have less weight.
  Terms solve() const {
    Terms amounts{};
    for (int round = 0; round < 12; ++round) {
      double deviation[2];
      for (const bool overlap : {false, true}) {
        std::vector<double> off;
        for (const Row& row : rows_)
          if (row.overlap == overlap) off.push_back(std::abs(miss(row, amounts)));
        deviation[overlap] = off.empty() ? 1 : std::max(1.48 * median_of(off), least_deviation);
      }
      std::array<std::array<double, terms>, terms> a{};
      Terms b{};
      for (const Row& row : rows_) {
        const double off = miss(row, amounts) / deviation[row.overlap];
        const double alike = row.overlap ? overlap_trust : gradient_trust;
        const double weight =
            alike / (1 + off * off) / (deviation[row.overlap] * deviation[row.overlap]);
        for (size_t i = 0; i < terms; ++i) {
          b[i] += weight * row.factor[i] * row.value;
          for (size_t j = 0; j < terms; ++j) a[i][j] += weight * row.factor[i] * row.factor[j];
        }
      }
      for (size_t i = 0; i < terms; ++i) a[i][i] += 1 / (usual_amounts[i] * usual_amounts[i]);
      amounts = smallest(a, b, amounts);
    }
    return amounts;
  }

  static double miss(const Row& row, const Terms& amounts) {
    double off = -row.value;
    for (size_t n = 0; n < terms; ++n) off += row.factor[n] * amounts[n];
    return off;
  }

  /// The amounts of 0 and more with the smallest error, one after the other.
  static Terms smallest(const std::array<std::array<double, terms>, terms>& a, const Terms& b,
                        Terms x) {
    for (int round = 0; round < 200; ++round)
      for (size_t i = 0; i < terms; ++i) {
        double rest = b[i];
        for (size_t j = 0; j < terms; ++j)
          if (j != i) rest -= a[i][j] * x[j];
        x[i] = std::max(rest / a[i][i], 0.0);
      }
    return x;
  }

  const LensPair& pair_;
  std::vector<Sampler> samplers_;
  std::vector<Row> rows_;
};

}  // namespace

LightFinding find_light(const std::vector<GreyPicture>& pictures, const LensPair& pair) {
  return LightFinder(pictures, pair).find();
}

}  // namespace sphere

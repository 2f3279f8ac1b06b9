// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_start.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "gst/sphere/geometry/turn.h"
#include "gst/sphere/lens/calibrate_detail.h"

namespace sphere {

namespace {

constexpr int azimuths = 720, half_round = azimuths / 2;
constexpr double azimuth_step = 2 * pi / azimuths;
// The coarse search skips azimuths.
constexpr int coarse_step = 2;
// Radii are compared in steps of the image circle's radius. Both lenses see a direction at the
// seam; the sum of its radii in both is searched, from fields of view of 225 degrees on.
constexpr int circle_steps = 150;
constexpr int first_radius = 105, radii = circle_steps - first_radius;
constexpr double first_sum = 240, last_sum = 294;
constexpr int least_sum = 228, sums = 296 - least_sum;
// The rim fades into black.
constexpr double usable_steps = 0.99 * circle_steps;
// How far from the seam the lenses are compared, in steps: 2.5 degrees.
constexpr int band = 4;
// Sectors in which the coarse search takes the sum to be the same.
constexpr int sectors = 60, sector = azimuths / sectors;
// How far the sum may change along the seam, because the axes of the lenses are not opposite or
// their circles are not exactly where they seem to be; in steps. 5.5 degrees between the axes.
constexpr double most_tilt = 9, tilt_step = 1.5;
// Starts with smaller differences than these lead to the same lenses.
constexpr double same_sum = 6, same_tilt = 4;
constexpr int same_turn = 12;  // azimuths
// Degrees. The smallest field of view of a start, because each lens of a pair shows more than half
// of the sphere.
constexpr double least_fov = 183;
// How much brighter a side of the sphere must be than its top and its bottom to be taken for the
// sky or the ceiling, where the shape of the frame lets one doubt that the camera stood upright.
constexpr double much_brighter = 1.3;

struct Circles {
  Circle lens[2];
};

/// Brightness at each azimuth and radius, without the mean of its surroundings.
using PolarPicture = std::array<std::array<float, radii>, azimuths>;

struct Candidate {
  Circles circles;
  int turn = 0;    // azimuths, rotation of the back lens relative to the front lens
  double sum = 0;  // of the radii, in steps: its mean, and how it changes to the right and down
  double tilt_x = 0, tilt_y = 0;
  double agreement = -1;
};

std::array<Region, 2> halves_of(Size frame) {
  const double w = frame.width, h = frame.height;
  // The front lens is on the right, or below.
  if (w >= h) return {Region{w / 2, 0, w, h}, Region{0, 0, w / 2, h}};
  return {Region{0, h / 2, w, h}, Region{0, 0, w, h / 2}};
}

Circle touching(const Region& r) {
  const double width = r.right - r.left, height = r.bottom - r.top;
  return {{r.left + width / 2, r.top + height / 2}, std::min(width, height) / 2};
}

PolarPicture read_polar(const GreyPicture& picture, double scale, const Circle& circle) {
  PolarPicture polar;
  for (int i = 0; i < azimuths; ++i) {
    const double c = std::cos(i * azimuth_step), s = std::sin(i * azimuth_step);
    for (int r = 0; r < radii; ++r) {
      const double distance = circle.radius * (first_radius + r) / circle_steps;
      polar[i][r] =
          static_cast<float>(brightness_at(picture, (circle.centre.x + distance * c) * scale,
                                           (circle.centre.y + distance * s) * scale));
    }
  }
  std::vector<float> line(azimuths);
  for (int r = 0; r < radii; ++r) {
    for (int i = 0; i < azimuths; ++i) line[i] = polar[i][r];
    flatten(line, std::vector<bool>(azimuths, true));
    for (int i = 0; i < azimuths; ++i) polar[i][r] = line[i];
  }
  return polar;
}

/// Whether a lens has a picture at this radius: not much darker there than inside.
bool is_lit(const GreyPicture& picture, double scale, const Circle& circle, double part) {
  // Real lenses have lost at most 60 percent there.
  constexpr double inside = 0.8, least = 0.35;
  double light[] = {0, 0};
  for (int i = 0; i < azimuths; ++i) {
    const double a = i * azimuth_step;
    for (const size_t n : {size_t{0}, size_t{1}}) {
      const double r = circle.radius * part * (n ? 1 : inside);
      light[n] += brightness_at(picture, (circle.centre.x + r * std::cos(a)) * scale,
                                (circle.centre.y + r * std::sin(a)) * scale);
    }
  }
  return light[1] > least * light[0];
}

/// For each rotation of the back lens, each sector and each sum of the radii, what the correlation
/// is made of.
class Comparison {
 public:
  struct Parts {
    float product = 0, front = 0, back = 0, count = 0;

    void operator+=(const Parts& other) {
      product += other.product;
      front += other.front;
      back += other.back;
      count += other.count;
    }
  };

  Comparison() : parts_(static_cast<size_t>(azimuths / coarse_step) * sums * sectors) {
    for (int i = 0; i < azimuths; ++i) {
      cosine_[i] = std::cos(i * azimuth_step);
      sine_[i] = std::sin(i * azimuth_step);
    }
  }

  void add(PolarPicture front, PolarPicture back) {
    for (int turn = 0; turn < azimuths; turn += coarse_step)
      for (int n = 0; n < sums; ++n)
        for (int i = 0; i < azimuths; i += coarse_step)
          add_ray(front, back, turn, i, least_sum + n, at(turn, n, i / sector));
    pictures_.push_back({std::move(front), std::move(back)});
  }

  /// Which of the sums a candidate has in each sector; -1: none of them. It does not depend on the
  /// rotation.
  using SectorSums = std::array<int, sectors>;
  SectorSums sector_sums(const Candidate& candidate) const {
    SectorSums found;
    for (int k = 0; k < sectors; ++k) {
      const int n = sum_at(candidate, k * sector + sector / 2) - least_sum;
      found[k] = n >= 0 && n < sums ? n : -1;
    }
    return found;
  }

  double coarse_agreement(int turn, const SectorSums& sector_sums) const {
    Parts all;
    for (int k = 0; k < sectors; ++k)
      if (sector_sums[k] >= 0) all += at(turn, sector_sums[k], k);
    return agreement(all, azimuths / coarse_step);
  }

  double fine_agreement(const Candidate& candidate) const {
    Parts all;
    for (const auto& [front, back] : pictures_)
      for (int i = 0; i < azimuths; ++i)
        if (const int sum = sum_at(candidate, i); sum >= least_sum && sum < least_sum + sums)
          add_ray(front, back, candidate.turn, i, sum, all);
    return agreement(all, azimuths);
  }

 private:
  static constexpr int last_radius = static_cast<int>(usable_steps) - first_radius;

  static void add_ray(const PolarPicture& front, const PolarPicture& back, int turn, int i, int sum,
                      Parts& parts) {
    // The back lens looks in the opposite direction, therefore its azimuths are reversed.
    const auto& f = front[i];
    const auto& b = back[(half_round - i - turn + 2 * azimuths) % azimuths];
    sum -= 2 * first_radius;
    const int first = std::max((sum + 1) / 2 - band, sum - last_radius);
    for (int r = first; r <= sum - first; ++r) {
      const float x = f[r], y = b[sum - r];
      parts.product += x * y;
      parts.front += x * x;
      parts.back += y * y;
      parts.count += 1;
    }
  }

  int sum_at(const Candidate& candidate, int i) const {
    return static_cast<int>(
        std::lround(candidate.sum + candidate.tilt_x * cosine_[i] + candidate.tilt_y * sine_[i]));
  }

  double agreement(const Parts& all, int rays) const {
    // A mean square of less than 1 (grey values) is noise.
    if (all.front < all.count || all.back < all.count || all.count == 0) return -1;
    // A narrow strip agrees by chance.
    constexpr double least_seen = 0.4, unseen_weight = 0.2;
    const double seen =
        std::min(1.0, all.count / (static_cast<double>(rays) * (2 * band + 1) * pictures_.size()));
    return all.product / std::sqrt(all.front * all.back) * std::min(1.0, seen / least_seen) *
           (1 - unseen_weight * (1 - seen));
  }

  Parts& at(int turn, int sum, int k) {
    return parts_[(static_cast<size_t>(turn / coarse_step) * sums + sum) * sectors + k];
  }
  const Parts& at(int turn, int sum, int k) const {
    return parts_[(static_cast<size_t>(turn / coarse_step) * sums + sum) * sectors + k];
  }

  std::vector<Parts> parts_;
  std::vector<std::pair<PolarPicture, PolarPicture>> pictures_;
  std::array<double, azimuths> cosine_, sine_;
};

Mat3 rolled(double degrees) {
  const double c = std::cos(radians(degrees)), s = std::sin(radians(degrees));
  return {{{c, -s, 0}, {s, c, 0}, {0, 0, 1}}};
}

LensPair pair_of(const Candidate& found, Size frame) {
  LensPair pair;
  pair.name = "pictures";
  pair.frame = frame;
  const std::array<Region, 2> halves = halves_of(frame);
  const Mat3 half_turn = {{{-1, 0, 0}, {0, 1, 0}, {0, 0, -1}}};
  for (int i = 0; i < 2; ++i) {
    Lens& lens = pair[i];
    const Circle& circle = found.circles.lens[i];
    const double right_angle = circle.radius * found.sum / (2 * circle_steps);
    const double radius = std::max(circle.radius, right_angle * least_fov / 180);
    lens.model =
        *RadialModel::make(ModelKind::equidistant, radians(180 * radius / right_angle), radius);
    lens.centre = circle.centre;
    lens.region = halves[static_cast<size_t>(i)];
    const double turn =
        degrees(azimuth_step) * (found.turn > half_round ? found.turn - azimuths : found.turn);
    lens.to_camera = i ? half_turn * rolled(turn / 2) : rolled(turn / 2);
    // An axis that leans to a side shows that side nearer to itself. Each lens takes one half.
    const Vec3 lean =
        rolled(turn / 2) * ((pi / 2 / found.sum) * Vec3{-found.tilt_x, -found.tilt_y, 0});
    const Vec3 axis = {0, 0, i ? -1.0 : 1.0};
    lens.to_camera = matrix_of(turn_between(axis, normalised(axis + lean))) * lens.to_camera;
  }
  return pair;
}

bool better(const Candidate& a, const Candidate& b) { return a.agreement > b.agreement; }

/// The first ones that are not near an earlier one, at most `most`.
std::vector<Candidate> distinct(const std::vector<Candidate>& sorted, size_t most) {
  const auto near = [](const Candidate& a, const Candidate& b) {
    const int apart = std::abs(a.turn - b.turn);
    const double ra = a.circles.lens[0].radius, rb = b.circles.lens[0].radius;
    const double step = ra / circle_steps;
    return std::min(apart, azimuths - apart) < same_turn &&
           std::abs(a.sum - b.sum * rb / ra) < same_sum &&
           std::hypot(a.tilt_x - b.tilt_x, a.tilt_y - b.tilt_y) < same_tilt &&
           std::hypot(a.circles.lens[0].centre.x - b.circles.lens[0].centre.x,
                      a.circles.lens[0].centre.y - b.circles.lens[0].centre.y) < same_tilt * step;
  };
  std::vector<Candidate> chosen;
  for (const Candidate& candidate : sorted) {
    if (chosen.size() >= most) break;
    if (std::ranges::none_of(chosen, [&](const Candidate& c) { return near(c, candidate); }))
      chosen.push_back(candidate);
  }
  return chosen;
}

/// Moves to better neighbours, with smaller steps than the search had.
void climb(const Comparison& comparison, Candidate& candidate) {
  constexpr double step = 0.5;
  candidate.agreement = comparison.fine_agreement(candidate);
  for (bool moved = true; moved;) {
    moved = false;
    for (int i = 0; i < 8; ++i) {
      Candidate next = candidate;
      const double by = i % 2 ? step : -step;
      if (i / 2 == 0) next.turn = (next.turn + (i ? 1 : azimuths - 1)) % azimuths;
      if (i / 2 == 1) next.sum += by;
      if (i / 2 == 2) next.tilt_x += by;
      if (i / 2 == 3) next.tilt_y += by;
      next.agreement = comparison.fine_agreement(next);
      if (next.agreement <= candidate.agreement + 1e-6) continue;
      candidate = next;
      moved = true;
    }
  }
}

std::vector<Candidate> best_of(const std::vector<Pyramid>& pictures, int level,
                               const Circles& circles, size_t most) {
  const double scale = 1.0 / (1 << level);
  Comparison comparison;
  for (const Pyramid& pyramid : pictures) {
    const GreyPicture& small = pyramid.level(level);
    comparison.add(read_polar(small, scale, circles.lens[0]),
                   read_polar(small, scale, circles.lens[1]));
  }
  std::vector<Candidate> found;
  for (double sum = first_sum; sum <= last_sum; sum += tilt_step) {
    const double part = sum / 2 / circle_steps;
    if (std::ranges::none_of(pictures, [&](const Pyramid& pyramid) {
          return is_lit(pyramid.level(level), scale, circles.lens[0], part) &&
                 is_lit(pyramid.level(level), scale, circles.lens[1], part);
        }))
      continue;
    std::vector<std::pair<Candidate, Comparison::SectorSums>> tilted;
    for (double x = -most_tilt; x <= most_tilt; x += tilt_step)
      for (double y = -most_tilt; y <= most_tilt; y += tilt_step) {
        if (std::hypot(x, y) > most_tilt) continue;
        const Candidate candidate = {circles, 0, sum, x, y};
        tilted.emplace_back(candidate, comparison.sector_sums(candidate));
      }
    for (int turn = 0; turn < azimuths; turn += coarse_step) {
      // The best tilt of each.
      Candidate best;
      for (const auto& [candidate, sector_sums] : tilted) {
        const double agreement = comparison.coarse_agreement(turn, sector_sums);
        if (agreement <= best.agreement) continue;
        best = candidate;
        best.turn = turn;
        best.agreement = agreement;
      }
      if (best.agreement > 0) found.push_back(best);
    }
  }
  std::ranges::stable_sort(found, better);
  found = distinct(found, 4 * most);
  for (Candidate& candidate : found) climb(comparison, candidate);
  std::ranges::stable_sort(found, better);
  return distinct(found, most);
}

/// The mean brightness of a cap of the sphere around a direction that is perpendicular to both
/// axes.
double light_towards(const GreyPicture& picture, double scale, const LensPair& pair, double angle) {
  const Vec3 middle = {std::sin(angle), -std::cos(angle), 0};
  constexpr double cap = radians(60);
  double sum = 0, count = 0;
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 180; ++x) {
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, {180, 90});
      if (angle_between(d, middle) > cap) continue;
      const Lens& lens = pair[d.z > 0 ? 0 : 1];
      const Point p = lens.project(d);
      const double weight = std::hypot(d.x, d.z);
      sum += weight * brightness_at(picture, p.x * scale, p.y * scale);
      count += weight;
    }
  return sum / std::max(count, 1e-9);
}

/// Rotates the camera by a quarter turn if the sky seems to be at one side.
void set_upright(const GreyPicture& picture, double scale, LensPair& pair) {
  const double aspect = static_cast<double>(std::max(pair.frame.width, pair.frame.height)) /
                        std::min(pair.frame.width, pair.frame.height);
  if (std::abs(aspect - 2) < 0.05) return;
  std::array<double, 4> light{};
  for (size_t i = 0; i < light.size(); ++i)
    light[i] = light_towards(picture, scale, pair, static_cast<double>(i) * pi / 2);
  const size_t up = light[1] > light[3] ? 1 : 3;
  if (light[up] < much_brighter * light[0] || light[up] < much_brighter * light[2]) return;
  // What stands to the right (1) or to the left (3) comes to the top.
  const Mat3 turn = rolled(up == 1 ? -90 : 90);
  for (int i = 0; i < 2; ++i) pair[i].to_camera = turn * pair[i].to_camera;
}

}  // namespace

std::vector<CalibrationStart> find_starts(const std::vector<GreyPicture>& pictures, size_t most) {
  const Size frame = pictures[0].size;
  const std::array<Region, 2> halves = halves_of(frame);
  const double side = touching(halves[0]).radius;
  int levels = 1;
  while (side / (1 << (levels - 1)) >= detail_radius && levels < 7) ++levels;
  std::vector<Pyramid> pyramids;
  for (const GreyPicture& picture : pictures) pyramids.emplace_back(picture, levels);
  const double scale = 1.0 / (1 << (levels - 1));

  std::vector<Circles> hypotheses = {{{touching(halves[0]), touching(halves[1])}}};
  if (const auto seen = find_circles(pyramids, {halves[0], halves[1]}))
    hypotheses.push_back({{(*seen)[0], (*seen)[1]}});

  std::vector<Candidate> chosen;
  for (const Circles& circles : hypotheses)
    for (const Candidate& candidate : best_of(pyramids, levels - 1, circles, most))
      chosen.push_back(candidate);
  std::ranges::stable_sort(chosen, better);
  chosen = distinct(chosen, most);
  std::vector<CalibrationStart> starts;
  for (const Candidate& candidate : chosen) {
    starts.push_back({pair_of(candidate, frame), candidate.agreement});
    set_upright(pyramids[0].level(levels - 1), scale, starts.back().pair);
  }
  return starts;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_start.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sphere {

namespace {

// The largest radius of the image circle in the pictures that are searched, pixels. At this size, a
// lens that is two degrees off is still found, because these are only some pixels.
constexpr double searched_radius = 110;
constexpr int azimuths = 360;
// The angles from the seam at which the lenses are compared, degrees.
constexpr std::array offsets = {-4.0, -2.5, -1.2, 0.0, 1.2, 2.5, 4.0};
constexpr int rows = static_cast<int>(offsets.size()), middle_row = rows / 2;
// The radius at which 90 degrees are drawn, divided by the radius of the image circle: for fields
// of view of 225 to 170 degrees. It may be above 1, because the circle may be larger than it seems.
constexpr double least_part = 0.8, most_part = 1.06, part_step = 0.005;
// Starts with smaller differences than these lead to the same lenses.
constexpr double same_part = 0.025;
constexpr int same_turn = 10;
// Degrees. The smallest field of view of a start, because each lens of a pair shows more than half
// of the sphere.
constexpr double least_fov = 183;
// How much brighter a side of the sphere must be than its top and its bottom to be taken for the
// sky or the ceiling, where the shape of the frame lets one doubt that the camera stood upright.
constexpr double much_brighter = 1.3;

struct Circles {
  Circle lens[2];
};

/// Brightness around the axis at some angles from the seam; rows from the inside to the outside.
using Ring = std::array<std::array<double, azimuths>, rows>;

struct Candidate {
  Circles circles;
  double part = 1;
  int turn = 0;  // degrees, rotation of the back lens relative to the front lens
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

/// `inwards`: the first row is the farthest from the axis.
Ring read_ring(const GreyPicture& picture, double scale, const Circle& circle, double part,
               bool inwards) {
  Ring ring;
  for (int row = 0; row < rows; ++row) {
    const double off =
        inwards ? -offsets[static_cast<size_t>(row)] : offsets[static_cast<size_t>(row)];
    const double r = circle.radius * part * (1 + off / 90);
    for (int i = 0; i < azimuths; ++i) {
      const double a = radians(i);
      ring[static_cast<size_t>(row)][static_cast<size_t>(i)] =
          brightness_at(picture, (circle.centre.x + r * std::cos(a)) * scale,
                        (circle.centre.y + r * std::sin(a)) * scale);
    }
  }
  return ring;
}

/// Whether a lens has a picture at this radius: not much darker there than inside.
bool is_lit(const GreyPicture& picture, double scale, const Circle& circle, double part) {
  // Real lenses have lost at most 60 percent there.
  constexpr double inside = 0.8, least = 0.35;
  double light[] = {0, 0};
  for (int i = 0; i < azimuths; ++i) {
    const double a = radians(i);
    for (const size_t n : {size_t{0}, size_t{1}}) {
      const double r = circle.radius * part * (n ? 1 : inside);
      light[n] += brightness_at(picture, (circle.centre.x + r * std::cos(a)) * scale,
                                (circle.centre.y + r * std::sin(a)) * scale);
    }
  }
  return light[1] > least * light[0];
}

/// How many rows to each side of the middle one the image circle holds.
int rows_within(double part) {
  // The rim fades into black.
  constexpr double usable = 0.985;
  int side = 0;
  while (side < middle_row &&
         part * (1 + offsets[static_cast<size_t>(middle_row + side + 1)] / 90) < usable)
    ++side;
  return side;
}

/// Subtracts the mean of each row, because lenses are darker at the rim, and scales the sum of
/// squares to 1. Rows further from the middle one than `side` become zero. False if there is no
/// detail.
bool normalise(Ring& ring, int side) {
  double squares = 0;
  for (int i = 0; i < rows; ++i) {
    auto& row = ring[static_cast<size_t>(i)];
    if (std::abs(i - middle_row) > side) {
      row.fill(0);
      continue;
    }
    double sum = 0;
    for (const double v : row) sum += v;
    for (double& v : row) {
      v -= sum / azimuths;
      squares += v * v;
    }
  }
  // A mean square of less than 1 (grey values) is noise.
  if (squares < (2 * side + 1) * azimuths * 1.0) return false;
  for (auto& row : ring)
    for (double& v : row) v /= std::sqrt(squares);
  return true;
}

/// For each rotation of the back lens, the correlation of its ring with the front lens's.
std::array<double, azimuths> compare(const Ring& front, const Ring& back, int side) {
  std::array<double, azimuths> agreement{};
  for (int turn = 0; turn < azimuths; ++turn) {
    double sum = 0;
    for (int row = middle_row - side; row <= middle_row + side; ++row)
      for (int i = 0; i < azimuths; ++i)
        // The back lens looks in the opposite direction, therefore its azimuths are reversed.
        sum += front[static_cast<size_t>(row)][static_cast<size_t>(i)] *
               back[static_cast<size_t>(row)]
                   [static_cast<size_t>((azimuths / 2 - i - turn + 2 * azimuths) % azimuths)];
    agreement[static_cast<size_t>(turn)] = sum;
  }
  return agreement;
}

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
    const double right_angle = circle.radius * found.part;
    const double radius = std::max(circle.radius, right_angle * least_fov / 180);
    lens.model =
        *RadialModel::make(ModelKind::equidistant, radians(180 * radius / right_angle), radius);
    lens.centre = circle.centre;
    lens.region = halves[static_cast<size_t>(i)];
    const double turn = found.turn > azimuths / 2 ? found.turn - azimuths : found.turn;
    lens.to_camera = i ? half_turn * rolled(turn / 2) : rolled(turn / 2);
  }
  return pair;
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
  while (side / (1 << levels) >= searched_radius && levels < 7) ++levels;
  std::vector<Pyramid> pyramids;
  for (const GreyPicture& picture : pictures) pyramids.emplace_back(picture, levels);
  const double scale = 1.0 / (1 << (levels - 1));

  std::vector<Circles> hypotheses = {{{touching(halves[0]), touching(halves[1])}}};
  if (const auto seen = find_circles(pyramids, {halves[0], halves[1]}))
    hypotheses.push_back({{(*seen)[0], (*seen)[1]}});

  std::vector<Candidate> found;
  for (const Circles& circles : hypotheses)
    for (double part = least_part; part <= most_part; part += part_step) {
      std::array<double, azimuths> agreement{};
      int compared = 0;
      const int side = rows_within(part);
      // One row alone agrees by chance.
      if (side < 1) continue;
      for (const Pyramid& pyramid : pyramids) {
        const GreyPicture& small = pyramid.level(levels - 1);
        if (!is_lit(small, scale, circles.lens[0], part) ||
            !is_lit(small, scale, circles.lens[1], part))
          continue;
        Ring front = read_ring(small, scale, circles.lens[0], part, false);
        Ring back = read_ring(small, scale, circles.lens[1], part, true);
        if (!normalise(front, side) || !normalise(back, side)) continue;
        const std::array<double, azimuths> one = compare(front, back, side);
        for (size_t i = 0; i < agreement.size(); ++i) agreement[i] += one[i];
        ++compared;
      }
      if (!compared) continue;
      for (int turn = 0; turn < azimuths; ++turn)
        found.push_back({circles, part, turn, agreement[static_cast<size_t>(turn)] / compared});
    }
  std::ranges::stable_sort(
      found, [](const Candidate& a, const Candidate& b) { return a.agreement > b.agreement; });

  std::vector<Candidate> chosen;
  const auto near = [](const Candidate& a, const Candidate& b) {
    const int apart = std::abs(a.turn - b.turn);
    const double ra = a.part * a.circles.lens[0].radius, rb = b.part * b.circles.lens[0].radius;
    return std::min(apart, azimuths - apart) < same_turn && std::abs(ra / rb - 1) < same_part &&
           std::hypot(a.circles.lens[0].centre.x - b.circles.lens[0].centre.x,
                      a.circles.lens[0].centre.y - b.circles.lens[0].centre.y) < same_part * ra;
  };
  for (const Candidate& candidate : found) {
    if (chosen.size() >= most) break;
    if (std::ranges::none_of(chosen, [&](const Candidate& c) { return near(c, candidate); }))
      chosen.push_back(candidate);
  }
  std::vector<CalibrationStart> starts;
  for (const Candidate& candidate : chosen) {
    starts.push_back({pair_of(candidate, frame), candidate.agreement});
    set_upright(pyramids[0].level(levels - 1), scale, starts.back().pair);
  }
  return starts;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_match.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sphere {

namespace {

constexpr int half = 4, side = 2 * half + 1, area = side * side;
// The outermost rim has colour fringes and flare.
constexpr double usable = 0.985;
// Patches below these limits can't be located: the standard deviation of the brightness, and the
// part of it along the direction with the smaller contrast.
constexpr double least_deviation = 2.5;
constexpr double least_gradient = 1.0;
constexpr double hopeful_correlation = 0.7, good_correlation = 0.85;
constexpr int refinements = 12;

/// The position of a patch of the sphere in a lens's picture: a point, and its derivatives along
/// the patch's two axes.
struct View {
  const GreyPicture* grey;
  Point p;
  double xs, xt, ys, yt;

  double at(double s, double t) const {
    return brightness_at(*grey, p.x + xs * s + xt * t, p.y + ys * s + yt * t);
  }
};

std::optional<View> view_of(const GreyPicture& grey, const Lens& lens, Vec3 d, Vec3 u, Vec3 v,
                            double step, int level) {
  const Point p = lens.project(d);
  // A corner of the patch may be in the fringe.
  const double edge = half << level;
  if (lens.angle_to_axis(d) > lens.half_fov() ||
      lens.distance(p) > usable * lens.model.radius() - edge || p.x < lens.region.left + edge ||
      p.x > lens.region.right - edge || p.y < lens.region.top + edge ||
      p.y > lens.region.bottom - edge)
    return std::nullopt;
  const Point ps = lens.project(d + step * u), pt = lens.project(d + step * v);
  const double scale = 1.0 / (1 << level);
  return View{&grey,
              {p.x * scale, p.y * scale},
              (ps.x - p.x) * scale,
              (pt.x - p.x) * scale,
              (ps.y - p.y) * scale,
              (pt.y - p.y) * scale};
}

struct Patch {
  std::array<double, area> value;
  double mean = 0, norm = 0;

  Patch(const View& view, double s, double t) {
    int n = 0;
    for (int y = -half; y <= half; ++y)
      for (int x = -half; x <= half; ++x) mean += value[n++] = view.at(s + x, t + y);
    mean /= area;
    for (double& v : value) {
      v -= mean;
      norm += v * v;
    }
    norm = std::sqrt(norm);
  }
  double correlation(const Patch& other) const {
    if (norm < 1e-6 || other.norm < 1e-6) return 0;
    double sum = 0;
    for (int n = 0; n < area; ++n) sum += value[n] * other.value[n];
    return sum / (norm * other.norm);
  }
};

struct PatchMatch {
  double s, t, correlation, light[2];
};

std::optional<PatchMatch> compare(const View& a, const View& b, int reach) {
  const Patch still(a, 0, 0);
  if (still.norm < least_deviation * side) return std::nullopt;
  std::array<double, area> gs, gt;
  double ss = 0, st = 0, tt = 0;
  int n = 0;
  for (int y = -half; y <= half; ++y)
    for (int x = -half; x <= half; ++x, ++n) {
      gs[n] = (a.at(x + 1, y) - a.at(x - 1, y)) / 2;
      gt[n] = (a.at(x, y + 1) - a.at(x, y - 1)) / 2;
      ss += gs[n] * gs[n];
      st += gs[n] * gt[n];
      tt += gt[n] * gt[n];
    }
  const double determinant = ss * tt - st * st;
  const double weaker = (ss + tt) / 2 - std::sqrt((ss - tt) * (ss - tt) / 4 + st * st);
  if (!(weaker > least_gradient * area)) return std::nullopt;

  // The whole search area is read once.
  const int width = 2 * (half + reach) + 1;
  std::vector<float> ground(static_cast<size_t>(width) * width), own(area);
  for (int y = 0; y < width; ++y)
    for (int x = 0; x < width; ++x)
      ground[static_cast<size_t>(y) * width + x] =
          static_cast<float>(b.at(x - half - reach, y - half - reach));
  std::copy(still.value.begin(), still.value.end(), own.begin());
  PatchMatch found{0, 0, -2, {0, 0}};
  for (int t = 0; t <= 2 * reach; ++t)
    for (int s = 0; s <= 2 * reach; ++s) {
      float sum = 0, squares = 0, product = 0;
      for (int y = 0; y < side; ++y) {
        const float* row = &ground[static_cast<size_t>(t + y) * width + s];
        const float* mine = &own[static_cast<size_t>(y) * side];
        for (int x = 0; x < side; ++x) {
          sum += row[x];
          squares += row[x] * row[x];
          product += row[x] * mine[x];
        }
      }
      const double spread = squares - sum * sum / area;
      if (spread < 1) continue;
      const double c = product / (still.norm * std::sqrt(spread));
      if (c > found.correlation) found.s = s - reach, found.t = t - reach, found.correlation = c;
    }
  if (found.correlation < hopeful_correlation) return std::nullopt;
  for (int i = 0; i < refinements; ++i) {
    const Patch moved(b, found.s, found.t);
    if (moved.norm < 1e-6) return std::nullopt;
    double es = 0, et = 0;
    const double gain = still.norm / moved.norm;
    for (int k = 0; k < area; ++k) {
      const double e = moved.value[k] * gain - still.value[k];
      es += gs[k] * e;
      et += gt[k] * e;
    }
    const double ds = (tt * es - st * et) / determinant, dt = (ss * et - st * es) / determinant;
    found.s -= ds;
    found.t -= dt;
    if (!(std::abs(found.s) <= reach + 1.5 && std::abs(found.t) <= reach + 1.5))
      return std::nullopt;
    if (std::hypot(ds, dt) < 0.003) break;
  }
  const Patch moved(b, found.s, found.t);
  found.correlation = still.correlation(moved);
  found.light[0] = std::max(still.mean, 1.0);
  found.light[1] = std::max(moved.mean, 1.0);
  if (found.correlation < good_correlation) return std::nullopt;
  return found;
}

/// The n-th of `count` directions that are distributed evenly over the sphere.
Vec3 even_direction(int n, int count) {
  constexpr double golden = 2.39996322972865332;
  const double z = 1 - (2 * n + 1.0) / count, r = std::sqrt(1 - z * z);
  return {r * std::cos(golden * n), r * std::sin(golden * n), z};
}

/// The whole sphere with its means removed, in a size at which all rotations can be searched
/// quickly.
class SmallSphere {
 public:
  static constexpr Size size = {128, 64};

  SmallSphere(const GreyPicture& picture, const LensPair& pair)
      : values_(static_cast<size_t>(size.width) * size.height) {
    std::vector<double> raw(values_.size());
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        // The mean of some points, because one pixel would not represent three degrees.
        double sum = 0;
        for (int sy = 0; sy < 4; ++sy)
          for (int sx = 0; sx < 4; ++sx) {
            const Vec3 d = equirect_direction({x + (sx + 0.5) / 4, y + (sy + 0.5) / 4}, size);
            const Lens& lens =
                pair.front.angle_to_axis(d) < pair.back.angle_to_axis(d) ? pair.front : pair.back;
            const Point p = lens.project(d);
            sum += brightness_at(picture, p.x, p.y);
          }
        raw[static_cast<size_t>(y) * size.width + x] = sum / 16;
      }
    // Subtracts the brightness of large areas, because a sky above and a street below look alike in
    // all scenes.
    constexpr int reach = 6;
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        double sum = 0;
        int count = 0;
        for (int dy = -reach; dy <= reach; ++dy)
          for (int dx = -reach; dx <= reach; ++dx) {
            const int yy = y + dy;
            if (yy < 0 || yy >= size.height) continue;
            sum += raw[static_cast<size_t>(yy) * size.width + (x + dx + size.width) % size.width];
            ++count;
          }
        const size_t n = static_cast<size_t>(y) * size.width + x;
        values_[n] = static_cast<float>(raw[n] - sum / count);
      }
  }

  float at(Vec3 d) const {
    const Point p = equirect_point(d, size);
    const double x = p.x - 0.5, y = std::clamp(p.y - 0.5, 0.0, size.height - 1.001);
    const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(y);
    const float fx = static_cast<float>(x - x0), fy = static_cast<float>(y - y0);
    const auto value = [&](int i, int j) {
      return values_[static_cast<size_t>(j) * size.width + (i + size.width) % size.width];
    };
    return (value(x0, y0) * (1 - fx) + value(x0 + 1, y0) * fx) * (1 - fy) +
           (value(x0, y0 + 1) * (1 - fx) + value(x0 + 1, y0 + 1) * fx) * fy;
  }

 private:
  std::vector<float> values_;
};

/// The samples of one sphere in evenly distributed directions, to compare others with.
class Sampled {
 public:
  Sampled(const SmallSphere& sphere, int points) {
    for (int n = 0; n < points; ++n) {
      directions_.push_back(even_direction(n, points));
      values_.push_back(sphere.at(directions_.back()));
    }
  }
  double agreement(const SmallSphere& other, const Mat3& r) const {
    double ab = 0, aa = 0, bb = 0;
    const Mat3 back = r.transposed();
    for (size_t n = 0; n < values_.size(); ++n) {
      const double a = values_[n], b = other.at(back * directions_[n]);
      ab += a * b;
      aa += a * a;
      bb += b * b;
    }
    return ab / std::sqrt(std::max(aa * bb, 1e-12));
  }

 private:
  std::vector<Vec3> directions_;
  std::vector<double> values_;
};

}  // namespace

Pyramid::Pyramid(const GreyPicture& picture, int levels) {
  levels_.push_back(picture);
  for (int i = 1; i < levels; ++i) {
    const GreyPicture& from = levels_.back();
    GreyPicture to;
    to.size = {from.size.width / 2, from.size.height / 2};
    to.pixels.resize(static_cast<size_t>(to.size.width) * to.size.height);
    for (int y = 0; y < to.size.height; ++y) {
      const uint8_t* above = &from.pixels[static_cast<size_t>(2 * y) * from.size.width];
      const uint8_t* below = above + from.size.width;
      uint8_t* out = &to.pixels[static_cast<size_t>(y) * to.size.width];
      for (int x = 0; x < to.size.width; ++x)
        out[x] = static_cast<uint8_t>(
            (above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1] + 2) / 4);
    }
    levels_.push_back(std::move(to));
  }
}

double brightness_at(const GreyPicture& picture, double x, double y) {
  const int width = picture.size.width, height = picture.size.height;
  x = std::clamp(x - 0.5, 0.0, width - 1.001);
  y = std::clamp(y - 0.5, 0.0, height - 1.001);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
  const double fx = x - x0, fy = y - y0;
  const uint8_t* p = &picture.pixels[static_cast<size_t>(y0) * width + x0];
  return (p[0] * (1 - fx) + p[1] * fx) * (1 - fy) + (p[width] * (1 - fx) + p[width + 1] * fx) * fy;
}

void find_matches(const std::vector<Pyramid>& pictures, const LensPair& pair,
                  const std::vector<Mat3>& views, int i, int a, int j, int b,
                  const MatchSearch& search, std::vector<Match>& found) {
  const Lens &lens_a = pair[a], &lens_b = pair[b];
  const GreyPicture &grey_a = pictures[i].level(search.level),
                    &grey_b = pictures[j].level(search.level);
  const Mat3 to_a = views[i].transposed(), to_b = views[j].transposed();
  const double step = (1 << search.level) * lens_a.half_fov() / lens_a.model.radius();
  const double scale = 1 << search.level;
  for (int n = 0; n < search.points; ++n) {
    const Vec3 d = even_direction(n, search.points);
    const Vec3 da = to_a * d, db = to_b * d;
    // Most directions are seen by only one of the lenses; this is checked first because it is
    // quick.
    if (lens_a.angle_to_axis(da) > lens_a.half_fov() ||
        lens_b.angle_to_axis(db) > lens_b.half_fov())
      continue;
    const Vec3 u = normalised(cross(d, std::abs(d.z) < 0.8 ? Vec3{0, 0, 1} : Vec3{1, 0, 0}));
    const Vec3 v = cross(d, u);
    const auto view_a = view_of(grey_a, lens_a, da, to_a * u, to_a * v, step, search.level);
    if (!view_a) continue;
    const auto view_b = view_of(grey_b, lens_b, db, to_b * u, to_b * v, step, search.level);
    if (!view_b) continue;
    const auto same = compare(*view_a, *view_b, search.reach);
    if (!same) continue;
    Match match;
    match.picture[0] = i, match.picture[1] = j;
    match.lens[0] = a, match.lens[1] = b;
    match.point[0] = {view_a->p.x * scale, view_a->p.y * scale};
    match.point[1] = {(view_b->p.x + view_b->xs * same->s + view_b->xt * same->t) * scale,
                      (view_b->p.y + view_b->ys * same->s + view_b->yt * same->t) * scale};
    match.light[0] = same->light[0], match.light[1] = same->light[1];
    found.push_back(match);
  }
}

std::optional<Mat3> find_rotation(const GreyPicture& first, const GreyPicture& second,
                                  const LensPair& pair) {
  constexpr int coarse_points = 300, fine_points = 1500;
  constexpr int kept = 24;
  constexpr double grid = 10;  // degrees
  // Unrelated pictures rarely reach a third of this.
  constexpr double convincing = 0.35;
  const SmallSphere a(first, pair), b(second, pair);
  const Sampled coarse(a, coarse_points), fine(a, fine_points);
  struct Candidate {
    Angles angles;
    double score;
  };
  std::vector<Candidate> candidates;
  for (double pitch = -90; pitch <= 90; pitch += grid)
    // Near the poles, yaw and roll rotate about nearly the same axis.
    for (double yaw = -180; yaw < 180;
         yaw += std::min(grid / std::max(std::cos(radians(pitch)), 0.05), 360.0))
      for (double roll = -180; roll < 180; roll += grid) {
        const Angles angles{yaw, pitch, roll};
        candidates.push_back({angles, coarse.agreement(b, rotation(angles))});
      }
  const auto better = [](const Candidate& x, const Candidate& y) { return x.score > y.score; };
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end(), better);
  candidates.resize(kept);
  Mat3 best;
  double best_score = -1;
  for (const Candidate& candidate : candidates) {
    Mat3 r = rotation(candidate.angles);
    double score = fine.agreement(b, r);
    for (double turn = grid / 2; turn > 0.3; turn /= 2)
      for (bool moved = true; moved;) {
        moved = false;
        for (int axis = 0; axis < 6; ++axis) {
          const double by = axis % 2 ? turn : -turn;
          const Mat3 next =
              rotation({axis / 2 == 0 ? by : 0, axis / 2 == 1 ? by : 0, axis / 2 == 2 ? by : 0}) *
              r;
          const double next_score = fine.agreement(b, next);
          if (next_score > score + 1e-6) {
            r = next;
            score = next_score;
            moved = true;
          }
        }
      }
    if (score > best_score) {
      best = r;
      best_score = score;
    }
  }
  if (best_score < convincing) return std::nullopt;
  return best;
}

}  // namespace sphere

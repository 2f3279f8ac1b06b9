// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate_solve.h"

#include <ceres/ceres.h>
#include <ceres/cubic_interpolation.h>
#include <ceres/rotation.h>

#include <array>
#include <cmath>
#include <memory>

namespace sphere {

namespace {

// Unknowns of one lens, as differences from its values before: scale, k1..k4, centre in units of
// the scale.
constexpr int per_lens = 7;
// Both lenses, then the rotation of the front lens relative to the back lens.
constexpr int rig_size = 2 * per_lens + 3;
constexpr int view_size = 3;
constexpr int steps = 25;

double focal_of(const Lens& lens) {
  const std::array<double, 4>& k = lens.model.coefficients();
  const double a = lens.half_fov(), s = a * a;
  return lens.model.radius() / (a * (1 + s * (k[0] + s * (k[1] + s * (k[2] + s * k[3])))));
}

template <typename T>
void turn(const double* m, const T in[3], T out[3]) {
  for (int i = 0; i < 3; ++i)
    out[i] = m[3 * i] * in[0] + m[3 * i + 1] * in[1] + m[3 * i + 2] * in[2];
}

/// One lens's half of a match: its point, and the lens and the view before the solution.
struct Observation {
  double f, k[4], cx, cy, x, y, angle;
  double to_camera[9], view[9];
  int lens;

  Observation(const Lens& from, const Mat3& view_from, int which, Point p)
      : f(focal_of(from)),
        cx(from.centre.x),
        cy(from.centre.y),
        x(p.x),
        y(p.y),
        angle(from.model.inverse(from.distance(p))),
        lens(which) {
    for (int i = 0; i < 4; ++i) k[i] = from.model.coefficients()[i];
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const auto at = [j](Vec3 v) { return j == 0 ? v.x : j == 1 ? v.y : v.z; };
        to_camera[3 * i + j] = at(from.to_camera.row[i]);
        view[3 * i + j] = at(view_from.row[i]);
      }
  }

  /// The direction in the scene.
  template <typename T>
  void ray(const T* rig, const T* view_turn, T out[3]) const {
    const T* own = rig + lens * per_lens;
    const T focal = f * (1.0 + own[0]);
    const T kk[4] = {k[0] + own[1], k[1] + own[2], k[2] + own[3], k[3] + own[4]};
    const T dx = x - cx - f * own[5], dy = y - cy - f * own[6];
    const T r = sqrt(dx * dx + dy * dy + 1e-12);
    const T target = r / focal;
    // Newton's method, from the angle before. After a few steps, both the value and its derivatives
    // are exact.
    T a(angle);
    for (int i = 0; i < 5; ++i) {
      const T s = a * a;
      const T miss = a * (1.0 + s * (kk[0] + s * (kk[1] + s * (kk[2] + s * kk[3])))) - target;
      const T slope =
          1.0 + s * (3.0 * kk[0] + s * (5.0 * kk[1] + s * (7.0 * kk[2] + s * 9.0 * kk[3])));
      a -= miss / slope;
    }
    const T sine = sin(a) / r;
    const T own_axes[3] = {sine * dx, sine * dy, cos(a)};
    T fixed[3], camera[3];
    turn(to_camera, own_axes, fixed);
    const double half = lens ? -0.5 : 0.5;
    const T by[3] = {half * rig[2 * per_lens], half * rig[2 * per_lens + 1],
                     half * rig[2 * per_lens + 2]};
    ceres::AngleAxisRotatePoint(by, fixed, camera);
    if (!view_turn) {
      turn(view, camera, out);
      return;
    }
    T scene[3];
    turn(view, camera, scene);
    ceres::AngleAxisRotatePoint(view_turn, scene, out);
  }
};

struct RayDifference {
  Observation a, b;

  template <typename T>
  bool operator()(const T* rig, T* e) const {
    return (*this)(rig, static_cast<const T*>(nullptr), static_cast<const T*>(nullptr), e);
  }
  template <typename T>
  bool operator()(const T* rig, const T* view_a, const T* view_b, T* e) const {
    T ra[3], rb[3];
    a.ray(rig, view_a, ra);
    b.ray(rig, view_b, rb);
    for (int i = 0; i < 3; ++i) e[i] = a.f * (ra[i] - rb[i]);
    return true;
  }
};

/// Keeps values that the matches don't determine near those of the start.
struct Prior {
  std::array<double, rig_size> weight{}, offset{};
  double alike = 0;  // weight of the difference of the lenses' scales

  template <typename T>
  bool operator()(const T* rig, T* e) const {
    for (int i = 0; i < rig_size; ++i) e[i] = weight[i] * (rig[i] + offset[i]);
    e[rig_size] = alike * ((rig[0] + offset[0]) - (rig[per_lens] + offset[per_lens]));
    return true;
  }
};

Prior prior_of(const SolveOptions& options, const LensPair& pair) {
  // Standard deviations: scale, k1..k4, centre (radians).
  constexpr std::array<double, per_lens> wide = {0.2, 0.3, 0.2, 0.1, 0.05, 0.2, 0.2};
  // Matches in the overlap can't separate the radial terms from the scale. Of the centres they
  // determine mostly the difference, and of the scales the sum.
  constexpr std::array<double, per_lens> narrow = {0.05, 0.01, 0, 0, 0, 0.02, 0.02};
  constexpr double difference = 0.004;
  Prior prior;
  for (int i = 0; i < 2; ++i) {
    const Lens &now = pair[i], &start = options.start[i];
    const double f = focal_of(now);
    double* offset = &prior.offset[static_cast<size_t>(i) * per_lens];
    offset[0] = f / focal_of(start) - 1;
    for (int n = 0; n < 4; ++n)
      offset[1 + n] = now.model.coefficients()[n] - start.model.coefficients()[n];
    offset[5] = (now.centre.x - start.centre.x) / f;
    offset[6] = (now.centre.y - start.centre.y) / f;
    for (int n = 0; n < per_lens; ++n) {
      const double deviation = options.whole_field ? wide[n] : narrow[n];
      prior.weight[i * per_lens + n] = deviation > 0 ? 1 / deviation : 0;
    }
  }
  if (!options.whole_field) prior.alike = 1 / difference;
  return prior;
}

Mat3 turn_of(const double v[3], double half) {
  const double by[3] = {half * v[0], half * v[1], half * v[2]};
  double m[9];  // by columns
  ceres::AngleAxisToRotationMatrix(by, m);
  return {{{m[0], m[3], m[6]}, {m[1], m[4], m[7]}, {m[2], m[5], m[8]}}};
}

Status apply(const double* rig, LensPair& pair) {
  LensPair moved = pair;
  for (int i = 0; i < 2; ++i) {
    const double* own = rig + i * per_lens;
    Lens& lens = moved[i];
    const double f = focal_of(lens);
    std::array<double, 4> k = lens.model.coefficients();
    for (int n = 0; n < 4; ++n) k[n] += own[1 + n];
    lens.centre.x += f * own[5];
    lens.centre.y += f * own[6];
    const double a = 1, focal = f * (1 + own[0]);
    const Result<RadialModel> probe = RadialModel::make(
        ModelKind::kannala_brandt, 2 * a, focal * a * (1 + k[0] + k[1] + k[2] + k[3]), k);
    if (!probe) return probe.error();
    const double radius = pair[i].model.radius();
    if (radius >= probe->forward(probe->max_angle()))
      return invalid("the pictures lead to impossible lenses");
    const Result<RadialModel> model =
        RadialModel::make(ModelKind::kannala_brandt, 2 * probe->inverse(radius), radius, k);
    if (!model) return model.error();
    lens.model = *model;
    lens.to_camera = turn_of(rig + 2 * per_lens, i ? -0.5 : 0.5) * lens.to_camera;
  }
  pair = moved;
  return ok();
}

void hold_radial_terms(ceres::Problem& problem, double* rig) {
  std::vector<int> still;
  for (int lens = 0; lens < 2; ++lens)
    for (int i = 1; i <= 4; ++i) still.push_back(lens * per_lens + i);
  problem.SetManifold(rig, new ceres::SubsetManifold(rig_size, still));
}

using Grid = ceres::Grid2D<uint8_t>;
using Surface = ceres::BiCubicInterpolator<Grid>;

// Unknowns of refine_overlap(), which holds the other radial terms: scale, k1 and centre of each
// lens, then the rotation; and of each picture the exposure of the front lens relative to the back
// lens. Without k1 the slope of the lens's curve at the seam would be that of the start.
constexpr int per_seam_lens = 4, seam_size = 2 * per_seam_lens + 3, exposure_size = 3;
// Where they are among the unknowns of a lens.
constexpr std::array<int, per_seam_lens> seam_unknowns = {0, 1, 5, 6};

std::array<double, rig_size> rig_of(const std::array<double, seam_size>& seam) {
  std::array<double, rig_size> rig{};
  for (int lens = 0; lens < 2; ++lens)
    for (int n = 0; n < per_seam_lens; ++n)
      rig[lens * per_lens + seam_unknowns[n]] = seam[lens * per_seam_lens + n];
  for (int n = 0; n < 3; ++n) rig[2 * per_lens + n] = seam[2 * per_seam_lens + n];
  return rig;
}

struct SeamPrior {
  Prior prior;

  template <typename T>
  bool operator()(const T* seam, T* e) const {
    for (int lens = 0; lens < 2; ++lens)
      for (int n = 0; n < per_seam_lens; ++n) {
        const int at = lens * per_lens + seam_unknowns[n], own = lens * per_seam_lens + n;
        e[own] = prior.weight[at] * (seam[own] + prior.offset[at]);
      }
    e[2 * per_seam_lens] = prior.alike * ((seam[0] + prior.offset[0]) -
                                          (seam[per_seam_lens] + prior.offset[per_lens]));
    return true;
  }
};

/// The difference in brightness between both lenses in one direction.
struct Difference {
  const Surface& surface;
  double scale;            // pixels of the surface per pixel of the frame
  double direction[2][3];  // in the axes of each lens
  double to_camera[2][9], f[2], k[2][4], cx[2], cy[2];
  double nearer;  // how much nearer it is to the front lens's axis, radians

  Difference(const Surface& from, double surface_scale, const LensPair& pair, Vec3 d)
      : surface(from),
        scale(surface_scale),
        nearer(pair.back.angle_to_axis(d) - pair.front.angle_to_axis(d)) {
    for (int i = 0; i < 2; ++i) {
      const Lens& lens = pair[i];
      const Mat3& m = lens.to_camera;
      direction[i][0] = d.x, direction[i][1] = d.y, direction[i][2] = d.z;
      for (int row = 0; row < 3; ++row) {
        // From camera axes to lens axes, it is the transpose.
        const Vec3 column = m.column(row);
        to_camera[i][3 * row] = column.x;
        to_camera[i][3 * row + 1] = column.y;
        to_camera[i][3 * row + 2] = column.z;
      }
      f[i] = focal_of(lens);
      for (int n = 0; n < 4; ++n) k[i][n] = lens.model.coefficients()[n];
      cx[i] = lens.centre.x, cy[i] = lens.centre.y;
    }
  }

  template <typename T>
  T light(const T* own, const T* rotation, int i) const {
    const double half = i ? 0.5 : -0.5;  // the opposite sign: from the camera to the lens
    const T by[3] = {half * rotation[0], half * rotation[1], half * rotation[2]};
    const T d[3] = {T(direction[i][0]), T(direction[i][1]), T(direction[i][2])};
    T turned[3], v[3];
    ceres::AngleAxisRotatePoint(by, d, turned);
    turn(to_camera[i], turned, v);
    const T off = sqrt(v[0] * v[0] + v[1] * v[1]);
    const T a = atan2(off, v[2]), s = a * a;
    const T distance = f[i] * (1.0 + own[0]) * a *
                       (1.0 + s * (k[i][0] + own[1] + s * (k[i][1] + s * (k[i][2] + s * k[i][3]))));
    const T x = cx[i] + f[i] * own[2] + distance * v[0] / off;
    const T y = cy[i] + f[i] * own[3] + distance * v[1] / off;
    T value;
    surface.Evaluate(y * scale - 0.5, x * scale - 0.5, &value);
    return value;
  }

  double light_of(const double* seam, int i) const {
    return light(seam + i * per_seam_lens, seam + 2 * per_seam_lens, i);
  }
  /// One lens depends on its own unknowns and the rotation, so it is derived by those alone.
  template <int n>
  ceres::Jet<double, n> light_of(const ceres::Jet<double, n>* seam, int i) const {
    constexpr int own_size = per_seam_lens + 3;
    using Own = ceres::Jet<double, own_size>;
    Own own[own_size];
    const auto at = [i](int k) {
      return k < per_seam_lens ? i * per_seam_lens + k : per_seam_lens + k;
    };
    for (int k = 0; k < own_size; ++k) own[k] = Own(seam[at(k)].a, k);
    const Own value = light(own, own + per_seam_lens, i);
    ceres::Jet<double, n> result(value.a);
    for (int k = 0; k < own_size; ++k) result.v += value.v[k] * seam[at(k)].v;
    return result;
  }

  template <typename T>
  bool operator()(const T* seam, const T* exposure, T* e) const {
    // Of 256 grey values: a larger difference is unusual.
    constexpr double expected = 10;
    // The fall-off to the rims makes the ratio of both depend on the distance from the seam.
    const T gain = 1.0 + exposure[0] + exposure[2] * nearer;
    e[0] = (gain * light_of(seam, 0) + 100.0 * exposure[1] - light_of(seam, 1)) / expected;
    return true;
  }
};

ceres::Solver::Options solver_options() {
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_NORMAL_CHOLESKY;
  options.max_num_iterations = steps;
  options.logging_type = ceres::SILENT;
  options.num_threads = 2;
  return options;
}

struct LightCost {
  double difference, ra, rb;  // logarithm; squares of the distances from the centres
  double da, db;              // the last terms of the fall-off, which are not changed
  int a, b;

  template <typename T>
  static T fall_off(const T* lens, double r2, double d) {
    return log(1.0 + r2 * (lens[0] + r2 * (lens[1] + r2 * d)));
  }
  template <typename T>
  bool operator()(const T* lenses, const T* exposure_a, const T* exposure_b, T* e) const {
    const double sign_a = a ? -0.5 : 0.5, sign_b = b ? -0.5 : 0.5;
    e[0] = difference - (sign_a - sign_b) * lenses[4] - fall_off(lenses + 2 * a, ra, da) +
           fall_off(lenses + 2 * b, rb, db) - *exposure_a + *exposure_b;
    return true;
  }
  template <typename T>
  bool operator()(const T* lenses, T* e) const {
    const T none(0.0);
    return (*this)(lenses, &none, &none, e);
  }
};

}  // namespace

Status solve_geometry(const std::vector<Match>& matches, const SolveOptions& options,
                      LensPair& pair, std::vector<Mat3>& views) {
  std::array<double, rig_size> rig{};
  std::vector<std::array<double, view_size>> turns(views.size(), std::array<double, view_size>{});
  ceres::Problem problem;
  // The expected error of a match, in pixels. It is larger with matches of the overlap only,
  // because near objects have errors that are alike.
  const double expected = options.whole_field ? 0.3 : 1.0;
  for (const Match& m : matches) {
    auto* cost = new RayDifference{{pair[m.lens[0]], views[m.picture[0]], m.lens[0], m.point[0]},
                                   {pair[m.lens[1]], views[m.picture[1]], m.lens[1], m.point[1]}};
    auto* loss = new ceres::ScaledLoss(new ceres::CauchyLoss(options.scale),
                                       1 / (expected * expected), ceres::TAKE_OWNERSHIP);
    if (m.picture[0] == m.picture[1])
      problem.AddResidualBlock(new ceres::AutoDiffCostFunction<RayDifference, 3, rig_size>(cost),
                               loss, rig.data());
    else
      problem.AddResidualBlock(
          new ceres::AutoDiffCostFunction<RayDifference, 3, rig_size, view_size, view_size>(cost),
          loss, rig.data(), turns[m.picture[0]].data(), turns[m.picture[1]].data());
  }
  const Prior prior = prior_of(options, pair);
  problem.AddResidualBlock(
      new ceres::AutoDiffCostFunction<Prior, rig_size + 1, rig_size>(new Prior(prior)), nullptr,
      rig.data());
  if (!options.whole_field) hold_radial_terms(problem, rig.data());
  if (problem.HasParameterBlock(turns[0].data()))
    problem.SetParameterBlockConstant(turns[0].data());
  ceres::Solver::Summary summary;
  ceres::Solve(solver_options(), &problem, &summary);
  if (!summary.IsSolutionUsable()) return invalid("no lenses fit the pictures");
  if (const Status applied = apply(rig.data(), pair); !applied) return applied;
  for (size_t i = 1; i < views.size(); ++i) views[i] = turn_of(turns[i].data(), 1) * views[i];
  return ok();
}

Status refine_overlap(const std::vector<Pyramid>& pictures, int level, const LensPair& start,
                      Curve curve, LensPair& pair) {
  // Radians: a little wider than the band of overlap_correlation(). Beyond `highest` there are the
  // sky and what the camera stands on.
  constexpr double band = radians(3), highest = radians(60);
  // Samples around the seam: one for two pixels; more have no further information.
  const double right_angle = pair.front.model.forward(pi / 2) / (1 << level);
  const int spacing = std::min(600, std::max(120, static_cast<int>(pi * right_angle)));
  std::array<double, seam_size> seam{};
  std::vector<std::array<double, exposure_size>> exposures(pictures.size(),
                                                           std::array<double, exposure_size>{});
  ceres::Problem problem;
  std::vector<std::unique_ptr<Grid>> grids;
  std::vector<std::unique_ptr<Surface>> surfaces;
  const double step = 2 * pi / spacing;
  // The seam is the bisector of both axes.
  const Vec3 pole = normalised(pair.front.axis() - pair.back.axis());
  const Vec3 right = normalised(cross({0, 1, 0}, pole)), down = cross(pole, right);
  for (size_t n = 0; n < pictures.size(); ++n) {
    const GreyPicture& grey = pictures[n].level(level);
    grids.push_back(
        std::make_unique<Grid>(grey.pixels.data(), 0, grey.size.height, 0, grey.size.width));
    surfaces.push_back(std::make_unique<Surface>(*grids.back()));
    for (int i = 0; i < spacing; ++i)
      for (double off = -band; off <= band; off += step) {
        const double round = i * step;
        const Vec3 d = std::cos(off) * (std::cos(round) * right + std::sin(round) * down) +
                       std::sin(off) * pole;
        if (std::abs(lonlat_of(d).lat) > highest) continue;
        if (!sees(pair.front, pair.front.angle_to_axis(d), pair.front.project(d)) ||
            !sees(pair.back, pair.back.angle_to_axis(d), pair.back.project(d)))
          continue;
        problem.AddResidualBlock(
            new ceres::AutoDiffCostFunction<Difference, 1, seam_size, exposure_size>(
                new Difference(*surfaces.back(),
                               static_cast<double>(grey.size.width) / pair.frame.width, pair, d)),
            new ceres::HuberLoss(2.0), seam.data(), exposures[n].data());
      }
  }
  if (!problem.NumResidualBlocks()) return ok();
  SolveOptions options;
  options.start = start;
  const Prior prior = prior_of(options, pair);
  problem.AddResidualBlock(
      new ceres::AutoDiffCostFunction<SeamPrior, 2 * per_seam_lens + 1, seam_size>(
          new SeamPrior{prior}),
      nullptr, seam.data());
  // The seam tells the slope at the rim, not the curve inside, which would follow k1.
  constexpr double most_bent = 0.015;
  if (curve == Curve::held)
    problem.SetManifold(seam.data(), new ceres::SubsetManifold(seam_size, {1, 1 + per_seam_lens}));
  for (const int n : {1, 1 + per_seam_lens}) {
    const double bent = prior.offset[n == 1 ? 1 : per_lens + 1];
    if (curve == Curve::held) break;
    problem.SetParameterLowerBound(seam.data(), n, std::min(-most_bent - bent, 0.0));
    problem.SetParameterUpperBound(seam.data(), n, std::max(most_bent - bent, 0.0));
  }
  ceres::Solver::Options solving = solver_options();
  // What is gained after that is far below a pixel.
  solving.function_tolerance = 1e-4;
  ceres::Solver::Summary summary;
  ceres::Solve(solving, &problem, &summary);
  if (!summary.IsSolutionUsable()) return invalid("no lenses fit the pictures");
  return apply(rig_of(seam).data(), pair);
}

void solve_light(const std::vector<Match>& matches, bool whole_field, size_t pictures,
                 LensPair& pair) {
  // b and c of both lenses, and the logarithm of the front lens's brightness relative to the back
  // lens's.
  std::array<double, 5> lenses = {pair.front.vignette.b, pair.front.vignette.c,
                                  pair.back.vignette.b, pair.back.vignette.c,
                                  std::log(pair.front.gain / pair.back.gain)};
  std::vector<double> exposures(pictures, 0.0);
  ceres::Problem problem;
  constexpr double deviation = 0.02, darkest = 16, brightest = 245;
  int used = 0;
  for (const Match& m : matches) {
    if (std::min(m.light[0], m.light[1]) < darkest || std::max(m.light[0], m.light[1]) > brightest)
      continue;
    double r2[2];
    for (int i = 0; i < 2; ++i) {
      const Lens& lens = pair[m.lens[i]];
      const double r = lens.distance(m.point[i]) / lens.model.radius();
      r2[i] = r * r;
    }
    const auto last_term = [&](int i) { return whole_field ? 0 : pair[m.lens[i]].vignette.d; };
    auto* cost = new LightCost{std::log(m.light[0] / m.light[1]),
                               r2[0],
                               r2[1],
                               last_term(0),
                               last_term(1),
                               m.lens[0],
                               m.lens[1]};
    auto* loss = new ceres::CauchyLoss(deviation);
    if (m.picture[0] == m.picture[1])
      problem.AddResidualBlock(new ceres::AutoDiffCostFunction<LightCost, 1, 5>(cost), loss,
                               lenses.data());
    else
      problem.AddResidualBlock(new ceres::AutoDiffCostFunction<LightCost, 1, 5, 1, 1>(cost), loss,
                               lenses.data(), &exposures[m.picture[0]], &exposures[m.picture[1]]);
    ++used;
  }
  constexpr int least = 50;
  if (used < least) return;
  if (!whole_field) problem.SetManifold(lenses.data(), new ceres::SubsetManifold(5, {0, 1, 2, 3}));
  if (problem.HasParameterBlock(&exposures[0])) problem.SetParameterBlockConstant(&exposures[0]);
  ceres::Solver::Summary summary;
  ceres::Solve(solver_options(), &problem, &summary);
  if (!summary.IsSolutionUsable()) return;
  LensPair fitted = pair;
  if (whole_field)
    for (int i = 0; i < 2; ++i) fitted[i].vignette = {lenses[2 * i], lenses[2 * i + 1], 0};
  fitted.front.gain = std::exp(lenses[4] / 2);
  fitted.back.gain = std::exp(-lenses[4] / 2);
  for (int i = 0; i < 2; ++i) {
    if (!(fitted[i].gain >= 0.2 && fitted[i].gain <= 5)) return;
    for (int n = 0; n <= 32; ++n)
      if (!(fitted[i].vignette.at(n / 32.0) > 0.1)) return;
  }
  pair = fitted;
}

}  // namespace sphere

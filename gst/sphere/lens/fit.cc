// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sphere {

namespace {

constexpr int samples = 128;

}  // namespace

std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& a,
                                                 const std::vector<double>& b) {
  if (a.empty()) return std::nullopt;
  const size_t n = a[0].size();
  // The normal equations; b is the last column.
  std::vector<std::vector<double>> m(n, std::vector<double>(n + 1, 0.0));
  for (size_t row = 0; row < a.size(); ++row)
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) m[i][j] += a[row][i] * a[row][j];
      m[i][n] += a[row][i] * b[row];
    }
  for (size_t i = 0; i < n; ++i) {
    size_t pivot = i;
    for (size_t r = i + 1; r < n; ++r)
      if (std::abs(m[r][i]) > std::abs(m[pivot][i])) pivot = r;
    if (!(std::abs(m[pivot][i]) > 1e-14)) return std::nullopt;
    std::swap(m[i], m[pivot]);
    for (size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double factor = m[r][i] / m[i][i];
      for (size_t c = i; c <= n; ++c) m[r][c] -= factor * m[i][c];
    }
  }
  std::vector<double> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = m[i][n] / m[i][i];
  return x;
}

Result<RadialModel> fit_kannala_brandt(const std::function<double(double)>& distance, double fov,
                                       double tolerance) {
  std::vector<std::vector<double>> a;
  std::vector<double> b;
  for (int i = 1; i <= samples; ++i) {
    const double angle = fov / 2 * i / samples, s = angle * angle;
    a.push_back({angle, angle * s, angle * s * s, angle * s * s * s, angle * s * s * s * s});
    b.push_back(distance(angle));
  }
  const auto x = least_squares(a, b);
  if (!x || !((*x)[0] > 0)) return invalid("its scale at the centre is not a positive number");
  const double f = (*x)[0];
  const Result<RadialModel> model =
      RadialModel::make(ModelKind::kannala_brandt, fov, distance(fov / 2),
                        {(*x)[1] / f, (*x)[2] / f, (*x)[3] / f, (*x)[4] / f});
  if (!model) return model;
  double worst = 0;
  for (int i = 1; i <= samples; ++i)
    worst = std::max(worst, std::abs(model->forward(fov / 2 * i / samples) - b[i - 1]));
  if (!(worst <= tolerance)) {
    char text[120];
    std::snprintf(text, sizeof text, "the best Kannala-Brandt model differs from it by %.2f pixels",
                  worst);
    return unsupported(text);
  }
  return model;
}

Vignette fit_vignette(const std::function<double(double)>& brightness) {
  std::vector<std::vector<double>> a;
  std::vector<double> b;
  for (int i = 1; i <= samples; ++i) {
    const double r = static_cast<double>(i) / samples, s = r * r;
    a.push_back({s, s * s, s * s * s});
    b.push_back(brightness(r) - 1);
  }
  const auto x = least_squares(a, b);
  if (!x) return {};
  return {(*x)[0], (*x)[1], (*x)[2]};
}

}  // namespace sphere

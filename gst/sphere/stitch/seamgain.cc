// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/seamgain.h"

#include <algorithm>
#include <cmath>

namespace sphere {

namespace {

constexpr int bins = SeamLight::bins, rows = SeamStrip::rows;
constexpr int per_bin = SeamStrip::columns / bins;
// Every second sample of every second row gives the same result as all samples.
constexpr int stride = 2;
// Steps of 8 bits. Darker samples are mostly noise and rounding errors; brighter ones are
// compressed by the sensor's response.
constexpr int margin_above_black = 10, margin_below_white = 6;
constexpr double largest_log = 0.7, largest_tint = 24;
// Half the width of the smoothing and its standard deviation, in bins; and the deviation from the
// smoothed value at which the weight of a bin is halved.
constexpr int reach = 9;
constexpr double spread = 3.5;
constexpr double outlier[3] = {0.08, 4, 4}, outlier_rgb = 0.08;

using Bins = std::array<double, bins>;

/// The weighted mean of the neighbours. Empty bins are filled from neighbours at increasing
/// distances.
Bins smoothed(const Bins& value, const Bins& weight) {
  static const auto kernel = [] {
    std::array<double, reach + 1> k;
    for (int i = 0; i <= reach; ++i) k[i] = std::exp(-0.5 * i * i / (spread * spread));
    return k;
  }();
  Bins out;
  double all = 0, total = 0;
  for (int b = 0; b < bins; ++b) all += weight[b] * value[b], total += weight[b];
  const double mean = total > 0 ? all / total : 0;
  // The mean of the whole circle has a small weight, for bins without neighbours that were
  // measured.
  const double little = total / bins * 0.02 + 1e-9;
  for (int b = 0; b < bins; ++b) {
    double sum = little * mean, weight_sum = little;
    for (int i = -reach; i <= reach; ++i) {
      const int n = (b + i + bins) % bins;
      const double w = kernel[std::abs(i)] * weight[n];
      sum += w * value[n];
      weight_sum += w;
    }
    out[b] = sum / weight_sum;
  }
  return out;
}

/// Smooths twice. The second time, outliers of the first result have less weight.
Bins settled(const Bins& value, const Bins& weight, double unusual) {
  const Bins first = smoothed(value, weight);
  Bins trusted;
  for (int b = 0; b < bins; ++b) {
    const double off = (value[b] - first[b]) / unusual;
    trusted[b] = weight[b] / (1 + off * off);
  }
  return smoothed(value, trusted);
}

}  // namespace

SeamLight measure_light(const StripPicture& strip, const std::vector<float>& disparity) {
  Bins front[3]{}, back[3]{}, count[3]{};
  const int darkest = strip.black + margin_above_black;
  const int lightest = std::min(strip.white - margin_below_white, 250);
  const auto usable = [&](int a, int b) {
    // Samples that are white in both lenses are equal and must not be changed.
    if (a > lightest && b > lightest) return true;
    return std::min(a, b) >= darkest && std::max(a, b) <= lightest;
  };
  for (int b = 0; b < bins; ++b)
    for (int x = b * per_bin; x < (b + 1) * per_bin; x += stride) {
      int apart = 0;
      if (!disparity.empty()) {
        const size_t column = static_cast<size_t>(x) * disparity.size() / SeamStrip::columns;
        apart = std::clamp(static_cast<int>(std::lround(disparity[column])), -rows / 2, rows / 2);
      }
      const int lower = apart >> 1, upper = apart - lower;
      for (int y = std::abs(apart); y < rows - std::abs(apart); y += stride) {
        const int in_front = y + lower, in_back = rows + y - upper;
        int f[3], g[3];
        for (int k = 0; k < 3; ++k) {
          f[k] = strip.component[k].at(x, in_front);
          g[k] = strip.component[k].at(x, in_back);
        }
        const bool luma = usable(f[0], g[0]);
        for (int k = 0; k < 3; ++k) {
          if (strip.rgb ? !usable(f[k], g[k]) : !luma) continue;
          const int zero = strip.rgb || k == 0 ? strip.black : 128;
          front[k][b] += f[k] - zero;
          back[k][b] += g[k] - zero;
          count[k][b] += 1;
        }
      }
    }

  SeamLight light;
  Bins ratio{};
  for (int k = 0; k < 3; ++k) {
    const bool factor = strip.rgb || k == 0;
    Bins value{};
    for (int b = 0; b < bins; ++b) {
      const double n = count[k][b];
      if (n == 0) continue;
      if (factor) {
        value[b] = std::clamp(std::log(front[k][b] / back[k][b]), -largest_log, largest_log);
      } else {
        // Chroma is proportional to the light. Both lenses are corrected to the same light before
        // their chroma is compared.
        const double half = std::exp(ratio[b] / 2);
        value[b] =
            std::clamp((front[k][b] / half - back[k][b] * half) / n, -largest_tint, largest_tint);
      }
    }
    const Bins result = settled(value, count[k], strip.rgb ? outlier_rgb : outlier[k]);
    if (k == 0) ratio = result;
    for (int b = 0; b < bins; ++b) light.component[k][b] = static_cast<float>(result[b]);
  }
  return light;
}

}  // namespace sphere

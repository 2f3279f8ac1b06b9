// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sphere {

namespace {

constexpr double aspect_tolerance = 0.01;
// The finest band is blended over about this many samples. More bands than `most_bands` are not
// worth their cost.
constexpr double samples_a_band = 8;
constexpr int most_bands = 6;

}  // namespace

Status Planner::fits(const LensPair& pair, Size source, double pixel_aspect) {
  char text[320];
  if (source.width < 16 || source.height < 16 || source.width > 32768 || source.height > 32768) {
    std::snprintf(text, sizeof text,
                  "a picture of %dx%d can't be stitched; its size must be 16x16 to 32768x32768",
                  source.width, source.height);
    return invalid(text);
  }
  const double have = source.width * pixel_aspect / source.height;
  const double want = static_cast<double>(pair.frame.width) / pair.frame.height;
  if (std::abs(have / want - 1) > aspect_tolerance) {
    const int fitting = static_cast<int>(std::lround(source.width * pixel_aspect / want / 2)) * 2;
    std::snprintf(text, sizeof text,
                  "a picture of %dx%d does not fit the lens profile '%s', whose frame is %dx%d: "
                  "at this width it would be %dx%d. Choose the profile of the camera that took the "
                  "picture, or use the picture uncropped and unscaled",
                  source.width, source.height, pair.name.c_str(), pair.frame.width,
                  pair.frame.height, source.width, fitting);
    return invalid(text);
  }
  return ok();
}

Result<Planner> Planner::make(const LensPair& pair, Size source, const Canvas& canvas,
                              const PlanOptions& options) {
  if (const Status drawable = GridBuilder::fits(canvas); !drawable) return drawable.error();
  LensPair scaled = pair.scaled_to(source);
  if (options.lens_fov > 0) {
    Result<LensPair> changed = pair.with_fov(options.lens_fov);
    if (!changed) return changed.error();
    scaled = changed->scaled_to(source);
  }
  Planner planner(PairSource(std::move(scaled), options.blend_width, options.distance), canvas);
  if (options.multiband) planner.divide_band();
  planner.grids_.choose_cell(planner.source_, options.cells);
  return planner;
}

void Planner::divide_band() {
  constexpr double step = 1e-3;
  grids_.set_cell(grids_.cell(), source_);
  density_ = grids_.cell() / grids_.node_angle();
  for (const Lens* lens : {&pair().front, &pair().back})
    density_ = std::min(
        density_,
        (lens->model.forward(pi / 2 + step) - lens->model.forward(pi / 2 - step)) / (2 * step));
  const double bands = std::round(std::log2(widest_ * density_ / samples_a_band));
  bands_ = bands >= 1 ? static_cast<int>(std::min<double>(bands, most_bands)) : 0;
  source_.set_band(widest_ / (1 << bands_));
}

}  // namespace sphere

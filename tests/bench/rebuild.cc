// SPDX-License-Identifier: LGPL-2.1-or-later
// Times what a new rotation costs: the plan of 3840x1920 rebuilt, on one core.

#include <chrono>
#include <cstdio>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/plan.h"

int main() {
  using clock = std::chrono::steady_clock;
  constexpr int rounds = 200;
  const sphere::Size size = {3840, 1920};
  const sphere::LensPair pair = *sphere::load_profile("dual-190");
  const auto begin = clock::now();
  const sphere::Planner planner = *sphere::Planner::make(pair, size, size);
  const auto made = clock::now();
  sphere::WarpGrid grid;
  planner.build(sphere::Mat3{}, grid);
  const auto warm = clock::now();
  for (int i = 0; i < rounds; ++i)
    planner.build(sphere::rotation({i * 1.7, i * 0.3, i * 0.9}), grid);
  const auto end = clock::now();
  const auto ms = [](auto duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  std::printf("{\"planner_ms\": %.2f, \"ms\": %.3f}\n", ms(made - begin), ms(end - warm) / rounds);
  return 0;
}

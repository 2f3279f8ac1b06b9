// SPDX-License-Identifier: LGPL-2.1-or-later
// A pair of lenses as no two cameras are alike: centres, rotations and radial terms off.

#pragma once

namespace sphere::test {

inline constexpr const char* imperfect_profile = R"({
  "format": "gst-sphere-lens", "version": 1, "name": "imperfect", "frame": [3456, 1728],
  "layout": "side-by-side", "lenses": {
    "front": { "position": "right", "model": "kannala-brandt",
               "coefficients": [0.03, -0.008, 0.001, 0],
               "fov": 194, "radius": 858, "centre": [2601, 859], "rotation": [1.5, -0.7, 2] },
    "back": { "position": "left", "model": "kannala-brandt", "coefficients": [-0.02, 0.004, 0, 0],
              "fov": 196, "radius": 861, "centre": [859, 868], "rotation": [-0.8, 1.1, -1.3] } } })";

}  // namespace sphere::test

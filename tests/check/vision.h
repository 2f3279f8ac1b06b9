// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures all around for what looks for something in them: the known scene, turned, and a thing
// that is put in at a known place.

#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "gst/sphere/scene/scene.h"
#include "gst/sphere/vision/sphere_picture.h"

namespace sphere::test {

/// Each pixel by its direction in the axes of the picture; brightness 0 to 1.
inline SpherePicture picture_of(Size size, const std::function<double(Vec3)>& brightness) {
  SpherePicture picture{size, {}};
  picture.pixels.reserve(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double value = brightness(equirect_direction({x + 0.5, y + 0.5}, size));
      picture.pixels.push_back(static_cast<uint8_t>(std::clamp(value * 255 + 0.5, 0.0, 255.0)));
    }
  return picture;
}

inline double scene_brightness(Vec3 d, Pattern pattern = Pattern::scene) {
  const Colour c = still_colour(
      pattern, {static_cast<float>(d.x), static_cast<float>(d.y), static_cast<float>(d.z)});
  return 0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b;
}

/// The known scene as a camera sees it that was turned so.
inline SpherePicture turned_scene(Size size, const Mat3& turn, Pattern pattern = Pattern::scene) {
  return picture_of(size, [&](Vec3 d) { return scene_brightness(turn * d, pattern); });
}

/// A plate with a pattern that has no two directions alike.
struct Plate {
  Mat3 frame;         ///< its axis is its third column
  double radius = 0;  ///< radians
  double light = 1;   ///< factor
};

/// How bright a plate is in a direction in its axes; nothing beside it.
inline std::optional<double> plate_brightness(const Plate& plate, Vec3 d) {
  if (!(d.z > 0)) return std::nullopt;
  const double edge = std::tan(plate.radius), u = d.x / d.z / edge, v = d.y / d.z / edge;
  if (u * u + v * v > 1) return std::nullopt;
  const bool dark = (u > 0.1) != (v > -0.2) || (u + 2 * v > 1.1);
  return (dark ? 0.1 : 0.9 - 0.2 * u) * plate.light;
}

/// Draws a plate over a picture. Edges go through pixels, as a camera has them: without that, the
/// place of the plate would be known to half a pixel only.
inline void draw_plate(SpherePicture* picture, const Plate& plate) {
  constexpr int parts = 4;  // of a pixel, each way
  const Size size = picture->size;
  const Mat3 to_plate = plate.frame.transposed();
  const double near = std::cos(std::min(plate.radius + 4 * pi / size.width, pi));
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      if ((to_plate * equirect_direction({x + 0.5, y + 0.5}, size)).z < near) continue;
      uint8_t& pixel = picture->pixels[static_cast<size_t>(y) * static_cast<size_t>(size.width) +
                                       static_cast<size_t>(x)];
      double sum = 0;
      for (int part = 0; part < parts * parts; ++part) {
        const Point at = {x + (part % parts + 0.5) / parts,
                          y + (static_cast<double>(part / parts) + 0.5) / parts};
        const auto value = plate_brightness(plate, to_plate * equirect_direction(at, size));
        sum += value ? *value * 255 : pixel;
      }
      pixel = static_cast<uint8_t>(std::clamp(sum / (parts * parts) + 0.5, 0.0, 255.0));
    }
}

}  // namespace sphere::test

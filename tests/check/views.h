// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of sphereview share: the true view, and the elements that can draw here.

#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "config.h"
#include "tests/check/pipeline.h"

#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/scene/scene.h"
#if HAVE_GL
#include "gst/sphere/gl/headless.h"
#endif

namespace sphere::test {

inline constexpr Size view_size = {640, 360};
inline const std::string view_caps = " ! video/x-raw,width=640,height=360";

/// The luma that a camera in the scene would see, as the source draws it (BT.709, limited range).
inline Component true_view(const Angles& angles, double fov) {
  constexpr int finer = 4;
  const Canvas canvas(Projection::perspective, view_size, radians(fov));
  const Mat3 view = rotation(angles);
  const MovingThings things(0, 0);
  // Nearer to an axis than this, by the cosine, a thing may be.
  std::array<double, MovingThings::count> nearest;
  for (size_t i = 0; i < nearest.size(); ++i) nearest[i] = std::cos(things.cones()[i].angle);
  Component c;
  c.width = view_size.width;
  c.height = view_size.height;
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x) {
      double sum = 0;
      for (int n = 0; n < finer * finer; ++n) {
        const Point at = {x + (n % finer + 0.5) / finer, y + (n / finer + 0.5) / finer};
        const Vec3 d = view * canvas.direction(canvas.patches()[0], at);
        const Ray ray = {static_cast<float>(d.x), static_cast<float>(d.y), static_cast<float>(d.z)};
        Colour colour = still_colour(Pattern::scene, ray);
        for (int thing = 0; thing < MovingThings::count; ++thing)
          if (dot(things.cones()[static_cast<size_t>(thing)].axis, d) >
              nearest[static_cast<size_t>(thing)])
            if (const auto moving = things.colour(thing, ray)) colour = *moving;
        sum += 0.2126 * colour.r + 0.7152 * colour.g + 0.0722 * colour.b;
      }
      c.samples.push_back(static_cast<uint8_t>(std::lround(16 + 219 * sum / (finer * finer))));
    }
  return c;
}

inline std::string words(const Angles& angles, double fov) {
  char text[200];
  g_snprintf(text, sizeof text, "yaw=%g pitch=%g roll=%g %s=%g", angles.yaw, angles.pitch,
             angles.roll, "fov", fov);
  return text;
}

/// Those that can draw here.
inline std::vector<std::string> chains(const std::string& properties) {
  std::vector<std::string> all = {"cpusphereview " + properties};
#if HAVE_GL
  if (probe_gl().usable) all.push_back("glupload ! glsphereview " + properties + " ! gldownload");
#endif
  return all;
}

}  // namespace sphere::test

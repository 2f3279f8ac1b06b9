// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures as brightness alone: of the known scene as a pair of lenses shows it, and shared photos.

#pragma once

#include <optional>
#include <string>

#include "gst/sphere/lens/calibrate.h"
#include "gst/sphere/scene/render.h"
#include "tests/check/pipeline.h"

namespace sphere::test {

struct SceneOptions {
  Pattern pattern = Pattern::scene;
  bool depth = false;
  std::optional<double> seconds;  ///< with the things that move, at this time
};

inline GreyPicture drawn(const LensPair& pair, const Mat3& view, const SceneOptions& scene = {}) {
  LensPair turned = pair;
  for (int i = 0; i < 2; ++i) turned[i].to_camera = view * turned[i].to_camera;
  const Renderer renderer = Renderer::fisheye(turned, 2, scene.depth);
  const Size size = renderer.size();
  GreyPicture picture{size, std::vector<uint8_t>(static_cast<size_t>(size.width) * size.height)};
  const MovingThings moving(0, scene.seconds.value_or(0));
  Tile tile;
  for (int row = 0; row < renderer.rows(); ++row)
    for (int column = 0; column < renderer.columns(); ++column) {
      renderer.draw_still(scene.pattern, column, row, tile);
      if (scene.seconds) renderer.draw_moving_things(moving, column, row, tile);
      for (int y = row * Tile::side; y < std::min((row + 1) * Tile::side, size.height); ++y)
        for (int x = column * Tile::side; x < std::min((column + 1) * Tile::side, size.width);
             ++x) {
          const Tile::Pixel& p = tile.pixels[y % Tile::side * Tile::side + x % Tile::side];
          const float luma = 0.2126f * p.r + 0.7152f * p.g + 0.0722f * p.b;
          picture.pixels[static_cast<size_t>(y) * size.width + x] =
              static_cast<uint8_t>(std::clamp(luma * 255 + 0.5f, 0.0f, 255.0f));
        }
    }
  return picture;
}

/// Nothing, and says so, where it is absent.
inline std::optional<GreyPicture> shared_photo(const char* file) {
  g_autofree char* path = g_build_filename(g_getenv("SPHERE_SHARED"), "data", file, nullptr);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_print("skip: ../shared/data/%s is absent\n", file);
    return std::nullopt;
  }
  const char* decoder = g_str_has_suffix(file, ".png") ? "pngdec" : "jpegdec";
  Pipeline p(std::string("filesrc location=") + path + " ! " + decoder +
             " ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  fail_unless(sample != nullptr);
  const Component luma = component_of(sample.get(), 0);
  GreyPicture picture{{luma.width, luma.height}, {}};
  for (int y = 0; y < luma.height; ++y)
    for (int x = 0; x < luma.width; ++x)
      picture.pixels.push_back(static_cast<uint8_t>(luma.at(x, y)));
  return picture;
}

}  // namespace sphere::test

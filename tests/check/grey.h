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

/// The scene as a pair of lenses sees it. What stands still is drawn once.
class SceneView {
 public:
  SceneView(const LensPair& pair, const Mat3& view, const SceneOptions& scene = {})
      : renderer_(Renderer::fisheye(turned(pair, view), 2, scene.depth)) {
    still_.resize(static_cast<size_t>(renderer_.columns()) * renderer_.rows());
    for (int row = 0; row < renderer_.rows(); ++row)
      for (int column = 0; column < renderer_.columns(); ++column)
        renderer_.draw_still(scene.pattern, column, row, tile_at(column, row));
  }

  /// With the things that move, at a time.
  GreyPicture picture(std::optional<double> seconds) {
    const Size size = renderer_.size();
    GreyPicture picture{size, std::vector<uint8_t>(static_cast<size_t>(size.width) * size.height)};
    const MovingThings moving(0, seconds.value_or(0));
    for (int row = 0; row < renderer_.rows(); ++row)
      for (int column = 0; column < renderer_.columns(); ++column) {
        put(tile_at(column, row), column, row, picture);
        Tile tile;
        if (seconds && renderer_.draw_moving_things(moving, column, row, tile))
          put(tile, column, row, picture);
      }
    return picture;
  }

 private:
  static LensPair turned(LensPair pair, const Mat3& view) {
    for (int i = 0; i < 2; ++i) pair[i].to_camera = view * pair[i].to_camera;
    return pair;
  }
  Tile& tile_at(int column, int row) {
    return still_[static_cast<size_t>(row) * renderer_.columns() + column];
  }
  /// Draws a tile over what is there.
  static void put(const Tile& tile, int column, int row, GreyPicture& picture) {
    const Size size = picture.size;
    for (int y = row * Tile::side; y < std::min((row + 1) * Tile::side, size.height); ++y)
      for (int x = column * Tile::side; x < std::min((column + 1) * Tile::side, size.width); ++x) {
        const Tile::Pixel& p = tile.pixels[y % Tile::side * Tile::side + x % Tile::side];
        uint8_t& pixel = picture.pixels[static_cast<size_t>(y) * size.width + x];
        const float luma = 0.2126f * p.r + 0.7152f * p.g + 0.0722f * p.b;
        pixel = static_cast<uint8_t>(
            std::clamp(pixel * (1 - p.cover) + luma * 255 + 0.5f, 0.0f, 255.0f));
      }
  }

  const Renderer renderer_;
  std::vector<Tile> still_;
};

inline GreyPicture drawn(const LensPair& pair, const Mat3& view, const SceneOptions& scene = {}) {
  return SceneView(pair, view, scene).picture(scene.seconds);
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

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/test/testpicture.h"

#include <algorithm>
#include <cstring>

namespace sphere {

namespace {

uint8_t rounded(float value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

/// A component's samples in a frame.
struct Samples {
  Samples(GstVideoFrame* frame, int component)
      : data(static_cast<uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(frame, component))),
        stride(GST_VIDEO_FRAME_COMP_STRIDE(frame, component)),
        step(GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component)) {}
  uint8_t& at(int x, int y) const { return data[static_cast<ptrdiff_t>(y) * stride + x * step]; }

  uint8_t* data;
  int stride, step;
};

}  // namespace

TestPicture::TestPicture(const GstVideoInfo& info)
    : width_(GST_VIDEO_INFO_WIDTH(&info)),
      height_(GST_VIDEO_INFO_HEIGHT(&info)),
      sub_x_(GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, 1)),
      sub_y_(GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, 1)),
      rgb_(GST_VIDEO_INFO_IS_RGB(&info)) {
  double kr = 0, kb = 0;
  if (!gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb)) {
    kr = 0.2126;
    kb = 0.0722;
  }
  const double kg = 1 - kr - kb;
  const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  const double luma = full ? 255 : 219, chroma = full ? 255 : 224;
  const double rows[3][3] = {
      {kr, kg, kb},
      {-kr / (2 * (1 - kb)), -kg / (2 * (1 - kb)), 0.5},
      {0.5, -kg / (2 * (1 - kr)), -kb / (2 * (1 - kr))},
  };
  for (int i = 0; i < 3; ++i) {
    dark_[i] = i ? 128.0f : full ? 0.0f : 16.0f;
    for (int j = 0; j < 3; ++j)
      matrix_[i][j] = static_cast<float>(rows[i][j] * (i ? chroma : luma));
  }
}

void TestPicture::clear(GstVideoFrame* frame) const {
  for (int component = 0; component < 3; ++component) {
    const Samples samples(frame, component);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, component); ++y)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(frame, component); ++x)
        samples.at(x, y) = rgb_ ? 0 : static_cast<uint8_t>(dark_[component]);
  }
  if (!rgb_) return;
  const Samples alpha(frame, 3);
  for (int y = 0; y < height_; ++y)
    for (int x = 0; x < width_; ++x) alpha.at(x, y) = 255;
}

void TestPicture::put(const Tile& tile, int column, int row, GstVideoFrame* frame) const {
  if (rgb_)
    put_rgba(tile, column * Tile::side, row * Tile::side, frame);
  else
    put_yuv(tile, column * Tile::side, row * Tile::side, frame);
}

void TestPicture::put_rgba(const Tile& tile, int left, int top, GstVideoFrame* frame) const {
  const int right = std::min(left + Tile::side, width_);
  const int bottom = std::min(top + Tile::side, height_);
  const Samples red(frame, 0), green(frame, 1), blue(frame, 2);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) {
      const Tile::Pixel& p = tile.pixels[(y - top) * Tile::side + x - left];
      const float past = 1 - p.cover;
      const auto lay = [&](uint8_t& sample, float value) {
        sample = rounded(sample * past + 255 * value);
      };
      lay(red.at(x, y), p.r);
      lay(green.at(x, y), p.g);
      lay(blue.at(x, y), p.b);
    }
}

void TestPicture::put_yuv(const Tile& tile, int left, int top, GstVideoFrame* frame) const {
  const int right = std::min(left + Tile::side, width_);
  const int bottom = std::min(top + Tile::side, height_);
  const auto lay = [&](const Samples& samples, int i, int x, int y, const Tile::Pixel& p) {
    if (p.cover == 0) return;
    uint8_t& sample = samples.at(x, y);
    sample = rounded(sample * (1 - p.cover) + dark_[i] * p.cover + matrix_[i][0] * p.r +
                     matrix_[i][1] * p.g + matrix_[i][2] * p.b);
  };
  const auto pixel = [&](int x, int y) -> const Tile::Pixel& {
    return tile.pixels[(y - top) * Tile::side + x - left];
  };
  const Samples luma(frame, 0), blue(frame, 1), red(frame, 2);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) lay(luma, 0, x, y, pixel(x, y));

  const int across = 1 << sub_x_, down = 1 << sub_y_;
  for (int y = top; y < bottom; y += down)
    for (int x = left; x < right; x += across) {
      // The mean of the pixels that share the sample. There are fewer at an odd edge.
      Tile::Pixel mean;
      const int to_x = std::min(x + across, right), to_y = std::min(y + down, bottom);
      for (int j = y; j < to_y; ++j)
        for (int i = x; i < to_x; ++i) {
          const Tile::Pixel& p = pixel(i, j);
          mean.r += p.r;
          mean.g += p.g;
          mean.b += p.b;
          mean.cover += p.cover;
        }
      const float share = 1.0f / static_cast<float>((to_x - x) * (to_y - y));
      mean = {mean.r * share, mean.g * share, mean.b * share, mean.cover * share};
      lay(blue, 1, x >> sub_x_, y >> sub_y_, mean);
      lay(red, 2, x >> sub_x_, y >> sub_y_, mean);
    }
}

}  // namespace sphere

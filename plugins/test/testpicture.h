// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the tiles of a scene into a video frame, in the frame's own format and colours.

#pragma once

#include <gst/video/video.h>

#include "gst/sphere/scene/render.h"

namespace sphere {

class TestPicture {
 public:
  /// NV12, I420, Y444 and RGBA; chroma stands in the middle of its pixels.
  explicit TestPicture(const GstVideoInfo& info);

  /// No light anywhere.
  void clear(GstVideoFrame* frame) const;
  /// Lays a tile over what the frame has. Threads may put different tiles at a time.
  void put(const Tile& tile, int column, int row, GstVideoFrame* frame) const;

 private:
  void put_rgba(const Tile& tile, int left, int top, GstVideoFrame* frame) const;
  void put_yuv(const Tile& tile, int left, int top, GstVideoFrame* frame) const;

  int width_, height_, sub_x_, sub_y_;
  bool rgb_;
  // Y'CbCr of R'G'B' 0..1, rows of a matrix, and what no light and no colour are.
  float matrix_[3][3];
  float dark_[3];
};

}  // namespace sphere

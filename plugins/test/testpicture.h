// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the tiles of a scene to a video frame, in the frame's format and colours.

#pragma once

#include <gst/video/video.h>

#include "gst/sphere/scene/render.h"

namespace sphere {

class TestPicture {
 public:
  /// NV12, I420, Y444 and RGBA. The position of a chroma sample is the middle of its pixels.
  explicit TestPicture(const GstVideoInfo& info);

  /// Fills the frame with black.
  void clear(GstVideoFrame* frame) const;
  /// Draws a tile over the frame. Several threads may draw different tiles at the same time.
  void put(const Tile& tile, int column, int row, GstVideoFrame* frame) const;

 private:
  void put_rgba(const Tile& tile, int left, int top, GstVideoFrame* frame) const;
  void put_yuv(const Tile& tile, int left, int top, GstVideoFrame* frame) const;

  int width_, height_, sub_x_, sub_y_;
  bool rgb_;
  // Rows of the matrix from R'G'B' 0..1 to Y'CbCr, and the values of black.
  float matrix_[3][3];
  float dark_[3];
};

}  // namespace sphere

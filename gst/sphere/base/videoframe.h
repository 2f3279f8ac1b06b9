// SPDX-License-Identifier: LGPL-2.1-or-later
// Video frames: mapped memory, and the positions of samples in the picture.

#pragma once

#include <gst/video/video.h>

#include <cstdint>

namespace sphere {

/// A buffer that is mapped as a video frame as long as this object exists. With GST_MAP_GL, its
/// planes are textures, and no pixels are copied.
class VideoFrame {
 public:
  VideoFrame(const GstVideoInfo& info, GstBuffer* buffer, int flags)
      : mapped_(gst_video_frame_map(&frame_, &info, buffer, static_cast<GstMapFlags>(flags))) {}
  ~VideoFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  VideoFrame(const VideoFrame&) = delete;
  VideoFrame& operator=(const VideoFrame&) = delete;
  explicit operator bool() const { return mapped_; }
  GstVideoFrame& operator*() { return frame_; }
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_{};
  const bool mapped_;
};

/// The samples of one plane, or of one component.
struct SampleLayout {
  int first_component = 0;     ///< index of the plane's first component
  int components = 1;          ///< interleaved in a sample
  int colours = 1;             ///< the same without alpha
  int width = 0, height = 0;   ///< samples
  int step_x = 1, step_y = 1;  ///< pixels a sample
  /// The position of the first sample, in pixels: the position of sample i is phase + step * i. A
  /// sample for several pixels is in their middle, or at the first of them.
  double phase_x = 0.5, phase_y = 0.5;
  int bits = 8;   ///< of a component; more than 8 need two bytes
  int shift = 0;  ///< position of these bits in the two bytes
  /// The value, of 8 bits, that means no light, or no colour.
  uint8_t neutral = 0;
  /// The value, of 8 bits, of the brightest light; 0 for colour differences.
  uint8_t white = 0;
};
SampleLayout layout_of_plane(const GstVideoInfo& info, int plane);
SampleLayout layout_of_component(const GstVideoInfo& info, int component);

/// A component's first sample.
const uint8_t* component_data(const GstVideoFrame& frame, int component);

}  // namespace sphere

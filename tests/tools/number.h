// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads spheretestsrc's number off a stitched picture.

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <gst/video/video.h>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/scene/marker.h"

namespace sphere::test {

/// The number in one equirectangular picture whose first plane is 8-bit luma.
inline std::optional<uint32_t> number_in(GstSample* sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    return std::nullopt;
  const Size size = {GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame)};
  const auto* data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  const std::optional<uint32_t> number = read_marker([&](LonLat at) {
    const Point p = equirect_point(direction_of(at), size);
    const int x = std::clamp(static_cast<int>(p.x), 0, size.width - 1);
    const int y = std::clamp(static_cast<int>(p.y), 0, size.height - 1);
    return static_cast<double>(data[static_cast<ptrdiff_t>(y) * stride + x]);
  });
  gst_video_frame_unmap(&frame);
  return number;
}

}  // namespace sphere::test

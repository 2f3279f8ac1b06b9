// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/decoded_kind.h"

#include <cstdint>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"

namespace sphere::tool {

namespace {

/// Its samples in eight bits: the frame's own, or copies in `made`.
media::Brightness brightness_of(const GstVideoFrame& frame, std::vector<uint8_t>* made) {
  // Green is most of what brightness is.
  const int component = GST_VIDEO_INFO_IS_RGB(&frame.info) ? 1 : 0;
  const int width = GST_VIDEO_FRAME_WIDTH(&frame), height = GST_VIDEO_FRAME_HEIGHT(&frame);
  const auto* data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, component));
  const int stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, component);
  const int step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component);
  const int extra = static_cast<int>(GST_VIDEO_FRAME_COMP_DEPTH(&frame, component)) - 8;
  if (extra <= 0) return {data, stride, step, width, height};
  const guint shift = GST_VIDEO_FORMAT_INFO_SHIFT(frame.info.finfo, component);
  made->resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      (*made)[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] =
          static_cast<uint8_t>(
              GST_READ_UINT16_LE(data + static_cast<ptrdiff_t>(y) * stride + x * step) >>
              (shift + static_cast<guint>(extra)));
  return {made->data(), width, 1, width, height};
}

}  // namespace

std::optional<media::PictureKind> classify_decoded(GstPad* pad, GstBuffer* picture,
                                                   GstVideoInfo* format) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  if (!caps || !gst_video_info_from_caps(format, caps.get())) return std::nullopt;
  VideoFrame frame(*format, picture, GST_MAP_READ);
  if (!frame) return std::nullopt;
  std::vector<uint8_t> eight_bits;
  return media::classify_picture(brightness_of(*frame, &eight_bits));
}

}  // namespace sphere::tool

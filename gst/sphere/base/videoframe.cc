// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/videoframe.h"

namespace sphere {

namespace {

uint8_t neutral_value(const GstVideoInfo& info, int component) {
  if (GST_VIDEO_INFO_IS_RGB(&info)) return 0;
  if (component > 0) return 128;
  return info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? 0 : 16;
}

uint8_t white_value(const GstVideoInfo& info, int component) {
  if (GST_VIDEO_INFO_IS_RGB(&info)) return 255;
  if (component > 0) return 0;
  return info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? 255 : 235;
}

}  // namespace

SampleLayout layout_of_component(const GstVideoInfo& info, int component) {
  const GstVideoFormatInfo* format = info.finfo;
  SampleLayout s;
  s.first_component = component;
  s.width = GST_VIDEO_INFO_COMP_WIDTH(&info, component);
  s.height = GST_VIDEO_INFO_COMP_HEIGHT(&info, component);
  s.step_x = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(format, component);
  s.step_y = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(format, component);
  const auto phase = [&](int step, GstVideoChromaSite cosited) {
    return step > 1 && !(info.chroma_site & cosited) ? step / 2.0 : 0.5;
  };
  s.phase_x = phase(s.step_x, GST_VIDEO_CHROMA_SITE_H_COSITED);
  s.phase_y = phase(s.step_y, GST_VIDEO_CHROMA_SITE_V_COSITED);
  s.bits = static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(format, component));
  s.shift = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, component));
  s.neutral = neutral_value(info, component);
  s.white = white_value(info, component);
  return s;
}

SampleLayout layout_of_plane(const GstVideoInfo& info, int plane) {
  const GstVideoFormatInfo* format = info.finfo;
  int first = 0;
  while (static_cast<int>(GST_VIDEO_FORMAT_INFO_PLANE(format, first)) != plane) ++first;
  SampleLayout s = layout_of_component(info, first);
  s.components = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, first) / (s.bits > 8 ? 2 : 1);
  s.colours = 0;
  for (int k = 0; k < 3; ++k)
    s.colours += static_cast<int>(GST_VIDEO_FORMAT_INFO_PLANE(format, k)) == plane;
  return s;
}

const uint8_t* component_data(const GstVideoFrame& frame, int component) {
  // Not GST_VIDEO_FRAME_COMP_DATA: with P010 in GStreamer 1.22, it puts Cr one byte after Cb.
  const GstVideoFormatInfo* format = frame.info.finfo;
  const guint plane = GST_VIDEO_FORMAT_INFO_PLANE(format, component);
  const bool second = component > 0 && plane == GST_VIDEO_FORMAT_INFO_PLANE(format, component - 1);
  const int offset = GST_VIDEO_FORMAT_INFO_DEPTH(format, component) > 8
                         ? (second ? 2 : 0)
                         : GST_VIDEO_FORMAT_INFO_POFFSET(format, component);
  return static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) + offset;
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/spherical_mark.h"

#include <iterator>
#include <vector>

#include "gst/sphere/media/sei.h"

namespace sphere::live {

namespace {

constexpr uint8_t start_code[] = {0, 0, 0, 1};

struct Mark {
  VideoForm form;
  std::vector<uint8_t> message;  ///< with its start code
};

GstPadProbeReturn insert(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const auto& mark = *static_cast<Mark*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) return GST_PAD_PROBE_OK;
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_PAD_PROBE_OK;
  const std::optional<size_t> at = first_slice(mark.form, {map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  if (!at) return GST_PAD_PROBE_OK;
  const size_t size = gst_buffer_get_size(buffer);
  GstBuffer* marked = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 0, *at);
  // A copy, because the stream may outlive this object.
  marked =
      gst_buffer_append(marked, gst_buffer_new_memdup(mark.message.data(), mark.message.size()));
  marked = gst_buffer_append(
      marked, gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, *at, size - *at));
  gst_buffer_copy_into(marked, buffer, GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
  gst_buffer_unref(buffer);
  GST_PAD_PROBE_INFO_DATA(info) = marked;
  return GST_PAD_PROBE_OK;
}

}  // namespace

std::optional<size_t> first_slice(VideoForm form, std::span<const uint8_t> unit) {
  for (size_t i = 0; i + 3 < unit.size(); ++i) {
    if (unit[i] != 0 || unit[i + 1] != 0 || unit[i + 2] != 1) continue;
    const int type = form == VideoForm::h265 ? unit[i + 3] >> 1 & 0x3f : unit[i + 3] & 0x1f;
    const bool slice = form == VideoForm::h265 ? type < 32 : type >= 1 && type <= 5;
    // A start code may have a zero more.
    if (slice) return i > 0 && unit[i - 1] == 0 ? i - 1 : i;
    i += 2;
  }
  return std::nullopt;
}

void mark_as_spherical(GstPad* pad, VideoForm form) {
  auto* mark = new Mark{form, {std::begin(start_code), std::end(start_code)}};
  const std::vector<uint8_t> unit = media::equirectangular_sei(
      form == VideoForm::h265 ? media::NalCodec::h265 : media::NalCodec::h264);
  mark->message.insert(mark->message.end(), unit.begin(), unit.end());
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, insert, mark,
                    [](gpointer data) { delete static_cast<Mark*>(data); });
}

}  // namespace sphere::live

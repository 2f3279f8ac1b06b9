// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/metas.h"

#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace sphere::privacy {

namespace {

/// What says how the memory of pictures and sound is laid out, and how they are shown. All others
/// may tell anything: texts, what was found in the pictures, such as faces, where packets came
/// from, and what an application has defined. Some of these are of libraries that the gate does not
/// need, so they have names here.
constexpr auto of_format = std::to_array<std::string_view>(
    {"GstAudioClippingMetaAPI", "GstAudioDownmixMetaAPI", "GstAudioLevelMetaAPI", "GstAudioMetaAPI",
     "GstGLSyncMetaAPI", "GstMpegVideoMetaAPI", "GstParentBufferMetaAPI",
     "GstSphereOrientationMetaAPI", "GstVaapiVideoMetaAPI", "GstVideoAFDMetaAPI",
     "GstVideoAffineTransformationAPI", "GstVideoBarMetaAPI", "GstVideoCodecAlphaMetaAPI",
     "GstVideoCropMetaAPI", "GstVideoGLTextureUploadMetaAPI", "GstVideoMetaAPI",
     "GstVideoOverlayCompositionMetaAPI"});

bool is_allowed(const GstMeta* meta, const Allowance& allowance) {
  const GType api = meta->info->api;
  if (api == GST_REFERENCE_TIMESTAMP_META_API_TYPE || api == GST_VIDEO_TIME_CODE_META_API_TYPE)
    return allowance.identity;
  // An application may choose these names for metas that it defines by name only.
  return !gst_meta_info_is_custom(meta->info) &&
         std::ranges::find(of_format, std::string_view(g_type_name(api))) != of_format.end();
}

}  // namespace

BufferRef with_allowed_metas(BufferRef buffer, const Allowance& allowance) {
  if (allowance.everything()) return buffer;
  bool all = true;
  gpointer state = nullptr;
  while (const GstMeta* meta = gst_buffer_iterate_meta(buffer.get(), &state))
    all = all && is_allowed(meta, allowance);
  if (all) return buffer;
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  gst_buffer_foreach_meta(
      buffer.get(),
      [](GstBuffer*, GstMeta** meta, gpointer data) -> gboolean {
        if (!is_allowed(*meta, *static_cast<const Allowance*>(data))) *meta = nullptr;
        return TRUE;
      },
      const_cast<Allowance*>(&allowance));
  return buffer;
}

std::optional<int64_t> capture_time_of(GstBuffer* buffer) {
  static const CapsRef unix_time(gst_caps_new_empty_simple("timestamp/x-unix"));
  const GstReferenceTimestampMeta* meta =
      gst_buffer_get_reference_timestamp_meta(buffer, unix_time.get());
  if (!meta || !GST_CLOCK_TIME_IS_VALID(meta->timestamp)) return std::nullopt;
  return static_cast<int64_t>(GST_TIME_AS_USECONDS(meta->timestamp));
}

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_discover.h"

#include <gst/pbutils/pbutils.h>

#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

namespace {

// A file on a slow disk must not be taken for one that can't be read.
constexpr GstClockTime longest_wait = 60 * GST_SECOND;

struct FreeStreams {
  void operator()(GList* list) const { gst_discoverer_stream_info_list_free(list); }
};
using Streams = std::unique_ptr<GList, FreeStreams>;

bool is_picture(GList* entry) {
  return gst_discoverer_video_info_is_image(GST_DISCOVERER_VIDEO_INFO(entry->data));
}

void read_video_stream(GstDiscovererStreamInfo* stream, GstClockTime length, VideoInfo* video) {
  auto* info = GST_DISCOVERER_VIDEO_INFO(stream);
  video->width = static_cast<int>(gst_discoverer_video_info_get_width(info));
  video->height = static_cast<int>(gst_discoverer_video_info_get_height(info));
  const guint numerator = gst_discoverer_video_info_get_framerate_num(info);
  const guint denominator = gst_discoverer_video_info_get_framerate_denom(info);
  if (GST_CLOCK_TIME_IS_VALID(length)) video->seconds = static_cast<double>(length) / GST_SECOND;
  if (denominator) video->picture_rate = static_cast<double>(numerator) / denominator;
  if (denominator && GST_CLOCK_TIME_IS_VALID(length))
    video->pictures = gst_util_uint64_scale_round(length, numerator, denominator * GST_SECOND);
  if (const CapsRef caps(gst_discoverer_stream_info_get_caps(stream)); caps)
    if (const GString_ name(gst_pb_utils_get_codec_description(caps.get())); name)
      video->codec = name.get();
  const GstTagList* tags = gst_discoverer_stream_info_get_tags(stream);
  g_autofree char* orientation = nullptr;
  if (tags && gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &orientation))
    video->rotated = !g_str_equal(orientation, "rotate-0");
}

}  // namespace

Status discover_video(int descriptor, VideoInfo* video) {
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstDiscoverer) discoverer = gst_discoverer_new(longest_wait, &error);
  if (!discoverer) return failed(error->message);
  // The very file that was opened, whatever its name leads to by now.
  const std::string uri = "file:///proc/self/fd/" + std::to_string(descriptor);
  g_autoptr(GstDiscovererInfo) info = gst_discoverer_discover_uri(discoverer, uri.c_str(), &error);
  if (!info) return invalid(std::string("can't be read: ") + (error ? error->message : ""));
  const Streams videos(gst_discoverer_info_get_video_streams(info)),
      sounds(gst_discoverer_info_get_audio_streams(info));
  video->video_tracks = 0;
  video->sound_tracks = static_cast<int>(g_list_length(sounds.get()));
  for (GList* entry = videos.get(); entry; entry = entry->next) {
    if (is_picture(entry)) continue;
    if (video->video_tracks++ == 0)
      read_video_stream(GST_DISCOVERER_STREAM_INFO(entry->data),
                        gst_discoverer_info_get_duration(info), video);
  }
  if (video->video_tracks) return ok();
  if (error && error->domain == GST_STREAM_ERROR && error->code != GST_STREAM_ERROR_CODEC_NOT_FOUND)
    return invalid(std::string("can't be read: ") + error->message);
  return invalid("has no video in it");
}

}  // namespace sphere::tool

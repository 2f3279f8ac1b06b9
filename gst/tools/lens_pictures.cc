// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/lens_pictures.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <optional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/tools/decoders.h"

namespace sphere::tool {

namespace {

constexpr GstClockTime decode_time = 60 * GST_SECOND;

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

/// Of GRAY8; nothing where the sample can't be mapped.
std::optional<GreyPicture> pixels_of(GstSample* sample) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample))) return std::nullopt;
  VideoFrame frame(info, gst_sample_get_buffer(sample), GST_MAP_READ);
  if (!frame) return std::nullopt;
  GreyPicture picture{{GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)}, {}};
  for (int y = 0; y < picture.size.height; ++y) {
    const auto* row = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame.get(), 0)) +
                      static_cast<ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(frame.get(), 0);
    picture.pixels.insert(picture.pixels.end(), row, row + picture.size.width);
  }
  return picture;
}

/// A pipeline that is stopped at the end.
class Decoder {
 public:
  Decoder(const std::string& path, int track) {
    g_autoptr(GError) error = nullptr;
    const std::string demuxed =
        track < 0 ? "" : " ! qtdemux name=tracks  tracks.video_" + std::to_string(track);
    const std::string line =
        "filesrc name=file" + demuxed +
        " ! decodebin name=decoder ! videoconvert ! video/x-raw,format=GRAY8 ! "
        "appsink name=sink sync=false max-buffers=1";
    pipeline_.reset(gst_parse_launch(line.c_str(), &error));
    if (!pipeline_ || error) {
      pipeline_.reset();
      return;
    }
    prefer_software(
        GstRef<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "decoder")).get());
    const GstRef<GstElement> file(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
  }
  ~Decoder() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// The picture at which it stands.
  std::optional<GreyPicture> picture() {
    if (!pipeline_) return std::nullopt;
    const SampleRef sample(gst_app_sink_try_pull_preroll(GST_APP_SINK(sink_.get()), decode_time));
    return sample ? pixels_of(sample.get()) : std::nullopt;
  }
  /// Nanoseconds; 0 for a photo, and where it is not known.
  gint64 duration() {
    gint64 duration = 0;
    return gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration)
               ? std::max<gint64>(duration, 0)
               : 0;
  }
  bool seek(gint64 time) {
    return gst_element_seek_simple(
        pipeline_.get(), GST_FORMAT_TIME,
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT), time);
  }

 private:
  GstRef<GstElement> pipeline_, sink_;
};

}  // namespace

Result<std::vector<GreyPicture>> read_lens_pictures(const std::string& path, int most, int track) {
  Decoder decoder(path, track);
  std::optional<GreyPicture> first = decoder.picture();
  if (!first) return invalid(path + ": can't be decoded");
  std::vector<GreyPicture> pictures;
  pictures.push_back(std::move(*first));
  const gint64 duration = most > 1 ? decoder.duration() : 0;
  for (int i = 1; i < most && duration > 0; ++i) {
    if (!decoder.seek(duration * i / most)) break;
    std::optional<GreyPicture> next = decoder.picture();
    if (!next) break;
    // Where key frames are rare, the same one comes again.
    if (next->size == pictures[0].size && next->pixels != pictures.back().pixels)
      pictures.push_back(std::move(*next));
  }
  return pictures;
}

}  // namespace sphere::tool

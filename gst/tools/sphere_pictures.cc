// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/sphere_pictures.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <algorithm>
#include <string>

#include "gst/sphere/base/videoframe.h"
#include "gst/tools/capture_events.h"
#include "gst/tools/decoders.h"

namespace sphere::tool {

namespace {

constexpr GstClockTime longest_wait = 60 * GST_SECOND, one_wait = 100 * GST_MSECOND;

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

void set_up_stitcher(GstElement* stitcher, const StitchInput& input, const StitchOptions& options) {
  g_object_set(stitcher, "lens-fov", options.lens_fov, "threads", options.threads, nullptr);
  if (!options.level.empty())
    gst_util_set_object_arg(G_OBJECT(stitcher), "level", options.level.c_str());
  if (options.smoothing >= 0) g_object_set(stitcher, "smoothing", options.smoothing, nullptr);
  tell_stitcher(stitcher, input.capture);
  if (!options.lens.empty()) g_object_set(stitcher, "lens", options.lens.c_str(), nullptr);
}

Error reason_of(const std::string& name, GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  return failed(name + ": its pictures can't be decoded: " + error->message);
}

}  // namespace

Result<std::unique_ptr<SpherePictures>> SpherePictures::open(const StitchInput& input,
                                                             const StitchOptions& options,
                                                             int width) {
  std::unique_ptr<SpherePictures> made(new SpherePictures);
  if (const Status built = made->build(input, options, width); !built) return built.error();
  return made;
}

SpherePictures::~SpherePictures() {
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Status SpherePictures::build(const StitchInput& input, const StitchOptions& options, int width) {
  name_ = input.path;
  if (input.two_pictures())
    return unsupported(name_ +
                       ": has a picture for each lens, in which nothing can be looked for; "
                       "stitch it first with sphere stitch");
  const std::string size = "width=" + std::to_string(width) +
                           ",height=" + std::to_string(width / 2) + ",pixel-aspect-ratio=1/1";
  const std::string drawn =
      options.has_faces()
          ? "videoconvert n-threads=0 ! cpusphereview projection=equirect input=" + options.stored +
                " ! video/x-raw," + size + " ! videoconvert"
      : options.from_sphere
          ? "videoscale add-borders=false n-threads=0 ! videoconvert"
          : "videoconvert n-threads=0 ! cpuspherestitch name=stitcher ! video/x-raw," + size +
                " ! videoconvert";
  const std::string line = "filesrc name=file ! decodebin name=decoder ! " + drawn +
                           " ! video/x-raw,format=GRAY8," + size +
                           " ! appsink name=sink sync=false max-buffers=2";
  g_autoptr(GError) error = nullptr;
  pipeline_.reset(gst_parse_launch(line.c_str(), &error));
  if (!pipeline_ || error) {
    pipeline_.reset();
    return failed(std::string("the pictures can't be looked through: ") + error->message);
  }
  gst_object_ref_sink(pipeline_.get());
  prefer_software(
      GstRef<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "decoder")).get());
  const GstRef<GstElement> file(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
  sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
  // The very file that was checked, whatever its name leads to by now.
  g_object_set(file.get(), "location",
               ("/proc/self/fd/" + std::to_string(input.descriptor.get())).c_str(), nullptr);
  if (const GstRef<GstElement> stitcher(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "stitcher"));
      stitcher)
    set_up_stitcher(stitcher.get(), input, options);
  gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
  if (gst_element_get_state(pipeline_.get(), nullptr, nullptr, longest_wait) !=
      GST_STATE_CHANGE_SUCCESS)
    return reason();
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  return ok();
}

Error SpherePictures::reason() {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  const MessageRef message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  return message ? reason_of(name_, message.get())
                 : failed(name_ + ": its pictures can't be decoded in time");
}

double SpherePictures::duration() const {
  gint64 duration = 0;
  if (!gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration)) return 0;
  return static_cast<double>(std::max<gint64>(duration, 0)) / GST_SECOND;
}

Status SpherePictures::seek(double time, bool exact) {
  const int how =
      exact ? GST_SEEK_FLAG_ACCURATE : GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_NEAREST;
  if (gst_element_seek_simple(pipeline_.get(), GST_FORMAT_TIME,
                              static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | how),
                              static_cast<gint64>(time * GST_SECOND)))
    return ok();
  return failed(name_ + ": it is not possible to jump in it");
}

Result<std::optional<TimedPicture>> SpherePictures::next() {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  SampleRef sample;
  // After an error there is neither a picture nor an end.
  for (GstClockTime waited = 0; !sample; waited += one_wait) {
    sample.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), one_wait));
    if (sample) break;
    if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get()))) return std::optional<TimedPicture>();
    if (const MessageRef message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)); message)
      return reason_of(name_, message.get());
    if (waited >= longest_wait) return reason();
  }
  GstVideoInfo info;
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())))
    return failed(name_ + ": its pictures have no format");
  VideoFrame frame(info, buffer, GST_MAP_READ);
  if (!frame) return failed(name_ + ": a picture can't be read");
  TimedPicture timed;
  const GstClockTime time = gst_segment_to_stream_time(gst_sample_get_segment(sample.get()),
                                                       GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (GST_CLOCK_TIME_IS_VALID(time)) timed.time = static_cast<double>(time) / GST_SECOND;
  SpherePicture& picture = timed.picture;
  picture.size = {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
  const auto width = static_cast<size_t>(picture.size.width);
  picture.pixels.resize(width * static_cast<size_t>(picture.size.height));
  for (int y = 0; y < picture.size.height; ++y) {
    const auto* row = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame.get(), 0)) +
                      static_cast<ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(frame.get(), 0);
    std::copy_n(row, width,
                picture.pixels.begin() + static_cast<ptrdiff_t>(y) * picture.size.width);
  }
  return std::optional<TimedPicture>(std::move(timed));
}

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/scene.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

namespace sphere::emulator {

namespace {

constexpr GstClockTime picture_deadline = 20 * GST_SECOND;
constexpr const char* source_name = "scene";
constexpr const char* rate = ",framerate=30000/1001";

std::string raw(int width, int height) {
  return "video/x-raw,format=I420,width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",pixel-aspect-ratio=1/1";
}

/// The elements that decode the file's pictures and scale them to this size.
std::string decoded(const std::string& file) {
  return "filesrc location=" + quoted(file) +
         " ! decodebin ! videoconvert ! videoscale add-borders=false ! ";
}

/// The pictures of a file, repeated: a video begins again at its end, a single picture is always
/// the same.
class RepeatedPictures {
 public:
  static Result<std::shared_ptr<RepeatedPictures>> open(const SceneSettings& scene) {
    g_autoptr(GError) error = nullptr;
    const std::string line = decoded(scene.file) + "videorate ! " + raw(scene.width, scene.height) +
                             rate + " ! appsink name=pictures sync=false max-buffers=2";
    GstElement* made =
        gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (!made) return failed(error ? error->message : "no reason given");
    gst_object_ref_sink(made);
    auto pictures = std::make_shared<RepeatedPictures>(made);
    if (!pictures->next())
      return invalid("'" + scene.file + "' is no picture and no video that can be decoded here");
    return pictures;
  }

  explicit RepeatedPictures(GstElement* pipeline)
      : pipeline_(pipeline), sink_(gst_bin_get_by_name(GST_BIN(pipeline), "pictures")) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~RepeatedPictures() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  /// The next picture, with its time relative to the first one; empty if there is none.
  BufferRef next() {
    GstAppSink* sink = GST_APP_SINK(sink_.get());
    if (!only_) {
      GstSample* sample = pull(sink);
      if (!sample && gst_app_sink_is_eos(sink)) {
        only_ = since_begin_ == 1;
        since_begin_ = 0;
        if (!only_ &&
            gst_element_seek_simple(pipeline_.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0))
          sample = pull(sink);
      }
      if (!sample && !only_) return nullptr;
      if (sample) {
        ++since_begin_;
        last_.reset(gst_buffer_ref(gst_sample_get_buffer(sample)));
        gst_sample_unref(sample);
      }
    }
    BufferRef picture(gst_buffer_copy(last_.get()));
    // Rounded up, so that RTP timestamps, which are rounded down, have steps of the same size.
    GST_BUFFER_PTS(picture.get()) = gst_util_uint64_scale_ceil(number_++, 1001 * GST_SECOND, 30000);
    GST_BUFFER_DTS(picture.get()) = GST_CLOCK_TIME_NONE;
    return picture;
  }

 private:
  /// Waits until there is a picture, or until it is certain that there is none.
  GstSample* pull(GstAppSink* sink) {
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    for (GstClockTime waited = 0; waited < picture_deadline; waited += step) {
      if (GstSample* sample = gst_app_sink_try_pull_sample(sink, step)) return sample;
      if (gst_app_sink_is_eos(sink)) break;
      if (MessageRef(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))) break;
    }
    return nullptr;
  }

  static constexpr GstClockTime step = 100 * GST_MSECOND;
  const GstRef<GstElement> pipeline_, sink_;
  BufferRef last_;
  int since_begin_ = 0;  // pictures
  bool only_ = false;    // the file has only one picture
  guint64 number_ = 0;
};

void need_data(GstAppSrc* source, guint, gpointer data) {
  BufferRef picture = (*static_cast<std::shared_ptr<RepeatedPictures>*>(data))->next();
  if (picture)
    gst_app_src_push_buffer(source, picture.release());
  else
    gst_app_src_end_of_stream(source);
}

void free_pictures(gpointer data, GClosure*) {
  delete static_cast<std::shared_ptr<RepeatedPictures>*>(data);
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string encoded(int kbits_per_second, int key_interval) {
  // Main profile, no B-frames. One thread, to have one slice in each picture, like a camera's chip:
  // the payloader would divide a key frame with several slices into several pictures, with
  // parameter sets before each.
  return " ! x264enc tune=zerolatency bframes=0 key-int-max=" + std::to_string(key_interval) +
         " bitrate=" + std::to_string(kbits_per_second) +
         " speed-preset=ultrafast cabac=true threads=1 ! video/x-h264,profile=main";
}

namespace {

/// What draws the scene. Four rays a pixel are enough for what a camera's encoders keep of it.
std::string drawn(const SceneSettings& scene, const std::string& options) {
  return "spheretestsrc supersample=2 lens=" + quoted(scene.lens) + " " + options + " ! ";
}

}  // namespace

std::string live_pictures(const SceneSettings& scene) {
  const std::string caps = raw(scene.width, scene.height);
  if (scene.file.empty()) return drawn(scene, "is-live=true") + caps + rate;
  return std::string("appsrc is-live=true format=time name=") + source_name +
         " caps=" + quoted(caps + rate) + " ! identity sync=true";
}

std::string live_video(const SceneSettings& scene) {
  return live_pictures(scene) + encoded(preview_kbits, preview_key_interval);
}

std::string single_picture(const SceneSettings& scene, int width, int height, bool stitched) {
  const std::string caps = raw(width, height);
  if (scene.file.empty())
    return drawn(scene, stitched ? "num-buffers=1 output=equirect" : "num-buffers=1") + caps;
  return decoded(scene.file) + caps;
}

std::string scaled(int width, int height) {
  return " ! videoscale add-borders=false ! " + raw(width, height);
}

Status check_elements(const SceneSettings& scene, bool preview) {
  // The packages to install, with Debian's names.
  struct Element {
    const char *name, *package;
    bool needed;
  };
  constexpr const char *base = "gstreamer1.0-plugins-base", *good = "gstreamer1.0-plugins-good";
  const bool file = !scene.file.empty();
  const Element elements[] = {
      {"spheretestsrc", "gst-sphere itself (is GST_PLUGIN_PATH set?)", !file},
      {"appsrc", base, file},
      {"decodebin", base, file},
      {"videoconvert", base, true},
      {"videoscale", base, true},
      {"videocrop", good, true},
      {"videobalance", good, true},
      {"videorate", base, true},
      {"x264enc", "gstreamer1.0-plugins-ugly", true},
      {"jpegenc", good, true},
      {"h264parse", "gstreamer1.0-plugins-bad", true},
      {"mp4mux", good, true},
      {"rtph264pay", good, preview},
      {"rtpbin", good, preview},
      {"udpsrc", good, preview},
      {"multiudpsink", good, preview},
      {"audiotestsrc", base, preview && scene.sound},
      {"avenc_aac", "gstreamer1.0-libav", preview && scene.sound},
      {"rtpmp4gpay", good, preview && scene.sound},
  };
  std::string missing, install;
  for (const Element& element : elements) {
    if (!element.needed) continue;
    const GstRef<GstElementFactory> factory(gst_element_factory_find(element.name));
    if (factory) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(element.name);
    if (install.find(element.package) == std::string::npos)
      install += (install.empty() ? "" : ", ") + std::string(element.package);
  }
  if (missing.empty()) return ok();
  return not_found("GStreamer has no " + missing +
                   " here, without which there are no pictures; "
                   "install " +
                   install);
}

Status check_scene(const SceneSettings& scene) {
  if (scene.file.empty()) return ok();
  const auto pictures = RepeatedPictures::open(scene);
  return pictures ? ok() : Status(pictures.error());
}

Status feed_scene(GstBin* bin, const SceneSettings& scene) {
  const GstRef<GstElement> source(gst_bin_get_by_name_recurse_up(bin, source_name));
  if (!source) return ok();
  Result<std::shared_ptr<RepeatedPictures>> pictures = RepeatedPictures::open(scene);
  if (!pictures) return pictures.error();
  g_signal_connect_data(source.get(), "need-data", G_CALLBACK(need_data),
                        new std::shared_ptr<RepeatedPictures>(std::move(*pictures)), free_pictures,
                        static_cast<GConnectFlags>(0));
  return ok();
}

}  // namespace sphere::emulator

// SPDX-License-Identifier: LGPL-2.1-or-later
// What element tests share: a launch line whose buffers and messages are looked at, and pictures.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::test {

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

/// No step of a test may take longer, on a slow machine too.
inline const GstClockTime deadline = (g_getenv("SPHERE_VALGRIND") ? 1200 : 120) * GST_SECOND;

/// A launch line. An appsink that it names `sink` gives the buffers.
class Pipeline {
 public:
  explicit Pipeline(const std::string& line) {
    g_autoptr(GError) error = nullptr;
    GstElement* made =
        gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    fail_unless(made != nullptr, "'%s': %s", line.c_str(), error ? error->message : "no reason");
    gst_object_ref_sink(made);
    pipeline_.reset(made);
    bus_.reset(gst_element_get_bus(made));
  }
  ~Pipeline() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  GstElement* element() const { return pipeline_.get(); }
  GstRef<GstElement> child(const char* name) const {
    GstRef<GstElement> found(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
    fail_unless(found != nullptr, "no element '%s'", name);
    return found;
  }
  GstStateChangeReturn set_state(GstState state) {
    return gst_element_set_state(pipeline_.get(), state);
  }
  void play() { set_state(GST_STATE_PLAYING); }

  /// The next buffer at the appsink, or null at the end of the stream or after an error.
  SampleRef pull() {
    const GstRef<GstElement> sink = child("sink");
    return SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), deadline));
  }

  /// The buffer that a paused pipeline stands at, or null after an error.
  SampleRef pull_preroll() {
    const GstRef<GstElement> sink = child("sink");
    return SampleRef(gst_app_sink_try_pull_preroll(GST_APP_SINK(sink.get()), deadline));
  }

  /// Waits for the end of the stream or an error; the error's text, or "" at the end.
  std::string wait() {
    const MessageRef message(gst_bus_timed_pop_filtered(
        bus_.get(), deadline, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    fail_unless(message != nullptr, "neither an end nor an error within the deadline");
    return text_of(message.get());
  }
  std::string run() {
    play();
    return wait();
  }
  /// The text of the first warning on the bus so far, or "".
  std::string warning() {
    const MessageRef message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_WARNING));
    return message ? text_of(message.get()) : std::string();
  }

 private:
  static std::string text_of(GstMessage* message) {
    g_autoptr(GError) error = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
      gst_message_parse_error(message, &error, nullptr);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
      gst_message_parse_warning(message, &error, nullptr);
    return error ? error->message : "";
  }

  GstRef<GstElement> pipeline_;
  GstRef<GstBus> bus_;
};

/// The file that a launch line writes; the line has %s where the file's name goes.
inline std::vector<uint8_t> made_by(const char* line) {
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  fail_unless(folder != nullptr);
  const std::string path = std::string(folder) + "/file";
  g_autofree char* full = g_strdup_printf(line, path.c_str());
  {
    Pipeline pipeline(full);
    const std::string problem = pipeline.run();
    ck_assert_str_eq(problem.c_str(), "");
  }
  g_autofree char* content = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(path.c_str(), &content, &size, nullptr));
  g_unlink(path.c_str());
  g_rmdir(folder);
  return {content, content + size};
}

/// One component of a picture, row by row without gaps.
struct Component {
  int width = 0, height = 0;
  std::vector<uint8_t> samples;
  uint8_t at(int x, int y) const { return samples[static_cast<size_t>(y) * width + x]; }
};

/// `upper`: of samples in two bytes, little-endian and with their bits at the upper end, the upper
/// one.
inline Component component_of(GstSample* sample, int component, bool upper = false) {
  GstVideoInfo info;
  fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  GstVideoFrame frame;
  fail_unless(gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
  Component c;
  c.width = GST_VIDEO_FRAME_COMP_WIDTH(&frame, component);
  c.height = GST_VIDEO_FRAME_COMP_HEIGHT(&frame, component);
  c.samples.reserve(static_cast<size_t>(c.width) * c.height);
  const auto* data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, component));
  // GStreamer 1.22 says that the Cr of P010 begins one byte after Cb.
  if (upper) data += GST_VIDEO_FRAME_COMP_POFFSET(&frame, component) > 0 ? 2 : 1;
  const int step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component);
  const int stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, component);
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x) c.samples.push_back(data[y * stride + x * step]);
  gst_video_frame_unmap(&frame);
  return c;
}

/// The first picture of a launch line, which lacks its sink.
inline SampleRef sample_of(const std::string& line) {
  Pipeline p(line + " ! appsink name=sink sync=false");
  p.play();
  SampleRef sample = p.pull();
  if (!sample) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  return sample;
}

/// What a chain of elements makes of a picture. Tests that need one picture often draw it once.
inline SampleRef sample_of(const SampleRef& picture, const std::string& chain) {
  // Without `sync`, because it would wait for as long as the picture is late in its video.
  Pipeline p("appsrc name=src format=time ! " + chain + " ! appsink name=sink sync=false");
  p.play();
  const GstRef<GstElement> src = p.child("src");
  fail_unless_equals_int(gst_app_src_push_sample(GST_APP_SRC(src.get()), picture.get()),
                         GST_FLOW_OK);
  fail_unless_equals_int(gst_app_src_end_of_stream(GST_APP_SRC(src.get())), GST_FLOW_OK);
  SampleRef sample = p.pull();
  if (!sample) fail_unless(false, "%s: %s", chain.c_str(), p.wait().c_str());
  return sample;
}

inline Component luma_of(const std::string& line) { return component_of(sample_of(line).get(), 0); }
inline Component luma_of(const SampleRef& picture, const std::string& chain) {
  return component_of(sample_of(picture, chain).get(), 0);
}

inline double psnr_of(double mean_square) {
  return mean_square > 0 ? 10 * std::log10(255 * 255 / mean_square) : 100;
}

inline double psnr(const Component& a, const Component& b) {
  fail_unless(a.width == b.width && a.height == b.height && !a.samples.empty());
  double sum = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    const double d = static_cast<double>(a.samples[i]) - b.samples[i];
    sum += d * d;
  }
  return psnr_of(sum / static_cast<double>(a.samples.size()));
}

/// PSNR of equirectangular pictures with each pixel weighed by the solid angle it shows.
inline double ws_psnr(const Component& a, const Component& b) {
  fail_unless(a.width == b.width && a.height == b.height && !a.samples.empty());
  double sum = 0, weights = 0;
  for (int y = 0; y < a.height; ++y) {
    const double weight = std::cos((y + 0.5 - a.height / 2.0) * std::numbers::pi / a.height);
    for (int x = 0; x < a.width; ++x) {
      const double d = static_cast<double>(a.at(x, y)) - b.at(x, y);
      sum += weight * d * d;
      weights += weight;
    }
  }
  return psnr_of(sum / weights);
}

}  // namespace sphere::test

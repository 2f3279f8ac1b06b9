// SPDX-License-Identifier: LGPL-2.1-or-later
// Times a chain of elements in its steady state: one picture, made once, is sent through again and
// again. Prints one line of JSON: time to the first picture out, and time a picture after that.
//
// steady SOURCE CHAIN FRAMES
// SOURCE makes one picture; CHAIN is what is timed.

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "gst/sphere/base/gobject.h"

namespace {

using sphere::GstRef;
using SampleRef = std::unique_ptr<GstSample, sphere::Call<gst_sample_unref>>;

// Not timed: caches, pools and the scheduler settle first.
constexpr int warm_up = 10;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "steady: %s\n", what);
  std::exit(1);
}

GstRef<GstElement> launch(const std::string& line) {
  g_autoptr(GError) error = nullptr;
  GstElement* pipeline =
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline) give_up(error->message);
  gst_object_ref_sink(pipeline);
  return GstRef<GstElement>(pipeline);
}

GstRef<GstElement> child(const GstRef<GstElement>& bin, const char* name) {
  return GstRef<GstElement>(gst_bin_get_by_name(GST_BIN(bin.get()), name));
}

/// Half a minute without a picture is no speed at all.
SampleRef next(const GstRef<GstElement>& sink) {
  return SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 30 * GST_SECOND));
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) give_up("usage: steady SOURCE CHAIN FRAMES");
  const int frames = std::atoi(argv[3]);

  const GstRef<GstElement> maker = launch(std::string(argv[1]) + " ! appsink name=sink");
  gst_element_set_state(maker.get(), GST_STATE_PLAYING);
  const SampleRef picture = next(child(maker, "sink"));
  if (!picture) give_up("the source made no picture");
  gst_element_set_state(maker.get(), GST_STATE_NULL);

  const GstRef<GstElement> pipeline =
      launch(std::string("appsrc name=src format=time block=true max-buffers=2 max-bytes=0 ! ") +
             argv[2] + " ! appsink name=sink sync=false max-buffers=2");
  const GstRef<GstElement> source = child(pipeline, "src"), sink = child(pipeline, "sink");
  gst_app_src_set_caps(GST_APP_SRC(source.get()), gst_sample_get_caps(picture.get()));

  const gint64 begin = g_get_monotonic_time();
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  g_autoptr(GThread) feeder = nullptr;
  struct Feed {
    GstElement* source;
    GstBuffer* picture;
    int frames;
  } feed = {source.get(), gst_sample_get_buffer(picture.get()), frames + warm_up};
  feeder = g_thread_new(
      "feed",
      [](gpointer data) -> gpointer {
        auto* f = static_cast<Feed*>(data);
        for (int i = 0; i < f->frames; ++i) {
          GstBuffer* buffer = gst_buffer_copy(f->picture);
          GST_BUFFER_PTS(buffer) = i * GST_SECOND / 30;
          if (gst_app_src_push_buffer(GST_APP_SRC(f->source), buffer) != GST_FLOW_OK) break;
        }
        gst_app_src_end_of_stream(GST_APP_SRC(f->source));
        return nullptr;
      },
      &feed);

  gint64 first = 0, warm = 0, last = 0;
  for (int i = 0; i < frames + warm_up; ++i) {
    if (!next(sink)) give_up("a picture is missing");
    last = g_get_monotonic_time();
    if (i == 0) first = last;
    if (i == warm_up - 1) warm = last;
  }
  g_thread_join(g_steal_pointer(&feeder));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"first_ms\": %.1f, \"ms\": %.3f, \"max_rss_mb\": %.0f}\n", (first - begin) / 1e3,
              (last - warm) / 1e3 / frames, usage.ru_maxrss / 1024.0);
  return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Times a chain of elements in its steady state: one picture, made once, is sent through again and
// again. Prints one line of JSON: time to the first picture out, time a picture after that, and the
// memory that the chain took beyond the pictures that came out of it.
//
// steady SOURCE CHAIN FRAMES [ELEMENT]
// SOURCE makes one picture; CHAIN is what is timed. The element of the name ELEMENT gets another
// yaw with each picture.

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "tests/tools/ramp.h"

namespace {

using sphere::GstRef;
using SampleRef = std::unique_ptr<GstSample, sphere::Call<gst_sample_unref>>;

// Not measured: the first pictures, while caches, pools and the scheduler come to rest.
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

/// Waits half a minute at most.
SampleRef next(const GstRef<GstElement>& sink) {
  return SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 30 * GST_SECOND));
}

/// Another rotation for each picture, without repetition: a degree of yaw, and some pitch.
void turn(const GstRef<GstElement>& pipeline, const char* name) {
  const GstRef<GstElement> element = child(pipeline, name);
  if (!element) give_up("there is no element of that name");
  sphere::test::ramp(element.get(), "yaw", 100 * GST_SECOND, 3000);
}

/// A line of /proc/self/status, in MiB.
double status_mb(const char* key) {
  g_autofree char* text = nullptr;
  if (!g_file_get_contents("/proc/self/status", &text, nullptr, nullptr)) give_up("no /proc");
  const char* line = std::strstr(text, key);
  return line ? std::strtod(line + std::strlen(key), nullptr) / 1024 : 0;
}

/// Resets the peak of the memory in use.
void forget_peak() {
  malloc_trim(0);
  if (FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4 && argc != 5) give_up("usage: steady SOURCE CHAIN FRAMES [ELEMENT]");
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

  if (argc == 5) turn(pipeline, argv[4]);
  forget_peak();
  const double before = status_mb("VmRSS:");

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
  std::map<const GstMemory*, gsize> pictures;
  for (int i = 0; i < frames + warm_up; ++i) {
    const SampleRef sample = next(sink);
    if (!sample) give_up("a picture is missing");
    const GstMemory* memory = gst_buffer_peek_memory(gst_sample_get_buffer(sample.get()), 0);
    pictures[memory] = memory->size;
    last = g_get_monotonic_time();
    if (i == 0) first = last;
    if (i == warm_up - 1) warm = last;
  }
  g_thread_join(g_steal_pointer(&feeder));
  const double peak = status_mb("VmHWM:");
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  double pictures_mb = 0;
  for (const auto& [memory, size] : pictures) pictures_mb += size / 1048576.0;
  std::printf("{\"first_ms\": %.1f, \"ms\": %.3f, \"beyond_mb\": %.1f}\n", (first - begin) / 1e3,
              (last - warm) / 1e3 / frames, peak - before - pictures_mb);
  return 0;
}

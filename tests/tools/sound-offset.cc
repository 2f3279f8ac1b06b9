// SPDX-License-Identifier: LGPL-2.1-or-later
// How far sound and pictures of a recording from an emulated camera are apart. In the camera,
// picture N is seen N / rate seconds after the beginning, and there is a tick at each whole second.
// Prints one line of JSON:
//
//   offset_ms   the median: positive where the sound is late
//   spread_ms   how far nine in ten of the ticks are from the median at most
//   pictures, ticks   how many were read
//
//   sound-offset FILE [RATE]     RATE: pictures a second of the camera; default 30000/1001

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "tests/tools/number.h"

namespace {

using SampleRef = std::unique_ptr<GstSample, sphere::Call<gst_sample_unref>>;

constexpr double loud = 0.1;
// Shorter than the silence between two ticks, and longer than any within one.
constexpr double silence = 0.3;

double running_time(GstSample* sample) {
  const guint64 time = gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME,
                                                   GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
  return static_cast<double>(time) / GST_SECOND;
}

/// The part behind the whole seconds, from -0.5 to 0.5.
double part(double seconds) { return seconds - std::round(seconds); }

double at(std::vector<double> values, double share) {
  const auto index = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(index), values.end());
  return values[index];
}

/// When the camera began, as a picture tells it.
struct Begin {
  double seen, begin;
};

struct Found {
  double rate = 0;
  sphere::Mutex mutex;  // protects what follows, which two threads fill
  std::vector<Begin> pictures SPHERE_GUARDED_BY(mutex);
  std::vector<double> ticks SPHERE_GUARDED_BY(mutex);
  double loud_at = -1;  ///< of the thread of the sound
};

GstFlowReturn take_picture(GstAppSink* sink, gpointer data) {
  auto* found = static_cast<Found*>(data);
  const SampleRef sample(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_OK;
  if (const auto number = sphere::test::number_in(sample.get())) {
    const double time = running_time(sample.get());
    const sphere::Lock lock(found->mutex);
    found->pictures.push_back({time, time - *number / found->rate});
  }
  return GST_FLOW_OK;
}

GstFlowReturn take_sound(GstAppSink* sink, gpointer data) {
  auto* found = static_cast<Found*>(data);
  const SampleRef sample(gst_app_sink_pull_sample(sink));
  GstMapInfo map;
  if (!sample || !gst_buffer_map(gst_sample_get_buffer(sample.get()), &map, GST_MAP_READ))
    return GST_FLOW_OK;
  const auto* values = reinterpret_cast<const float*>(map.data);
  const double begin = running_time(sample.get());
  for (size_t i = 0; i < map.size / sizeof(float); ++i) {
    if (std::abs(values[i]) < loud) continue;
    const double time = begin + static_cast<double>(i) / 48000;
    if (found->loud_at >= 0 && time - found->loud_at > silence) {
      const sphere::Lock lock(found->mutex);
      found->ticks.push_back(time);
    }
    found->loud_at = time;
  }
  gst_buffer_unmap(gst_sample_get_buffer(sample.get()), &map);
  return GST_FLOW_OK;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: sound-offset FILE [RATE]\n");
    return 2;
  }
  Found found;
  found.rate = argc == 3 ? std::atof(argv[2]) : 30000.0 / 1001;
  g_autoptr(GError) error = nullptr;
  GstElement* made = gst_parse_launch(
      "filesrc name=file ! decodebin name=all  all. ! queue ! videoconvert ! "
      "video/x-raw,format=GRAY8 "
      "! appsink name=pictures sync=false  all. ! queue ! audioconvert ! audioresample ! "
      "audio/x-raw,format=F32LE,rate=48000,channels=1 ! appsink name=sound sync=false",
      &error);
  if (!made || error) {
    std::fprintf(stderr, "sound-offset: %s\n", error ? error->message : "no pipeline");
    return 1;
  }
  const sphere::GstRef<GstElement> pipeline(static_cast<GstElement*>(gst_object_ref_sink(made)));
  const sphere::GstRef<GstElement> file(gst_bin_get_by_name(GST_BIN(made), "file"));
  g_object_set(file.get(), "location", argv[1], nullptr);
  for (const auto& [name, take] :
       {std::pair("pictures", &take_picture), std::pair("sound", &take_sound)}) {
    const sphere::GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(made), name));
    GstAppSinkCallbacks callbacks = {};
    callbacks.new_sample = take;
    gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks, &found, nullptr);
  }
  gst_element_set_state(made, GST_STATE_PLAYING);
  const sphere::GstRef<GstBus> bus(gst_element_get_bus(made));
  const sphere::MessageRef last(
      gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                 static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  gst_element_set_state(made, GST_STATE_NULL);
  const sphere::Lock lock(found.mutex);
  if (found.pictures.empty() || found.ticks.empty()) {
    std::fprintf(stderr, "sound-offset: %zu numbers and %zu ticks in %s\n", found.pictures.size(),
                 found.ticks.size(), argv[1]);
    return 1;
  }
  // Each tick is compared with the picture beside it: the camera may have begun anew in between.
  std::ranges::sort(found.pictures, {}, &Begin::seen);
  std::vector<double> offsets, away;
  for (const double tick : found.ticks) {
    auto beside = std::ranges::lower_bound(found.pictures, tick, {}, &Begin::seen);
    if (beside == found.pictures.end()) --beside;
    offsets.push_back(part(tick - beside->begin));
  }
  const double offset = at(offsets, 0.5);
  for (const double one : offsets) away.push_back(std::abs(part(one - offset)));
  std::printf("{\"offset_ms\": %.1f, \"spread_ms\": %.1f, \"pictures\": %zu, \"ticks\": %zu}\n",
              offset * 1e3, at(away, 0.9) * 1e3, found.pictures.size(), found.ticks.size());
  return 0;
}

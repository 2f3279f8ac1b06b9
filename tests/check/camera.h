// SPDX-License-Identifier: LGPL-2.1-or-later
// What tests of spherecamsrc share: an emulated camera, a pipeline with the element `camera`, and
// what it says on the bus.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/check/emulator.h"
#include "tests/check/pipeline.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

inline std::unique_ptr<Emulator> camera_with(std::vector<const char*> faults = {},
                                             bool timing = false, bool sound = false) {
  EmulatorOptions options;
  options.scene.width = 320;
  options.scene.height = 160;
  options.scene.sound = sound;
  options.photo_bytes = "a photo";
  options.video_bytes = "a video";
  options.control.lens_table = std::string(100000, 'T');
  options.control.timing = timing;
  for (const char* fault : faults)
    options.control.faults.push_back(*madv_emulator::parse_fault(fault));
  return started(std::move(options));
}

/// On a busy machine the camera's encoder may start slowly.
inline std::string source(const Emulator& camera, const std::string& more = "") {
  return "spherecamsrc name=camera timeout=60 location=\"" + camera.uri() + "\" " + more;
}

inline std::string to_sink(const Emulator& camera, const std::string& more = "latency=0") {
  return source(camera, more) + " ! appsink name=sink sync=false";
}

/// Pulls this number of pictures, checks that their times rise, and returns the time of the last
/// one.
inline GstClockTime pull(Pipeline& pipeline, int count, GstClockTime last = GST_CLOCK_TIME_NONE) {
  for (int i = 0; i < count; ++i) {
    const SampleRef sample = pipeline.pull();
    fail_unless(sample != nullptr, "the stream ends: %s", pipeline.wait().c_str());
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    fail_unless(GST_BUFFER_PTS_IS_VALID(buffer));
    fail_unless(!GST_CLOCK_TIME_IS_VALID(last) || GST_BUFFER_PTS(buffer) > last);
    last = GST_BUFFER_PTS(buffer);
    const GstSegment* segment = gst_sample_get_segment(sample.get());
    fail_unless(segment->start == 0 && segment->base == 0);
  }
  return last;
}

/// The next element message of this name, for which `suits`.
inline MessageRef expect_message(Pipeline& pipeline, const char* name,
                                 const std::function<bool(const GstStructure*)>& suits = {}) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  for (;;) {
    MessageRef message(gst_bus_timed_pop_filtered(
        bus.get(), deadline, static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR)));
    fail_unless(message != nullptr, "no message '%s'", name);
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
      g_autoptr(GError) error = nullptr;
      gst_message_parse_error(message.get(), &error, nullptr);
      fail_unless(false, "waiting for '%s': %s", name, error->message);
    }
    const GstStructure* s = gst_message_get_structure(message.get());
    if (gst_structure_has_name(s, name) && (!suits || suits(s))) return message;
  }
}

inline bool has_state(const GstStructure* s, const char* state) {
  return g_strcmp0(gst_structure_get_string(s, "state"), state) == 0;
}

inline int losses(Pipeline& pipeline) {
  const GstRef<GstElement> camera = pipeline.child("camera");
  GstStructure* stats = nullptr;
  g_object_get(camera.get(), "stats", &stats, nullptr);
  int count = -1;
  gst_structure_get_int(stats, "losses", &count);
  gst_structure_free(stats);
  return count;
}

inline void expect_all_closed(const Emulator& camera) {
  for (int i = 0;; ++i) {
    const madv_emulator::Counters counters = camera.counters();
    if (counters.sessions_opened == counters.sessions_closed) return;
    fail_unless(i < 10000, "%d sessions opened, %d closed", counters.sessions_opened,
                counters.sessions_closed);
    g_usleep(1000);
  }
}

inline void until_asked(const Emulator& camera, int id) {
  for (int i = 0;; ++i) {
    for (const madv_emulator::Asked& asked : camera.asked())
      if (asked.id == id) return;
    fail_unless(i < 60000, "%d is not asked", id);
    g_usleep(1000);
  }
}

}  // namespace sphere::test

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of sphereaudiogate share.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <memory>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::test {

using HarnessRef = std::unique_ptr<GstHarness, Call<gst_harness_teardown>>;

inline constexpr const char* given = "consent/audio, state=(string)given, purpose=(string)live";
inline constexpr const char* with_given =
    "consent=\"consent/audio, state=(string)given, purpose=(string)live\"";
inline constexpr GstClockTime ms = GST_MSECOND;

inline CapsRef caps_of(const std::string& text) {
  CapsRef caps(gst_caps_from_string(text.c_str()));
  fail_unless(caps != nullptr, "'%s' are no caps", text.c_str());
  return caps;
}

inline void set_consent(gpointer gate, const char* text) {
  const CapsRef caps(text ? gst_caps_from_string(text) : gst_caps_new_empty());
  g_object_set(gate, "consent", caps.get(), nullptr);
}

/// A gate with consent to sound from the start.
inline GstHarness* gate_that_is_given() {
  GstElement* gate = gst_element_factory_make("sphereaudiogate", nullptr);
  set_consent(gate, given);
  GstHarness* h = gst_harness_new_with_element(gate, "sink", "src");
  gst_object_unref(gate);
  return h;
}

inline bool is_active(gpointer gate) {
  gboolean active = FALSE;
  g_object_get(gate, "active", &active, nullptr);
  return active;
}

inline std::vector<uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<uint8_t> bytes(gst_buffer_get_size(buffer));
  if (!bytes.empty()) gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

inline BufferRef buffer_of(size_t size, uint8_t byte, GstClockTime pts, GstClockTime duration) {
  BufferRef buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(buffer.get(), 0, byte, size);
  GST_BUFFER_PTS(buffer.get()) = pts;
  GST_BUFFER_DURATION(buffer.get()) = duration;
  return buffer;
}

inline bool all_are(const std::vector<uint8_t>& bytes, uint8_t byte) {
  for (const uint8_t b : bytes)
    if (b != byte) return false;
  return true;
}

inline constexpr const char* mono =
    "audio/x-raw, format=S16LE, rate=48000, channels=1, layout=interleaved";

/// Pushes one millisecond of sound that was captured at a running time; whether it came out as
/// such.
inline bool comes_out(GstHarness* h, GstClockTime pts) {
  fail_unless_equals_int(gst_harness_push(h, buffer_of(96, 7, pts, ms).release()), GST_FLOW_OK);
  const BufferRef out(gst_harness_pull(h));
  const std::vector<uint8_t> bytes = bytes_of(out.get());
  const bool sound = all_are(bytes, 7);
  fail_unless(sound || all_are(bytes, 0));
  fail_unless(GST_BUFFER_PTS(out.get()) == pts);
  return sound;
}

}  // namespace sphere::test

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

}  // namespace sphere::test

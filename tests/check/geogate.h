// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of spheregeogate share: a position that is looked for in everything, and consent.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::test {

using HarnessRef = std::unique_ptr<GstHarness, Call<gst_harness_teardown>>;
using TagListRef = std::unique_ptr<GstTagList, MiniObjectUnref>;

inline constexpr double latitude = 39.90421, longitude = 116.40741, altitude = 44.5;
inline constexpr const char* location_given =
    "consent/location, state=(string)given, purpose=(string)geotag";
inline constexpr const char* city_given =
    "consent/location, state=(string)given, purpose=(string)geotag, precision=(string)city";
inline constexpr const char* device_given =
    "consent/device, state=(string)given, purpose=(string)share";
inline constexpr const char* all_given =
    "consent/location, state=(string)given, purpose=(string)geotag; "
    "consent/device, state=(string)given, purpose=(string)share";

/// As a launch line has it.
inline std::string with_consent(const char* caps) {
  return std::string("consent=\"") + caps + "\"";
}

inline void set_consent(gpointer gate, const char* text) {
  const CapsRef caps(text ? gst_caps_from_string(text) : gst_caps_new_empty());
  fail_unless(caps != nullptr);
  g_object_set(gate, "consent", caps.get(), nullptr);
}

/// The forms of the position, and a marker, that are left in bytes.
inline std::string leaks_in(std::string_view bytes) {
  std::string found;
  const auto look = [&](const char* what, std::string_view form) {
    if (bytes.find(form) != std::string_view::npos) found += std::string(what) + " ";
  };
  for (const auto& [name, value] : {std::pair("latitude", latitude), {"longitude", longitude}}) {
    std::string form(8, '\0');
    std::memcpy(form.data(), &value, 8);
    look(name, form);
    std::reverse(form.begin(), form.end());
    look(name, form);
  }
  look("text", "39.904");
  look("text", "116.407");
  look("degrees and minutes", "39,54.");
  look("degrees and minutes", "116,24.");
  look("marker", "CANARY");
  return found;
}
inline std::string leaks_in(std::span<const uint8_t> bytes) {
  return leaks_in({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

inline TagListRef place_tags(GstTagScope scope = GST_TAG_SCOPE_STREAM) {
  TagListRef tags(gst_tag_list_new(
      GST_TAG_GEO_LOCATION_LATITUDE, latitude, GST_TAG_GEO_LOCATION_LONGITUDE, longitude,
      GST_TAG_GEO_LOCATION_ELEVATION, altitude, GST_TAG_TITLE, "A walk", nullptr));
  gst_tag_list_set_scope(tags.get(), scope);
  return tags;
}

inline std::optional<double> number_of(const GstTagList* tags, const char* tag) {
  gdouble value = 0;
  return gst_tag_list_get_double(tags, tag, &value) ? std::optional(value) : std::nullopt;
}

inline BufferRef buffer_of(std::span<const uint8_t> bytes, GstClockTime pts = 0) {
  BufferRef buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_PTS(buffer.get()) = pts;
  GST_BUFFER_DURATION(buffer.get()) = 40 * GST_MSECOND;
  return buffer;
}

inline std::vector<uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<uint8_t> bytes(gst_buffer_get_size(buffer));
  if (!bytes.empty()) gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

/// A gate between two pads of the test's own.
inline HarnessRef gate_with(const char* consent, const char* caps) {
  GstElement* gate = gst_element_factory_make("spheregeogate", nullptr);
  fail_unless(gate != nullptr);
  if (consent) set_consent(gate, consent);
  HarnessRef h(gst_harness_new_with_element(gate, "sink", "src"));
  gst_object_unref(gate);
  if (caps) gst_harness_set_src_caps_str(h.get(), caps);
  return h;
}

/// The last tag event of a scope that is on the pad behind the gate.
inline TagListRef tags_behind(GstHarness* h, GstTagScope scope) {
  for (guint i = 0;; ++i) {
    const EventRef event(gst_pad_get_sticky_event(h->sinkpad, GST_EVENT_TAG, i));
    if (!event) return nullptr;
    GstTagList* tags = nullptr;
    gst_event_parse_tag(event.get(), &tags);
    if (gst_tag_list_get_scope(tags) == scope) return TagListRef(gst_tag_list_copy(tags));
  }
}

}  // namespace sphere::test

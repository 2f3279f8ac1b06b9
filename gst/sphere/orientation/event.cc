// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/orientation/event.h"

#include <array>
#include <cmath>
#include <cstring>

#include "gst/sphere/base/gobject.h"

namespace sphere {

namespace {

constexpr const char* event_name = "sphere-orientation";
constexpr const char* entries_field = "entries";

// w, x, y, z in this machine's byte order, because the event does not leave the process. All zero:
// not known.
using Entry = std::array<float, 4>;
// Nine hours of pictures at 30 per second.
constexpr gsize most_entries = 1 << 20;
// The largest difference between 1 and the square of a quaternion's length.
constexpr double length_tolerance = 0.01;

}  // namespace

GstEvent* make_orientation_event(std::span<const std::optional<Quaternion>> orientations) {
  std::vector<Entry> entries(orientations.size());
  for (size_t n = 0; n < entries.size(); ++n)
    if (const std::optional<Quaternion>& q = orientations[n])
      entries[n] = {static_cast<float>(q->w), static_cast<float>(q->x), static_cast<float>(q->y),
                    static_cast<float>(q->z)};
  const BytesRef bytes(g_bytes_new(entries.data(), entries.size() * sizeof(Entry)));
  return gst_event_new_custom(
      GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new(event_name, entries_field, G_TYPE_BYTES, bytes.get(), nullptr));
}

bool parse_orientation_event(GstEvent* event,
                             std::vector<std::optional<Quaternion>>* orientations) {
  if (!gst_event_has_name(event, event_name)) return false;
  orientations->clear();
  const GValue* value = gst_structure_get_value(gst_event_get_structure(event), entries_field);
  if (!value || !G_VALUE_HOLDS(value, G_TYPE_BYTES)) return true;
  auto* bytes = static_cast<GBytes*>(g_value_get_boxed(value));
  gsize size = 0;
  const auto* data = bytes ? static_cast<const uint8_t*>(g_bytes_get_data(bytes, &size)) : nullptr;
  if (!data || size % sizeof(Entry) || size / sizeof(Entry) > most_entries) return true;
  orientations->resize(size / sizeof(Entry));
  for (size_t n = 0; n < orientations->size(); ++n) {
    Entry entry;
    std::memcpy(entry.data(), data + n * sizeof(Entry), sizeof(Entry));
    const Quaternion q = {entry[0], entry[1], entry[2], entry[3]};
    // This form of the condition is false for NaN.
    if (std::abs(dot(q, q) - 1) <= length_tolerance) (*orientations)[n] = normalised(q);
  }
  return true;
}

}  // namespace sphere

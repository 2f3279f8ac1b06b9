// SPDX-License-Identifier: LGPL-2.1-or-later
// One buffer that is held back until the next comes, and what came behind it.

#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Encoders and decoders pass an event on behind the packet that contains the first sound after the
/// event. Therefore the last packet before an event must not leave before that event is known.
/// Events stay in order behind the buffer. Used only by the streaming thread.
class HoldBack {
 public:
  struct HeldBuffer {
    BufferRef buffer;
    GstClockTime since = 0;  // the latest time that events named since it came
    std::vector<EventRef> behind;
  };

  bool empty() const { return !held_.buffer; }
  /// When nothing is held.
  void put(BufferRef buffer, GstClockTime since) {
    held_.buffer = std::move(buffer);
    held_.since = since;
  }
  /// When something is held. False: there are so many that the buffer has to go now.
  [[nodiscard]] bool behind(GstEvent* event) {
    if (!merge(event)) held_.behind.emplace_back(event);
    return held_.behind.size() < most_events;
  }
  void stamp(GstClockTime since) { held_.since = std::max(held_.since, since); }
  HeldBuffer take() { return std::exchange(held_, {}); }

 private:
  // Only events that can't be merged, such as custom ones, can become so many.
  static constexpr size_t most_events = 1000;

  /// Merges the event with an earlier one if nothing is lost by it: consecutive gaps, tags, and
  /// sticky events of the same kind, of which only the last counts.
  bool merge(GstEvent* event) {
    if (held_.behind.empty()) return false;
    EventRef& last = held_.behind.back();
    const GstEventType type = GST_EVENT_TYPE(event);
    if (type == GST_EVENT_GAP && GST_EVENT_TYPE(last.get()) == type) {
      last = joined_gap(last.get(), EventRef(event));
      return true;
    }
    for (auto one = held_.behind.rbegin(); one != held_.behind.rend(); ++one) {
      // An event about buffers must not move across a gap or into another stream.
      const GstEventType before = GST_EVENT_TYPE(one->get());
      if (before == GST_EVENT_STREAM_START) return false;
      if (before == GST_EVENT_GAP && type != GST_EVENT_TAG) return false;
      if (before != type) continue;
      if (type == GST_EVENT_TAG) {
        if (!merge_tags(*one, event)) continue;
        gst_event_unref(event);
        return true;
      }
      const bool replaces =
          type == GST_EVENT_CAPS || type == GST_EVENT_SEGMENT ||
          (type == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY &&
           gst_structure_has_name(gst_event_get_structure(one->get()),
                                  gst_structure_get_name(gst_event_get_structure(event))));
      if (!replaces) continue;
      held_.behind.erase(std::next(one).base());
      held_.behind.emplace_back(event);
      return true;
    }
    return false;
  }

  static EventRef joined_gap(GstEvent* first, EventRef second) {
    GstClockTime start = 0, length = 0, next = 0, next_length = 0;
    gst_event_parse_gap(first, &start, &length);
    gst_event_parse_gap(second.get(), &next, &next_length);
    const GstClockTime end = GST_CLOCK_TIME_IS_VALID(next_length) ? next + next_length : next;
    const GstClockTime begin = std::min(start, next);
    if (GST_CLOCK_TIME_IS_VALID(length)) length = std::max(start + length, end) - begin;
    EventRef joined(
        gst_event_new_gap(begin, GST_CLOCK_TIME_IS_VALID(length) ? length : end - begin));
    gst_event_set_seqnum(joined.get(), gst_event_get_seqnum(second.get()));
    return joined;
  }

  static bool merge_tags(EventRef& before, GstEvent* event) {
    GstTagList *old_tags = nullptr, *new_tags = nullptr;
    gst_event_parse_tag(before.get(), &old_tags);
    gst_event_parse_tag(event, &new_tags);
    if (gst_tag_list_get_scope(old_tags) != gst_tag_list_get_scope(new_tags)) return false;
    GstTagList* both = gst_tag_list_merge(old_tags, new_tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_set_scope(both, gst_tag_list_get_scope(new_tags));
    before.reset(gst_event_new_tag(both));
    gst_event_set_seqnum(before.get(), gst_event_get_seqnum(event));
    return true;
  }

  HeldBuffer held_;
};

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// One buffer that is held back until the next comes, and what came behind it.

#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Encoders and decoders pass an event on behind the packet that has the first of what comes after
/// the event. So the last packet before an event is not to leave before that event is known. Events
/// keep their place behind the buffer. The streaming thread's own.
class HoldBack {
 public:
  struct Held {
    BufferRef buffer;
    GstClockTime since = 0;  // the latest of what stamps have said since it came
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
    held_.behind.emplace_back(event);
    return held_.behind.size() < most_events;
  }
  void stamp(GstClockTime since) { held_.since = std::max(held_.since, since); }
  Held take() { return std::exchange(held_, {}); }

 private:
  static constexpr size_t most_events = 100;
  Held held_;
};

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// What an element says on the bus, for tests that wait for it.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "tests/check/pipeline.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// All messages of the element on the bus, a line for each.
class BusLog {
 public:
  explicit BusLog(Pipeline& pipeline) : bus_(gst_element_get_bus(pipeline.element())) {}

  /// Reads the next message, if it comes within this time.
  bool read(GstClockTime wait) {
    const MessageRef message(gst_bus_timed_pop_filtered(
        bus_.get(), wait,
        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO |
                                    GST_MESSAGE_ELEMENT)));
    if (!message) return false;
    g_autoptr(GError) error = nullptr;
    g_autofree char* debug = nullptr;
    const char* kind = GST_MESSAGE_TYPE_NAME(message.get());
    switch (GST_MESSAGE_TYPE(message.get())) {
      case GST_MESSAGE_ERROR:
        gst_message_parse_error(message.get(), &error, &debug);
        break;
      case GST_MESSAGE_WARNING:
        gst_message_parse_warning(message.get(), &error, &debug);
        break;
      case GST_MESSAGE_INFO:
        gst_message_parse_info(message.get(), &error, &debug);
        // gst-launch-1.0 prints nothing else of it.
        fail_unless(to_string(debug).find(error->message) != std::string::npos, "%s", debug);
        break;
      default: {
        const GstStructure* s = gst_message_get_structure(message.get());
        const char* path = gst_structure_get_string(s, "path");
        int battery = -1;
        if (gst_structure_has_name(s, "sphere-connection"))
          lines_.push_back(std::string("connection: ") + gst_structure_get_string(s, "state"));
        else if (path)
          lines_.push_back(std::string(gst_structure_get_name(s)) + ": " + path);
        else if (gst_structure_get_int(s, "battery", &battery))
          lines_.push_back(std::string(gst_structure_get_name(s)) + ": " + std::to_string(battery));
        return true;
      }
    }
    fail_unless(g_utf8_validate(error->message, -1, nullptr));
    lines_.push_back(std::string(kind) + ": " + error->message);
    return true;
  }

  /// Reads until a line contains these words, or until this number of lines do.
  void wait_for(const std::string& words) { wait_for_count(words, 1); }
  void wait_for_count(const std::string& words, int lines) {
    const gint64 until = g_get_monotonic_time() + static_cast<gint64>(deadline / 1000);
    while (count(words) < lines) {
      fail_unless(g_get_monotonic_time() < until, "'%s' is not said, but: %s", words.c_str(),
                  all().c_str());
      read(100 * GST_MSECOND);
    }
  }
  int count(const std::string& words) {
    while (read(0)) {
    }
    return static_cast<int>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(words) != std::string::npos; }));
  }
  bool has(const std::string& words) { return count(words) > 0; }
  /// Whether a line with `words` comes after the first one with `before`.
  bool has_after(const std::string& before, const std::string& words) {
    count(words);
    const auto with = [](const std::string& text) {
      return [&text](const std::string& line) { return line.find(text) != std::string::npos; };
    };
    const auto first = std::ranges::find_if(lines_, with(before));
    return std::any_of(first, lines_.end(), with(words));
  }
  std::string all() const {
    std::string text;
    for (const std::string& line : lines_) text += "\n" + line;
    return text;
  }

 private:
  GstRef<GstBus> bus_;
  std::vector<std::string> lines_;
};

}  // namespace sphere::test

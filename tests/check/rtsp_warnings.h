// SPDX-License-Identifier: LGPL-2.1-or-later
// What GStreamer 1.22's RTSP elements complain about to themselves. Whatever else is critical still
// fails a test.

#pragma once

#include <gst/check/gstcheck.h>

#include <algorithm>

namespace sphere::test {

/// Regular expressions.
inline constexpr const char* forgiven[] = {
    // At the end of a stream over TCP, rtspsrc copies the number of a segment that a track without
    // packets does not have.
    "seqnum != GST_SEQNUM_INVALID",
    // A server that serves one client over UDP and another one over TCP gets their reports through
    // one funnel, where events of the two may overtake each other.
    "store_sticky_event:<[^>]*(funnel|recv_rtcp_sink)",
};

inline bool is_forgiven(const char* message) {
  return std::any_of(std::begin(forgiven), std::end(forgiven), [message](const char* pattern) {
    return g_regex_match_simple(pattern, message, {}, {});
  });
}

inline void forgive_rtsp() {
  for (const char* pattern : forgiven)
    gst_check_add_log_filter(
        "GStreamer", static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING),
        g_regex_new(pattern, {}, {}, nullptr),
        +[](const gchar*, GLogLevelFlags, const gchar*, gpointer) -> gboolean { return TRUE; },
        nullptr, nullptr);
  g_test_log_set_fatal_handler(
      +[](const gchar*, GLogLevelFlags, const gchar* message, gpointer) -> gboolean {
        return !is_forgiven(message);
      },
      nullptr);
}

}  // namespace sphere::test

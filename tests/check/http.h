// SPDX-License-Identifier: LGPL-2.1-or-later
// A client that asks as it is told.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <string>

#include <libsoup/soup.h>

#include <gst/check/gstcheck.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::test {

struct Answer {
  guint status;
  std::string body, type, length;
};
/// What HTTP answers.
inline Answer http(const std::string& url, const char* method = "GET",
                   const char* range = nullptr) {
  g_autoptr(SoupSession) session = soup_session_new();
  g_autoptr(SoupMessage) message = soup_message_new(method, url.c_str());
  fail_unless(message != nullptr, "%s", url.c_str());
  if (range)
    soup_message_headers_replace(soup_message_get_request_headers(message), "Range", range);
  g_autoptr(GError) error = nullptr;
  g_autoptr(GBytes) bytes = soup_session_send_and_read(session, message, nullptr, &error);
  fail_unless(bytes != nullptr, "%s", error ? error->message : "");
  gsize size = 0;
  const auto* data = static_cast<const char*>(g_bytes_get_data(bytes, &size));
  SoupMessageHeaders* headers = soup_message_get_response_headers(message);
  return {soup_message_get_status(message), std::string(data ? data : "", size),
          to_string(soup_message_headers_get_content_type(headers, nullptr)),
          to_string(soup_message_headers_get_one(headers, "Content-Length"))};
}

}  // namespace sphere::test

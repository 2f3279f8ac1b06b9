// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/printable.h"

#include <glib.h>

#include <cstdio>

namespace sphere {

namespace {

bool is_visible(gunichar c) {
  if (c == ' ') return true;
  switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:  // invisible ones, and those that change the direction of writing
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::string printable(std::string_view text, size_t max_bytes) {
  std::string out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const gunichar c = g_utf8_get_char_validated(at, end - at);
    // The two highest values mean that no character begins here.
    const bool valid = c < static_cast<gunichar>(-2);
    const char* const next = valid ? g_utf8_next_char(at) : at + 1;
    std::string piece;
    if (valid && is_visible(c)) {
      piece.assign(at, next);
    } else {
      char escaped[16];
      const unsigned value = valid ? c : static_cast<unsigned char>(*at);
      std::snprintf(escaped, sizeof escaped, value < 0x100 ? "\\x%02x" : "\\u{%x}", value);
      piece = escaped;
    }
    if (max_bytes != std::string::npos && out.size() + piece.size() > max_bytes) return out + "...";
    out += piece;
    at = next;
  }
  return out;
}

}  // namespace sphere

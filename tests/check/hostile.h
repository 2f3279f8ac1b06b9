// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts that a terminal would obey, or that are no text, and what a message to a person may be.

#pragma once

#include <array>
#include <string>
#include <string_view>

#include <glib.h>

#include "gst/sphere/base/printable.h"

namespace sphere::test {

inline constexpr std::array<std::string_view, 9> hostile_texts = {
    "\x1b[31mred",           // a colour
    "\x1b]0;title\x07",      // the window's title
    "\u009b2J",              // the same as ESC [ in one character
    "\xff\xfe",              // no UTF-8
    "caf\xc3",               // cut in the middle of a character
    "\r\x08\x7f",            // overwrites what was printed
    "a\u202egpj.exe",        // written backwards
    "a\u200b\ufeff\u2066b",  // invisible
    "\xc0\x80\xed\xa0\x80",  // overlong, and half a pair of surrogates
};

/// Whether it can go to a terminal, a log and the bus as it is.
inline bool is_printable(std::string_view text) { return printable(text) == text; }

/// The same, line by line.
inline bool is_printable_text(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (!is_printable(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace sphere::test

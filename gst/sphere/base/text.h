// SPDX-License-Identifier: LGPL-2.1-or-later
// Views of text in bytes.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sphere {

/// The same bytes as text. It may have zeros, and need not be UTF-8.
inline std::string_view as_text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Without blanks at its ends.
inline std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace sphere

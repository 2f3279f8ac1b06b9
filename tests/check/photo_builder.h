// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds parts of photos in memory.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sphere::test {

/// A colour profile (ICC) with one text.
inline std::vector<uint8_t> colour_profile(std::string_view text) {
  std::vector<uint8_t> bytes;
  const auto number = [&](size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(value >> shift));
  };
  const auto letters = [&](std::string_view what) {
    bytes.insert(bytes.end(), what.begin(), what.end());
  };
  constexpr size_t signature_at = 36, header = 128, list = 4 + 12;
  number(header + list + text.size());
  bytes.resize(signature_at);
  letters("acsp");
  bytes.resize(header);
  number(1);
  letters("desc");
  number(header + list);
  number(text.size());
  letters(text);
  return bytes;
}

}  // namespace sphere::test

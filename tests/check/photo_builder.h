// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds parts of photos in memory.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace sphere::test {

inline void append_number(std::vector<uint8_t>* bytes, size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes->push_back(static_cast<uint8_t>(value >> shift));
}

using ProfileTag = std::pair<std::string_view, std::vector<uint8_t>>;
/// A colour profile (ICC) with these tags.
inline std::vector<uint8_t> profile_of(const std::vector<ProfileTag>& tags) {
  constexpr size_t signature_at = 36, header = 128;
  std::vector<uint8_t> list, data;
  const size_t begin = header + 4 + 12 * tags.size();
  append_number(&list, tags.size());
  for (const auto& [name, content] : tags) {
    list.insert(list.end(), name.begin(), name.end());
    append_number(&list, begin + data.size());
    append_number(&list, content.size());
    data.insert(data.end(), content.begin(), content.end());
  }
  std::vector<uint8_t> bytes;
  append_number(&bytes, begin + data.size());
  bytes.resize(header);
  constexpr std::string_view signature = "acsp";
  std::copy(signature.begin(), signature.end(), bytes.begin() + signature_at);
  bytes.insert(bytes.end(), list.begin(), list.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

/// A tag: its form, and what is in it.
inline std::vector<uint8_t> profile_tag(std::string_view form, std::string_view content) {
  std::vector<uint8_t> bytes(form.begin(), form.end());
  append_number(&bytes, 0);
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

/// One with a curve of these bytes, and a description.
inline std::vector<uint8_t> colour_profile(std::string_view colours,
                                           std::string_view description = "sRGB") {
  return profile_of(
      {{"rTRC", profile_tag("curv", colours)}, {"desc", profile_tag("text", description)}});
}

}  // namespace sphere::test

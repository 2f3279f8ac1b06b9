// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/spherical.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "gst/sphere/base/text.h"

namespace sphere::media {

namespace {

constexpr std::string_view photo_schema = "http://ns.google.com/photos/1.0/panorama/";
// Bytes. Real boxes have some hundred.
constexpr uint64_t largest_text = 1 << 16;

// `stsd` has a version, flags and a count; a visual sample entry has these bytes before its boxes.
constexpr uint64_t stsd_head = 8, visual_entry_head = 78;

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Whether `name` has this value anywhere, as an attribute or as an element.
bool says(std::string_view text, std::string_view name, std::string_view value) {
  constexpr std::string_view separators = "=>\"'";
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at)) {
    at += name.size();
    size_t begin = at;
    while (begin < text.size() && (std::isspace(static_cast<unsigned char>(text[begin])) ||
                                   separators.find(text[begin]) != std::string_view::npos))
      ++begin;
    const std::string_view found = text.substr(begin, value.size());
    if (begin > at &&
        std::equal(found.begin(), found.end(), value.begin(), value.end(), same_letter))
      return true;
  }
  return false;
}

}  // namespace

bool xmp_is_spherical(std::span<const uint8_t> packet) {
  const std::string_view text = as_text(packet);
  return text.find(photo_schema) != std::string_view::npos &&
         says(text, ":ProjectionType", "equirectangular");
}

bool video_xml_is_spherical(std::string_view text) {
  return says(text, ":Spherical", "true") && !says(text, ":Stitched", "false");
}

bool uuid_box_is_spherical(const Source& source, const Box& box) {
  if (box.size() < sizeof video_schema) return false;
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(box.size(), largest_text)));
  if (!source.read_all(box.content, bytes) ||
      std::memcmp(bytes.data(), video_schema, sizeof video_schema) != 0)
    return false;
  return video_xml_is_spherical(as_text(std::span(bytes).subspan(sizeof video_schema)));
}

bool sample_entry_is_spherical(const Source& source, const Box& stsd) {
  Box entry;
  if (stsd.size() < stsd_head ||
      box_at(source, stsd.content + stsd_head, stsd.end, false, &entry) != Next::box ||
      entry.size() < visual_entry_head)
    return false;
  const std::optional<Box> spherical =
      find_box(source, entry.content + visual_entry_head, entry.end, false, "sv3d");
  if (!spherical) return false;
  const std::optional<Box> projection =
      find_box(source, spherical->content, spherical->end, false, "proj");
  return projection && (find_box(source, projection->content, projection->end, false, "equi") ||
                        find_box(source, projection->content, projection->end, false, "cbmp"));
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/spherical.h"

#include <glib.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/number.h"
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

/// Where the value of a name that ends at `at` begins, as an attribute or as an element; `at` where
/// there is none.
size_t value_after(std::string_view text, size_t at) {
  constexpr std::string_view separators = "=>\"'";
  while (at < text.size() && (std::isspace(static_cast<unsigned char>(text[at])) ||
                              separators.find(text[at]) != std::string_view::npos))
    ++at;
  return at;
}

/// Whether `name` has this value anywhere, as an attribute or as an element.
bool says(std::string_view text, std::string_view name, std::string_view value) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at)) {
    at += name.size();
    const size_t begin = value_after(text, at);
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

std::optional<double> heading_of_xmp(std::span<const uint8_t> packet) {
  constexpr std::string_view name = ":PoseHeadingDegrees";
  constexpr size_t most_letters = 32;
  const std::string_view text = as_text(packet);
  const size_t found = text.find(name);
  if (found == std::string_view::npos || text.find(photo_schema) == std::string_view::npos)
    return std::nullopt;
  const size_t begin = value_after(text, found + name.size());
  std::string_view number = text.substr(begin, most_letters);
  const std::optional<double> heading = take_number(&number);
  return heading && std::abs(*heading) <= 360 ? heading : std::nullopt;
}

bool video_xml_is_spherical(std::string_view text) {
  return says(text, ":Spherical", "true") && !says(text, ":Stitched", "false");
}

namespace {

/// The XML in the `uuid` box of a track; empty if it has other things.
std::string video_xml_of(const Source& source, const Box& box) {
  if (box.size() < sizeof video_schema) return {};
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(box.size(), largest_text)));
  if (!source.read_all(box.content, bytes) ||
      std::memcmp(bytes.data(), video_schema, sizeof video_schema) != 0)
    return {};
  return std::string(as_text(std::span(bytes).subspan(sizeof video_schema)));
}

/// A box in the first entry of a video track's `stsd` box.
std::optional<Box> entry_box(const Source& source, const Box& stsd, const char* type) {
  Box entry;
  if (stsd.size() < stsd_head ||
      box_at(source, stsd.content + stsd_head, stsd.end, false, &entry) != Next::box ||
      entry.size() < visual_entry_head)
    return std::nullopt;
  return find_box(source, entry.content + visual_entry_head, entry.end, false, type);
}

std::optional<Box> projection_of(const Source& source, const Box& stsd) {
  const std::optional<Box> spherical = entry_box(source, stsd, "sv3d");
  if (!spherical) return std::nullopt;
  return find_box(source, spherical->content, spherical->end, false, "proj");
}

}  // namespace

bool uuid_box_is_spherical(const Source& source, const Box& box) {
  return video_xml_is_spherical(video_xml_of(source, box));
}

bool uuid_box_is_stereo(const Source& source, const Box& box) {
  const std::string text = video_xml_of(source, box);
  return says(text, ":StereoMode", "top-bottom") || says(text, ":StereoMode", "left-right");
}

bool sample_entry_is_stereo(const Source& source, const Box& stsd) {
  const std::optional<Box> box = entry_box(source, stsd, "st3d");
  // Version and flags, the mode; 0 is mono.
  uint8_t bytes[5] = {};
  return box && box->size() >= sizeof bytes && source.read_all(box->content, bytes) &&
         bytes[4] != 0;
}

bool sample_entry_is_spherical(const Source& source, const Box& stsd) {
  const std::optional<Box> projection = projection_of(source, stsd);
  return projection && (find_box(source, projection->content, projection->end, false, "equi") ||
                        find_box(source, projection->content, projection->end, false, "cbmp"));
}

bool sample_entry_is_cubemap(const Source& source, const Box& stsd) {
  const std::optional<Box> projection = projection_of(source, stsd);
  const std::optional<Box> cubemap =
      projection ? find_box(source, projection->content, projection->end, false, "cbmp")
                 : std::nullopt;
  // Version and flags, the layout, the padding.
  uint8_t bytes[12] = {};
  return cubemap && cubemap->size() >= sizeof bytes && source.read_all(cubemap->content, bytes) &&
         std::all_of(std::begin(bytes) + 4, std::end(bytes), [](uint8_t b) { return b == 0; });
}

}  // namespace sphere::media

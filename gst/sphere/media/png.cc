// SPDX-License-Identifier: LGPL-2.1-or-later

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

constexpr std::string_view signature("\x89PNG\r\n\x1a\n", 8);
// Bytes. Chunks whose content is read are not longer. Of the others, only the checksum is
// calculated.
constexpr uint64_t kept = 1 << 16;
constexpr std::string_view xmp_mark("XML:com.adobe.xmp\0", 18);
constexpr uint64_t largest_chunk = 0x7fffffff;

Error cut_off() { return invalid("the PNG ends too early; it was cut off"); }

Status read_header(std::span<const uint8_t> content, PngInfo* info) {
  ByteReader reader(content);
  const uint32_t width = reader.u32(), height = reader.u32();
  info->bits = reader.u8();
  info->colour_type = reader.u8();
  const int compression = reader.u8(), filter = reader.u8(), interlace = reader.u8();
  if (!reader.ok() || reader.remaining()) return invalid("the PNG's header has a wrong length");
  if (width == 0 || height == 0 || width > largest_chunk || height > largest_chunk)
    return invalid("the PNG's header has a size that is not possible");
  info->width = static_cast<int>(width);
  info->height = static_cast<int>(height);
  const int bits = info->bits;
  bool fits = false;
  switch (info->colour_type) {
    case 0:
      fits = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
      break;
    case 3:
      fits = bits == 1 || bits == 2 || bits == 4 || bits == 8;
      break;
    case 2:
    case 4:
    case 6:
      fits = bits == 8 || bits == 16;
      break;
    default:
      break;
  }
  if (!fits || compression != 0 || filter != 0 || interlace > 1)
    return invalid("the PNG's header names a pixel format that does not exist");
  info->transparent = info->colour_type == 4 || info->colour_type == 6;
  return ok();
}

}  // namespace

Result<PngInfo> check_png(const Source& source) {
  Window window(source);
  for (const char c : signature)
    if (window.next() != static_cast<uint8_t>(c)) return invalid("not a PNG");

  PngInfo info;
  bool have_header = false, have_pixels = false;
  std::vector<uint8_t> content;
  for (;;) {
    uint64_t length = 0, stored = 0;
    uint8_t type[4];
    if (!window.number(4, &length)) return cut_off();
    for (uint8_t& letter : type) {
      const int byte = window.next();
      if (byte < 0) return cut_off();
      letter = static_cast<uint8_t>(byte);
    }
    const std::string_view name(reinterpret_cast<const char*>(type), sizeof type);
    if (!std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }))
      return invalid("the PNG is damaged: no chunk where one must begin");
    if (length > largest_chunk) return invalid("the PNG is damaged: a chunk that is too long");
    if (length + 4 > source.size() - std::min(source.size(), window.position())) return cut_off();

    uLong sum = crc32(crc32(0, nullptr, 0), type, sizeof type);
    content.clear();
    for (uint64_t left = length; left > 0;) {
      const std::span<const uint8_t> ahead = window.ahead();
      if (ahead.empty()) return cut_off();
      const auto part = static_cast<size_t>(std::min<uint64_t>(left, ahead.size()));
      sum = crc32(sum, ahead.data(), static_cast<uInt>(part));
      if (length <= kept && name != "IDAT")
        content.insert(content.end(), ahead.begin(), ahead.begin() + static_cast<long>(part));
      window.skip(part);
      left -= part;
    }
    if (!window.number(4, &stored)) return cut_off();
    if (sum != stored)
      return invalid("the PNG is damaged: the check sum of '" + std::string(name) + "' is wrong");

    if (!have_header) {
      if (name != "IHDR") return invalid("the PNG has no header");
      if (const Status read = read_header(content, &info); !read) return read.error();
      have_header = true;
    } else if (name == "IHDR") {
      return invalid("the PNG has two headers");
    } else if (name == "IDAT") {
      have_pixels = true;
    } else if (name == "tRNS") {
      info.transparent = true;
    } else if (name == "acTL") {
      info.animated = true;
    } else if (name == "eXIf") {
      info.orientation = exif_orientation(content);
    } else if (name == "iTXt" && ByteReader(content).starts_with(xmp_mark)) {
      info.spherical |= xmp_is_spherical(content);
    } else if (name == "IEND") {
      if (length != 0) return invalid("the PNG is damaged: its last chunk has content");
      break;
    }
  }
  if (!have_pixels) return invalid("the PNG contains no picture");
  info.length = window.position();
  info.trailing = source.size() - info.length;
  return info;
}

}  // namespace sphere::media

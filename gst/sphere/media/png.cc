// SPDX-License-Identifier: LGPL-2.1-or-later

#include <string>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/png_walk.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

// Bytes. Chunks whose content is read are not longer. Of the others, only the checksum is
// calculated.
constexpr uint64_t kept = 1 << 16;
constexpr std::string_view xmp_mark("XML:com.adobe.xmp\0", 18);
constexpr uint64_t largest_chunk = 0x7fffffff;

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
  PngWalker walker(source, kept);
  PngInfo info;
  bool have_header = false, have_pixels = false;
  for (;;) {
    const Result<std::optional<PngChunk>> next = walker.next();
    if (!next) return next.error();
    if (!*next) break;
    const std::string& name = (*next)->type;
    const std::vector<uint8_t>& content = (*next)->bytes;
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
      if ((*next)->size != 0) return invalid("the PNG is damaged: its last chunk has content");
    }
  }
  if (!have_pixels) return invalid("the PNG contains no picture");
  info.length = walker.position();
  info.trailing = source.size() - info.length;
  return info;
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/riff.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

using Chunk = RiffChunk;
constexpr uint64_t chunk_head = RiffChunk::head;
// Beside a picture's own chunks; real files have a few.
constexpr int most_chunks = 1 << 20;
// Bytes of a chunk with descriptions that are examined.
constexpr uint64_t longest_description = 1 << 20;

Error cut_off(const char* what) {
  return invalid(std::string("the ") + what + " ends too early; it was cut off");
}

bool has_form(const Source& source, const Chunk& chunk, std::string_view form) {
  uint8_t type[4];
  return chunk.size >= sizeof type && source.read_all(chunk.content, type) &&
         std::memcmp(type, form.data(), sizeof type) == 0;
}

std::vector<uint8_t> bytes_of(const Source& source, const Chunk& chunk) {
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(chunk.size, longest_description)));
  if (!source.read_all(chunk.content, bytes)) bytes.clear();
  return bytes;
}

/// The size in the head of a picture, lossy or not.
Status read_frame(const Source& source, const Chunk& chunk, WebpInfo* info) {
  uint8_t head[10] = {};
  const size_t have = source.read(
      chunk.content,
      std::span(head).first(std::min<size_t>(sizeof head, static_cast<size_t>(chunk.size))));
  ByteReader reader(std::span<const uint8_t>(head).first(have));
  if (chunk.type == "VP8L") {
    if (reader.u8() != 0x2f) return invalid("the WebP is damaged: its picture has no head");
    const uint32_t bits = reader.u32_little();
    info->width = static_cast<int>(bits & 0x3fff) + 1;
    info->height = static_cast<int>(bits >> 14 & 0x3fff) + 1;
    info->transparent |= bits >> 28 & 1;
  } else {
    reader.skip(3);
    if (!reader.starts_with("\x9d\x01\x2a"))
      return invalid("the WebP is damaged: its picture has no head");
    info->width = reader.u16_little() & 0x3fff;
    info->height = reader.u16_little() & 0x3fff;
  }
  return reader.ok() ? ok() : cut_off("WebP");
}

}  // namespace

bool read_chunk(const Source& source, uint64_t position, RiffChunk* chunk) {
  uint8_t head[RiffChunk::head];
  if (!source.read_all(position, head)) return false;
  chunk->type.assign(head, head + 4);
  ByteReader reader(std::span<const uint8_t>(head).subspan(4));
  chunk->size = reader.u32_little();
  chunk->content = position + sizeof head;
  return true;
}

bool fits(const Source& source, const RiffChunk& chunk) {
  return chunk.content <= source.size() && chunk.size <= source.size() - chunk.content;
}

Result<AviFile> check_avi(const Source& source) {
  Chunk part;
  if (!read_chunk(source, 0, &part) || part.type != "RIFF" || !has_form(source, part, "AVI "))
    return invalid("not an AVI file");
  AviFile file;
  bool have_pictures = false;
  uint64_t position = 0;
  for (int parts = 0; parts < most_chunks && position + chunk_head <= source.size(); ++parts) {
    if (!read_chunk(source, position, &part) || part.type != "RIFF") break;
    if (!fits(source, part)) return cut_off("AVI");
    const uint64_t end = part.content + part.size;
    Chunk chunk;
    for (uint64_t inner = part.content + 4; inner + chunk_head <= end; inner = chunk.next()) {
      if (!read_chunk(source, inner, &chunk) || chunk.size > end - chunk.content)
        return invalid("the AVI is damaged: a part is longer than the one it is in");
      have_pictures |= chunk.type == "LIST" && has_form(source, chunk, "movi");
    }
    position = part.next();
  }
  // A camera that was switched off while recording leaves a size of zero.
  if (!have_pictures) return cut_off("AVI");
  file.trailing = source.size() - std::min(position, source.size());
  return file;
}

Result<WebpInfo> check_webp(const Source& source) {
  Chunk whole;
  if (!read_chunk(source, 0, &whole) || whole.type != "RIFF" || !has_form(source, whole, "WEBP"))
    return invalid("not a WebP");
  if (!fits(source, whole)) return cut_off("WebP");
  const uint64_t end = whole.content + whole.size;
  WebpInfo info;
  bool have_picture = false;
  Chunk chunk;
  for (uint64_t inner = whole.content + 4; inner + chunk_head <= end; inner = chunk.next()) {
    if (!read_chunk(source, inner, &chunk) || chunk.size > end - chunk.content)
      return invalid("the WebP is damaged: a part is longer than the whole");
    if (chunk.type == "VP8X") {
      const std::vector<uint8_t> bytes = bytes_of(source, chunk);
      ByteReader reader(bytes);
      const uint8_t flags = reader.u8();
      info.animated = flags & 0x02;
      info.transparent |= (flags & 0x10) != 0;
    } else if (chunk.type == "VP8 " || chunk.type == "VP8L") {
      if (const Status read = read_frame(source, chunk, &info); !read) return read.error();
      have_picture = true;
    } else if (chunk.type == "EXIF") {
      info.exif_offset = chunk.content;
      info.exif_length = chunk.size;
      info.orientation = exif_orientation(bytes_of(source, chunk));
    } else if (chunk.type == "XMP ") {
      info.spherical |= xmp_is_spherical(bytes_of(source, chunk));
    }
  }
  if (info.animated) return unsupported("is an animated WebP, which can't be read");
  if (!have_picture) return invalid("the WebP contains no picture");
  info.length = std::min(whole.next(), source.size());
  info.trailing = source.size() - info.length;
  return info;
}

}  // namespace sphere::media

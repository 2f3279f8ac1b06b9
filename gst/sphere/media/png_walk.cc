// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/png_walk.h"

#include <zlib.h>

#include <algorithm>

namespace sphere::media {

namespace {

constexpr std::string_view signature("\x89PNG\r\n\x1a\n", 8);
constexpr uint64_t largest_chunk = 0x7fffffff;

Error cut_off() { return invalid("the PNG ends too early; it was cut off"); }

void append32(std::vector<uint8_t>* bytes, uint64_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes->push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

Result<std::optional<PngChunk>> PngWalker::next() {
  if (!begun_) {
    begun_ = true;
    for (const char c : signature)
      if (window_.next() != static_cast<uint8_t>(c)) return invalid("not a PNG");
  }
  if (ended_) return std::optional<PngChunk>();
  PngChunk chunk;
  chunk.begin = window_.position();
  uint64_t stored = 0;
  uint8_t type[4];
  if (!window_.number(4, &chunk.size)) return cut_off();
  for (uint8_t& letter : type) {
    const int byte = window_.next();
    if (byte < 0) return cut_off();
    letter = static_cast<uint8_t>(byte);
  }
  chunk.type.assign(type, type + sizeof type);
  chunk.content = window_.position();
  if (!std::ranges::all_of(chunk.type,
                           [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }))
    return invalid("the PNG is damaged: no chunk where one must begin");
  if (chunk.size > largest_chunk) return invalid("the PNG is damaged: a chunk that is too long");
  if (chunk.size + 4 > source_.size() - std::min(source_.size(), chunk.content)) return cut_off();

  const bool pixels = chunk.type == "IDAT" || chunk.type == "fdAT";
  const bool keeps = chunk.size <= kept_ && !pixels;
  uLong sum = crc32(crc32(0, nullptr, 0), type, sizeof type);
  for (uint64_t left = chunk.size; left > 0;) {
    const std::span<const uint8_t> ahead = window_.ahead();
    if (ahead.empty()) return cut_off();
    const auto part = static_cast<size_t>(std::min<uint64_t>(left, ahead.size()));
    sum = crc32(sum, ahead.data(), static_cast<uInt>(part));
    if (keeps)
      chunk.bytes.insert(chunk.bytes.end(), ahead.begin(), ahead.begin() + static_cast<long>(part));
    if (pixels && pixels_)
      if (const Status taken = pixels_(chunk.type, ahead.first(part), left == chunk.size); !taken)
        return taken.error();
    window_.skip(part);
    left -= part;
  }
  if (!window_.number(4, &stored)) return cut_off();
  if (sum != stored)
    return invalid("the PNG is damaged: the check sum of '" + chunk.type + "' is wrong");
  ended_ = chunk.type == "IEND";
  return std::optional(std::move(chunk));
}

std::vector<uint8_t> png_chunk(std::string_view type, std::span<const uint8_t> content) {
  std::vector<uint8_t> bytes;
  bytes.reserve(content.size() + 12);
  append32(&bytes, content.size());
  bytes.insert(bytes.end(), type.begin(), type.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  append32(&bytes,
           crc32(crc32(0, nullptr, 0), bytes.data() + 4, static_cast<uInt>(bytes.size() - 4)));
  return bytes;
}

}  // namespace sphere::media

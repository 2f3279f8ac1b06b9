// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/vorbis.h"

#include <array>
#include <string_view>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

/// Three packets with their lengths before them; the second one has the comments.
std::optional<VorbisComments> find_vorbis_comments(std::span<const uint8_t> data) {
  ByteReader reader(data);
  if (reader.u8() != 2) return std::nullopt;
  std::array<size_t, 2> lengths{};
  for (size_t& length : lengths) {
    uint8_t byte = 255;
    while (byte == 255 && reader.ok()) length += byte = reader.u8();
  }
  reader.skip(lengths[0]);
  VorbisComments comments;
  comments.offset = reader.position();
  const size_t length = lengths[1];
  ByteReader packet(reader.take(length));
  constexpr std::string_view mark("\x03vorbis", 7);
  constexpr size_t smallest = 7 + 4 + 4 + 1;
  if (!reader.ok() || !packet.starts_with(mark) || length < smallest) return std::nullopt;
  // One name of a program made of blanks fills it, and there are no comments.
  const size_t blanks = length - smallest;
  comments.empty.assign(mark.begin(), mark.end());
  for (int i = 0; i < 4; ++i) comments.empty.push_back(static_cast<uint8_t>(blanks >> 8 * i));
  comments.empty.insert(comments.empty.end(), blanks, ' ');
  comments.empty.insert(comments.empty.end(), {0, 0, 0, 0, 1});
  return comments;
}

}  // namespace sphere::media

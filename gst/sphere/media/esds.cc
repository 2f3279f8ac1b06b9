// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/esds.h"

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

namespace {

// Tags of descriptors.
constexpr uint8_t es_descriptor = 3, decoder_config = 4, decoder_specific = 5, sync_layer = 6;

/// The content of the descriptor that comes next, if it has this tag.
std::span<const uint8_t> descriptor(ByteReader* reader, uint8_t tag) {
  if (reader->u8() != tag) return {};
  size_t size = 0;
  for (int i = 0; i < 4; ++i) {
    const uint8_t part = reader->u8();
    size = size << 7 | (part & 0x7f);
    if (!(part & 0x80)) break;
  }
  return reader->take(size);
}

}  // namespace

std::optional<CodecConfig> read_esds(std::span<const uint8_t> content) {
  ByteReader box(content);
  box.skip(4);  // version and flags
  ByteReader stream(descriptor(&box, es_descriptor));
  stream.skip(2);  // id
  const uint8_t flags = stream.u8();
  if (flags & 0x80) stream.skip(2);  // depends on another stream
  CodecConfig read;
  const auto note = [&](std::span<const uint8_t> more) {
    if (!more.empty()) read.more.push_back(more);
  };
  if (flags & 0x40) note(stream.take(stream.u8()));  // URL
  if (flags & 0x20) stream.skip(2);                  // clock reference
  ByteReader config(descriptor(&stream, decoder_config));
  read.object_type = config.u8();
  config.skip(1 + 3 + 4 + 4);  // kind of stream, size of the buffer, bit rates
  if (!config.ok()) return std::nullopt;
  // Some codecs have none.
  if (config.remaining()) read.specific = descriptor(&config, decoder_specific);
  if (!config.ok()) return std::nullopt;
  note(config.take(config.remaining()));
  if (stream.remaining()) {
    // Of packets, which MP4 does not have: one byte says that.
    const auto rest = stream.take(stream.remaining());
    ByteReader layer(rest);
    const bool plain = descriptor(&layer, sync_layer).size() == 1;
    note(plain ? layer.take(layer.remaining()) : rest);
  }
  return read;
}

}  // namespace sphere::media

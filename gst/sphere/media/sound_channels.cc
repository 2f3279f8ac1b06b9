// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/sound_channels.h"

#include <gst/base/gstbitreader.h>

#include <array>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

namespace {

// Tags of descriptors, and the object types of AAC.
constexpr uint8_t es_descriptor = 3, decoder_config = 4, decoder_specific = 5;
constexpr uint8_t object_aac_mpeg4 = 0x40, object_aac_mpeg2_first = 0x66,
                  object_aac_mpeg2_last = 0x68;

/// As ByteReader: after the first step past the end, all bits read as zero.
class Bits {
 public:
  explicit Bits(std::span<const uint8_t> bytes) {
    gst_bit_reader_init(&reader_, bytes.data(), static_cast<guint>(bytes.size()));
  }
  uint32_t take(guint count) {
    guint32 value = 0;
    ok_ = ok_ && gst_bit_reader_get_bits_uint32(&reader_, &value, count);
    return ok_ ? value : 0;
  }
  bool ok() const { return ok_; }

 private:
  GstBitReader reader_{};
  bool ok_ = true;
};

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

/// The channels of a program config element.
int program_channels(Bits* bits) {
  bits->take(4 + 2 + 4);  // tag, profile, sampling rate
  const uint32_t front = bits->take(4), side = bits->take(4), back = bits->take(4);
  const uint32_t low = bits->take(2);
  bits->take(3 + 4);  // associated data, coupling channels
  for (const guint mixdown : {4u, 4u, 3u})
    if (bits->take(1)) bits->take(mixdown);
  int channels = static_cast<int>(low);
  for (uint32_t i = 0; i < front + side + back; ++i) {
    channels += bits->take(1) ? 2 : 1;
    bits->take(4);
  }
  return channels;
}

std::optional<int> channels_of_aac(std::span<const uint8_t> config) {
  static constexpr std::array channels = {0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0};
  constexpr uint32_t escape = 31, explicit_rate = 15, sbr = 5, ps = 29;
  Bits bits(config);
  const auto object_type = [&] {
    const uint32_t type = bits.take(5);
    return type == escape ? 32 + bits.take(6) : type;
  };
  const auto skip_rate = [&] {
    if (bits.take(4) == explicit_rate) bits.take(24);
  };
  uint32_t type = object_type();
  skip_rate();
  const uint32_t configuration = bits.take(4);
  if (type == sbr || type == ps) {
    skip_rate();
    type = object_type();
  }
  int count = channels[configuration];
  if (configuration == 0) {
    bits.take(1);  // length of a frame
    if (bits.take(1)) bits.take(14);
    bits.take(1);  // extension
    count = program_channels(&bits);
  }
  // Parametric stereo makes two of one.
  if (type == ps && count == 1) count = 2;
  return bits.ok() && count > 0 ? std::optional(count) : std::nullopt;
}

}  // namespace

std::optional<int> channels_of_esds(std::span<const uint8_t> content) {
  ByteReader box(content);
  box.skip(4);  // version and flags
  ByteReader stream(descriptor(&box, es_descriptor));
  stream.skip(2);  // id
  const uint8_t flags = stream.u8();
  if (flags & 0x80) stream.skip(2);            // depends on another stream
  if (flags & 0x40) stream.skip(stream.u8());  // URL
  if (flags & 0x20) stream.skip(2);            // clock reference
  ByteReader config(descriptor(&stream, decoder_config));
  const uint8_t object = config.u8();
  const bool aac = object == object_aac_mpeg4 ||
                   (object >= object_aac_mpeg2_first && object <= object_aac_mpeg2_last);
  config.skip(1 + 3 + 4 + 4);  // kind of stream, size of the buffer, bit rates
  const std::span<const uint8_t> specific = descriptor(&config, decoder_specific);
  if (!aac || !config.ok() || specific.empty()) return std::nullopt;
  return channels_of_aac(specific);
}

std::optional<int> channels_of_dops(std::span<const uint8_t> content) {
  ByteReader box(content);
  box.skip(1);  // version
  const int channels = box.u8();
  return box.ok() && channels > 0 ? std::optional(channels) : std::nullopt;
}

}  // namespace sphere::media

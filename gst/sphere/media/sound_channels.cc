// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/sound_channels.h"

#include <gst/base/gstbitreader.h>

#include <array>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/esds.h"

namespace sphere::media {

namespace {

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
  const std::optional<CodecConfig> config = read_esds(content);
  if (!config || config->specific.empty()) return std::nullopt;
  const uint8_t type = config->object_type;
  const bool aac = type == object_type::mpeg4_aac ||
                   (type >= object_type::mpeg2_aac_first && type <= object_type::mpeg2_aac_last);
  return aac ? channels_of_aac(config->specific) : std::nullopt;
}

std::optional<int> channels_of_dops(std::span<const uint8_t> content) {
  ByteReader box(content);
  box.skip(1);  // version
  const int channels = box.u8();
  return box.ok() && channels > 0 ? std::optional(channels) : std::nullopt;
}

}  // namespace sphere::media

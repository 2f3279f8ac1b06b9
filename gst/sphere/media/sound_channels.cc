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
  /// Nothing is taken; 0 where there are not as many.
  uint32_t peek(guint count) const {
    guint32 value = 0;
    return ok_ && gst_bit_reader_peek_bits_uint32(&reader_, &value, count) ? value : 0;
  }
  void align() { take((8 - gst_bit_reader_get_pos(&reader_) % 8) % 8); }
  size_t bytes() const { return gst_bit_reader_get_pos(&reader_) / 8; }
  bool ok() const { return ok_; }

 private:
  GstBitReader reader_{};
  bool ok_ = true;
};

struct Aac {
  int channels = 0;
  size_t comment = 0, comment_size = 0;  ///< of the program config element
  size_t end = 0;                        ///< behind the description
};

/// What a program config element tells.
void read_program(Bits* bits, Aac* aac) {
  bits->take(4 + 2 + 4);  // tag, profile, sampling rate
  const uint32_t front = bits->take(4), side = bits->take(4), back = bits->take(4);
  const uint32_t low = bits->take(2), data = bits->take(3), coupling = bits->take(4);
  for (const guint mixdown : {4u, 4u, 3u})
    if (bits->take(1)) bits->take(mixdown);
  aac->channels = static_cast<int>(low);
  for (uint32_t i = 0; i < front + side + back; ++i) {
    aac->channels += bits->take(1) ? 2 : 1;
    bits->take(4);
  }
  for (uint32_t i = 0; i < low + data; ++i) bits->take(4);
  for (uint32_t i = 0; i < coupling; ++i) bits->take(1 + 4);
  bits->align();
  aac->comment_size = bits->take(8);
  aac->comment = bits->bytes();
  for (size_t i = 0; i < aac->comment_size; ++i) bits->take(8);
}

bool is_general(uint32_t type) {
  return (type >= 1 && type <= 4) || type == 6 || type == 7 || type == 17 ||
         (type >= 19 && type <= 23);
}

/// Nothing if it is damaged, or not AAC in its general form.
std::optional<Aac> read_aac(std::span<const uint8_t> config) {
  static constexpr std::array channels = {0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0};
  constexpr uint32_t escape = 31, explicit_rate = 15, sbr = 5, ps = 29, resilient = 17;
  constexpr uint32_t sbr_mark = 0x2b7, ps_mark = 0x548, mark_size = 11;
  Bits bits(config);
  Aac aac;
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
  const bool one_channel = type == ps, marked = type == sbr || type == ps;
  if (marked) {
    skip_rate();
    type = object_type();
  }
  if (!is_general(type)) return std::nullopt;
  bits.take(1);  // length of a frame
  if (bits.take(1)) bits.take(14);
  const bool extended = bits.take(1);
  aac.channels = channels[configuration];
  if (configuration == 0) read_program(&bits, &aac);
  if (type == 6 || type == 20) bits.take(3);
  if (extended) {
    if (type == 22) bits.take(5 + 11);
    if (type == 17 || type == 19 || type == 20 || type == 23) bits.take(3);
    bits.take(1);
  }
  if (type >= resilient) bits.take(2);
  if (!bits.ok()) return std::nullopt;
  // What older decoders take for the end.
  if (!marked && bits.peek(mark_size) == sbr_mark) {
    bits.take(mark_size);
    if (object_type() == sbr && bits.take(1)) {
      skip_rate();
      if (bits.peek(mark_size) == ps_mark) bits.take(mark_size + 1);
    }
    if (!bits.ok()) return std::nullopt;
  }
  bits.align();
  aac.end = bits.bytes();
  // Parametric stereo makes two of one.
  if (one_channel && aac.channels == 1) aac.channels = 2;
  return aac;
}

}  // namespace

std::optional<int> channels_of_esds(std::span<const uint8_t> content) {
  const std::optional<CodecConfig> config = read_esds(content);
  if (!config || config->specific.empty()) return std::nullopt;
  if (!object_type::is_aac(config->object_type)) return std::nullopt;
  const std::optional<Aac> aac = read_aac(config->specific);
  return aac && aac->channels > 0 ? std::optional(aac->channels) : std::nullopt;
}

std::optional<int> channels_of_dops(std::span<const uint8_t> content) {
  ByteReader box(content);
  box.skip(1);  // version
  const int channels = box.u8();
  return box.ok() && channels > 0 ? std::optional(channels) : std::nullopt;
}

std::vector<ByteRange> idle_bytes_of_aac(std::span<const uint8_t> config) {
  // Those of the other forms are short too.
  constexpr size_t longest_other = 64;
  const std::optional<Aac> aac = read_aac(config);
  std::vector<ByteRange> idle;
  if (aac && aac->comment_size) idle.push_back({aac->comment, aac->comment + aac->comment_size});
  const size_t end = aac ? aac->end : longest_other;
  if (config.size() > end) idle.push_back({end, config.size()});
  return idle;
}

std::vector<ByteRange> idle_bytes_of_opus(std::span<const uint8_t> head) {
  constexpr size_t shortest = 19;
  if (head.size() < shortest) return {};
  const size_t channels = head[9], end = shortest + (head[18] ? 2 + channels : 0);
  if (head.size() <= end) return {};
  return {{end, head.size()}};
}

}  // namespace sphere::media

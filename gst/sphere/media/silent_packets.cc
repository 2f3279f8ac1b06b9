// SPDX-License-Identifier: LGPL-2.1-or-later
// AAC: ISO/IEC 14496-3, 4.4.2.1 (raw_data_block) and 1.6.2.1 (AudioSpecificConfig), ADTS: 1.A.2.2.
// Opus: RFC 6716, 3.1 and 3.2, self-delimiting: appendix B; the silence flag of CELT: 4.3.

#include "gst/sphere/media/silent_packets.h"

#include <gst/base/gstbitwriter.h>

#include <algorithm>
#include <array>

namespace sphere::media {

namespace {

// --- AAC -------------------------------------------------------------------------------------

class BitWriter {
 public:
  BitWriter() { gst_bit_writer_init(&writer_); }
  ~BitWriter() { gst_bit_writer_reset(&writer_); }
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;

  void put(unsigned value, unsigned bits) { gst_bit_writer_put_bits_uint32(&writer_, value, bits); }
  /// The bits that were written, filled up with zeros to a whole byte.
  std::vector<uint8_t> bytes() const {
    const uint8_t* data = gst_bit_writer_get_data(&writer_);
    return {data, data + (gst_bit_writer_get_size(&writer_) + 7) / 8};
  }

 private:
  GstBitWriter writer_;
};

enum Element : unsigned { single = 0, pair = 1, low = 3, end = 7 };

// It has no effect, because there are no spectral lines. This value and the window are those of
// libavcodec's encoder: the block is identical to the one that it writes for silence.
constexpr unsigned gain = 140;

void put_window(BitWriter& out) {
  out.put(0, 1);  // reserved
  out.put(0, 2);  // ONLY_LONG_SEQUENCE
  out.put(1, 1);  // Kaiser-Bessel derived window
  out.put(0, 6);  // max_sfb: no scale factor band, so neither sections nor lines follow
  out.put(0, 1);  // no prediction
}

void put_tools(BitWriter& out) {
  out.put(0, 1);  // no pulses
  out.put(0, 1);  // no temporal noise shaping
  out.put(0, 1);  // no gain control
}

void put_element(BitWriter& out, Element element, unsigned tag) {
  out.put(element, 3);
  out.put(tag, 4);
  if (element == pair) {
    out.put(1, 1);  // common window
    put_window(out);
    out.put(0, 2);  // no mid/side
    for (int channel = 0; channel < 2; ++channel) {
      out.put(gain, 8);
      put_tools(out);
    }
    return;
  }
  out.put(gain, 8);
  put_window(out);
  put_tools(out);
}

constexpr unsigned aac_lc = 2;
constexpr size_t adts_header_size = 7, adts_checksum_size = 2;

// --- Opus ------------------------------------------------------------------------------------

// Durations in units of 2.5 ms, the shortest frame.
constexpr int longest = 48;
// The output of the range coder for the silence flag alone. A decoder reads nothing after it.
// libopus writes the same bytes.
constexpr std::array<uint8_t, 2> celt_silence = {0xff, 0xfe};

int opus_duration(std::span<const uint8_t> packet) {
  const int config = packet[0] >> 3;
  int frame = 1 << (config & 3);  // CELT: 2.5, 5, 10, 20 ms
  if (config < 12)
    frame = std::array<int, 4>{4, 8, 16, 24}[config & 3];  // SILK: 10, 20, 40, 60 ms
  else if (config < 16)
    frame = config & 1 ? 8 : 4;  // both: 10, 20 ms
  int count = 2;
  if ((packet[0] & 3) == 0) count = 1;
  if ((packet[0] & 3) == 3) count = packet.size() > 1 ? packet[1] & 0x3f : 0;
  return frame * count;
}

void put_opus(std::vector<uint8_t>& out, int duration, bool stereo, bool self_delimited) {
  // The longest full-band CELT frames of which a whole number has this duration.
  int log = 3;
  while (duration % (1 << log) != 0) --log;
  const int count = duration >> log;
  const auto toc = static_cast<uint8_t>((28 + log) << 3 | (stereo ? 4 : 0));
  if (count == 1) {
    out.push_back(toc);
  } else {
    out.push_back(toc | 3);
    out.push_back(static_cast<uint8_t>(count));  // all of one size, no padding
  }
  if (self_delimited) out.push_back(static_cast<uint8_t>(celt_silence.size()));
  for (int i = 0; i < count; ++i) out.insert(out.end(), celt_silence.begin(), celt_silence.end());
}

}  // namespace

std::vector<uint8_t> silent_aac(int channel_configuration) {
  // In the order of ISO/IEC 14496-3, table 1.19.
  static const std::array<std::vector<Element>, 7> layouts = {{
      {single},
      {pair},
      {single, pair},
      {single, pair, single},
      {single, pair, pair},
      {single, pair, pair, low},
      {single, pair, pair, pair, low},
  }};
  if (channel_configuration < 1 || channel_configuration > static_cast<int>(layouts.size()))
    return {};
  BitWriter out;
  std::array<unsigned, 8> tags = {};
  for (const Element element : layouts[static_cast<size_t>(channel_configuration) - 1])
    put_element(out, element, tags[element]++);
  out.put(end, 3);
  return out.bytes();
}

std::optional<int> aac_lc_channels(std::span<const uint8_t> config) {
  // Five bits of object type, four of rate (15: another 24 bits follow), four of channels.
  if (config.size() < 2 || config[0] >> 3 != aac_lc) return std::nullopt;
  const int rate = (config[0] & 7) << 1 | config[1] >> 7;
  if (rate != 15) return config[1] >> 3 & 15;
  if (config.size() < 5) return std::nullopt;
  return config[4] >> 3 & 15;
}

std::vector<uint8_t> silent_adts(std::span<const uint8_t> frame) {
  if (frame.size() < adts_header_size) return {};
  const bool sync = frame[0] == 0xff && (frame[1] & 0xf6) == 0xf0;
  const bool checked = !(frame[1] & 1);
  const size_t length = (frame[3] & 3u) << 11 | frame[4] << 3u | frame[5] >> 5;
  const bool low_complexity = (frame[2] >> 6) + 1u == aac_lc;
  if (!sync || !low_complexity || length != frame.size() || (frame[6] & 3) != 0 ||
      length < adts_header_size + (checked ? adts_checksum_size : 0))
    return {};
  const std::vector<uint8_t> block = silent_aac((frame[2] & 1) << 2 | frame[3] >> 6);
  if (block.empty()) return {};
  const size_t size = adts_header_size + block.size();
  // Version, profile, rate and channels are copied. No checksum; the buffer fullness is unknown.
  std::vector<uint8_t> out = {
      0xff,
      static_cast<uint8_t>((frame[1] & 0xf9) | 1),
      frame[2],
      static_cast<uint8_t>((frame[3] & 0xc0) | size >> 11),
      static_cast<uint8_t>(size >> 3),
      static_cast<uint8_t>((size & 7) << 5 | 0x1f),
      0xfc,
  };
  out.insert(out.end(), block.begin(), block.end());
  return out;
}

std::vector<uint8_t> silent_opus(std::span<const uint8_t> packet, int streams, int coupled) {
  if (packet.empty()) return {};
  const int duration = opus_duration(packet);
  if (duration < 1 || duration > longest) return {};
  std::vector<uint8_t> out;
  if (streams <= 0) {
    put_opus(out, duration, packet[0] & 4, false);
    return out;
  }
  for (int i = 0; i < std::min(streams, 255); ++i)
    put_opus(out, duration, i < coupled, i + 1 < streams);
  return out;
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/rtp.h"

#include <algorithm>

#include "gst/sphere/base/bytes.h"

namespace sphere::live {

namespace {

enum PacketType : uint8_t {
  sender_report = 200,
  receiver_report = 201,
  source_description = 202,
  bye = 203,
  transport_feedback = 205,
  payload_feedback = 206,
};
constexpr uint8_t format_nack = 1, format_pli = 1, format_fir = 4;

enum NalType : uint8_t { nal_sps = 7, nal_stap_a = 24 };

class Writer {
 public:
  void u8(unsigned value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void u16(unsigned value) {
    u8(value >> 8 & 0xff);
    u8(value & 0xff);
  }
  void u32(uint32_t value) {
    u16(value >> 16);
    u16(value & 0xffff);
  }
  void begin(unsigned count, uint8_t type) {
    begin_ = bytes_.size();
    u8(0x80 | count);
    u8(type);
    u16(0);
  }
  /// The length counts words of 4 bytes, without the first.
  void end() {
    while ((bytes_.size() - begin_) % 4) u8(0);
    const size_t words = (bytes_.size() - begin_) / 4 - 1;
    bytes_[begin_ + 2] = static_cast<uint8_t>(words >> 8);
    bytes_[begin_ + 3] = static_cast<uint8_t>(words & 0xff);
  }
  void text(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0;
};

void read_nacks(ByteReader& reader, Feedback& feedback) {
  const uint32_t stream = reader.u32();
  while (reader.remaining() >= 4) {
    const uint16_t first = reader.u16();
    const uint16_t more = reader.u16();
    for (unsigned i = 0; i <= 16; ++i) {
      if (i > 0 && !(more >> (i - 1) & 1)) continue;
      if (feedback.lost.size() >= max_lost) return;
      feedback.lost.emplace_back(stream, static_cast<uint16_t>(first + i));
    }
  }
}

void read_reports(ByteReader& reader, unsigned count, Feedback& feedback) {
  for (unsigned i = 0; i < count && reader.remaining() >= 24; ++i) {
    reader.skip(4);
    feedback.loss = std::max(feedback.loss, reader.u8());
    reader.skip(19);
  }
}

}  // namespace

std::optional<RtpHeader> read_rtp(std::span<const uint8_t> packet) {
  ByteReader reader(packet);
  const uint8_t first = reader.u8(), second = reader.u8();
  RtpHeader header;
  header.marker = second & 0x80;
  header.payload_type = second & 0x7f;
  header.sequence = reader.u16();
  header.timestamp = reader.u32();
  header.ssrc = reader.u32();
  reader.skip(size_t{first & 15u} * 4);
  if (first >> 6 != 2) return std::nullopt;
  if (first & 0x10) {
    reader.skip(2);
    reader.skip(size_t{reader.u16()} * 4);
  }
  header.payload = reader.take(reader.remaining());
  if (!reader.ok()) return std::nullopt;
  return header;
}

bool begins_key_frame(std::span<const uint8_t> payload) {
  if (payload.empty()) return false;
  const auto type = [](uint8_t header) { return header & 31; };
  if (type(payload[0]) == nal_sps) return true;
  if (type(payload[0]) != nal_stap_a) return false;
  ByteReader reader(payload.subspan(1));
  while (reader.remaining() > 2) {
    const std::span<const uint8_t> unit = reader.take(reader.u16());
    if (!unit.empty() && type(unit[0]) == nal_sps) return true;
  }
  return false;
}

bool is_rtcp(std::span<const uint8_t> packet) {
  return packet.size() >= 8 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}

Feedback read_rtcp(std::span<const uint8_t> packet) {
  Feedback feedback;
  ByteReader reader(packet);
  while (reader.remaining() >= 4) {
    const uint8_t first = reader.u8(), type = reader.u8();
    const std::span<const uint8_t> content = reader.take(size_t{reader.u16()} * 4);
    if (first >> 6 != 2 || !reader.ok()) break;
    const unsigned count = first & 31u;
    ByteReader part(content);
    part.skip(4);  // the sender
    switch (type) {
      case sender_report:
        part.skip(20);
        read_reports(part, count, feedback);
        break;
      case receiver_report:
        read_reports(part, count, feedback);
        break;
      case bye:
        feedback.leaves = true;
        break;
      case transport_feedback:
        if (count == format_nack) read_nacks(part, feedback);
        break;
      case payload_feedback:
        if (count == format_pli || count == format_fir) feedback.wants_key_frame = true;
        break;
      default:
        break;
    }
  }
  return feedback;
}

std::vector<uint8_t> write_sender_report(const SenderReport& report, std::string_view cname) {
  Writer out;
  out.begin(0, sender_report);
  out.u32(report.ssrc);
  out.u32(static_cast<uint32_t>(report.ntp >> 32));
  out.u32(static_cast<uint32_t>(report.ntp));
  out.u32(report.timestamp);
  out.u32(report.packets);
  out.u32(report.bytes);
  out.end();
  out.begin(1, source_description);
  out.u32(report.ssrc);
  out.u8(1);
  out.u8(static_cast<unsigned>(std::min<size_t>(cname.size(), 255)));
  out.text(cname.substr(0, 255));
  out.u8(0);  // the end of the list
  out.end();
  return out.take();
}

std::vector<uint8_t> write_bye(uint32_t ssrc) {
  Writer out;
  // A compound packet begins with a report.
  out.begin(0, receiver_report);
  out.u32(ssrc);
  out.end();
  out.begin(1, bye);
  out.u32(ssrc);
  out.end();
  return out.take();
}

uint64_t ntp_time(int64_t utc_us) {
  constexpr int64_t from_1900_to_1970 = 2208988800;
  const int64_t seconds = utc_us / 1'000'000, rest = utc_us % 1'000'000;
  return static_cast<uint64_t>(seconds + from_1900_to_1970) << 32 |
         ((static_cast<uint64_t>(rest) << 32) / 1'000'000);
}

}  // namespace sphere::live

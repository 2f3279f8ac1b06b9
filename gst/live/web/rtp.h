// SPDX-License-Identifier: LGPL-2.1-or-later
// RTP and RTCP (RFC 3550, 4585, 5104, 6184) as far as a sender needs them. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sphere::live {

inline constexpr size_t rtp_header_size = 12;

/// What is read from our own payloader's packets.
struct RtpHeader {
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t sequence = 0;
  uint32_t timestamp = 0, ssrc = 0;
  std::span<const uint8_t> payload;
};
std::optional<RtpHeader> read_rtp(std::span<const uint8_t> packet);

/// Writes another payload type into a packet.
inline void set_payload_type(std::span<uint8_t> packet, int type) {
  packet[1] = static_cast<uint8_t>((packet[1] & 0x80) | (type & 0x7f));
}

/// Whether a decoder can begin with this payload of H.264: it has a sequence parameter set, which
/// our payloader puts before each key frame.
bool begins_key_frame(std::span<const uint8_t> payload);

/// What a viewer asks for.
struct Feedback {
  bool wants_key_frame = false;
  bool leaves = false;
  /// The packets that it lacks: stream and sequence number.
  std::vector<std::pair<uint32_t, uint16_t>> lost;
  /// The part of the packets that did not arrive, in 1/256, the worst of all streams.
  uint8_t loss = 0;
};
/// More lost packets than this in one packet of RTCP are not listed.
inline constexpr size_t max_lost = 256;

/// Whether a packet is RTCP, where RTP and RTCP share a port (RFC 5761).
bool is_rtcp(std::span<const uint8_t> packet);
/// Reads a compound packet; reading ends where it is damaged.
Feedback read_rtcp(std::span<const uint8_t> packet);

struct SenderReport {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;  ///< seconds since 1900, 32 bits before and after the point
  uint32_t timestamp = 0;
  uint32_t packets = 0, bytes = 0;
};
/// The report and the canonical name, one compound packet.
std::vector<uint8_t> write_sender_report(const SenderReport& report, std::string_view cname);
std::vector<uint8_t> write_bye(uint32_t ssrc);
/// From microseconds since 1970.
uint64_t ntp_time(int64_t utc_us);

}  // namespace sphere::live

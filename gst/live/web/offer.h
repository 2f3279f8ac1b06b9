// SPDX-License-Identifier: LGPL-2.1-or-later
// The offer of a viewer (SDP, RFC 8866 and 8829) and the answer to it. Pure: text in, text out.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::live {

/// An offer of more bytes is not read.
inline constexpr size_t max_offer_bytes = 64 << 10;

using Sha256 = std::array<uint8_t, 32>;

/// A payload type that the viewer offered and that we can send.
struct OfferedFormat {
  int payload_type = 0;
  /// H.264: as the viewer wrote it. The answer repeats it, because some browsers lock their decoder
  /// to it. "" for sound.
  std::string profile;
  bool states_mode = false;  ///< whether it says packetization-mode=1
  /// Feedback that the viewer can send for this payload type.
  bool nack = false, pli = false, fir = false;
};

/// One m-line.
struct OfferedMedia {
  std::string kind;      ///< `video`, `audio`, `application`, …
  std::string protocol;  ///< such as UDP/TLS/RTP/SAVPF
  /// All that stands behind the protocol. Needed where the m-line is refused, which repeats it.
  std::string formats;
  std::string mid;
  bool in_bundle = false;
  bool reduced_size_rtcp = false;
  /// What to send; nothing where none of the formats fits, or the viewer does not receive here.
  std::optional<OfferedFormat> format;
};

struct Offer {
  /// The viewer's user fragments of ICE, that of the pictures first: an m-line may have its own
  /// until the answer tells that it is in a bundle. Its passwords are not needed, because ICE lite
  /// only answers.
  std::vector<std::string> ice_users;
  /// The hash of the certificate that the viewer must show in DTLS.
  Sha256 fingerprint{};
  std::vector<OfferedMedia> media;
  /// Whether it has a bundle. Without one, only pictures can be answered, over their own transport.
  bool has_bundle = false;
  /// Indexes into `media`: the first of each kind that can be answered.
  std::optional<size_t> video, audio;
};

/// Reads an offer. It is an error if it is damaged, too large, can't be answered without the
/// transports that every browser has (DTLS-SRTP, rtcp-mux, bundle), or has no H.264 that we can
/// send. The addresses of the viewer are not used: whoever knows our ICE password sends from where
/// it is.
Result<Offer> parse_offer(std::string_view sdp);

/// The kind of the error for an offer that is valid, but has no H.264 for us.
inline bool lacks_video(const Error& error) { return error.kind == Error::Kind::unsupported; }

struct AnswerStream {
  uint32_t ssrc = 0;
};

struct AnswerAddress {
  std::string ip;
  uint16_t port = 0;
};

/// What our side of one connection has.
struct Answer {
  uint64_t session = 0;  ///< the number of the session, for `o=`
  std::string ice_user, ice_password;
  Sha256 fingerprint{};
  std::string cname;
  AnswerStream video;
  std::optional<AnswerStream> audio;
  std::vector<AnswerAddress> addresses;  ///< the most useful first
};

std::string write_answer(const Offer& offer, const Answer& answer);

/// `AA:BB:…`, as SDP and people write it.
std::string fingerprint_text(std::span<const uint8_t> hash);

/// The user fragment of ICE in a piece of SDP that a viewer sends later; "" if it has none.
std::string ice_user_in(std::string_view fragment);

}  // namespace sphere::live

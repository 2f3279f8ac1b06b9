// SPDX-License-Identifier: LGPL-2.1-or-later
// The connection of one viewer over UDP: ICE lite, DTLS, SRTP, and what it asks for. It has no
// socket, no thread and no clock: datagrams and the time go in, datagrams come out.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/live/web/dtls.h"
#include "gst/live/web/offer.h"
#include "gst/live/web/rtp.h"
#include "gst/live/web/srtp.h"
#include "gst/live/web/stun.h"

namespace sphere::live {

/// Microseconds of a clock that never goes back.
using Time = int64_t;
inline constexpr Time second = 1'000'000;

enum class StreamKind { video, audio };
inline constexpr size_t stream_kinds = 2;

/// A packet from the payloader, the same for all viewers.
struct RtpPacket {
  std::vector<uint8_t> bytes;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  bool begins_key_frame = false;
  /// When the picture was taken, microseconds since 1970.
  int64_t utc_us = 0;
};
using RtpPacketRef = std::shared_ptr<const RtpPacket>;

/// Between which addresses datagrams go: one of our sockets, and the viewer's `sockaddr`.
struct Path {
  int socket = -1;
  std::string address;
  auto operator<=>(const Path&) const = default;
};

/// What the connection of a viewer needs of its server.
class PeerServices {
 public:
  virtual void send_datagram(const Path& path, std::span<const uint8_t> datagram) = 0;
  virtual void want_key_frame() = 0;
  /// A recent packet; null if it is too old.
  virtual RtpPacketRef sent_packet(StreamKind kind, uint16_t sequence) = 0;

 protected:
  virtual ~PeerServices() = default;
};

struct PeerSetup {
  std::string ice_user, ice_password;  ///< ours
  Sha256 fingerprint{};                ///< theirs
  struct Stream {
    uint32_t ssrc = 0;
    int payload_type = 0;
    bool nack = false;
  };
  std::optional<Stream> streams[stream_kinds];
  std::string cname;
};

class Peer {
 public:
  /// A viewer that has sent nothing for this long is gone.
  static constexpr Time longest_silence = 20 * second;
  /// When nothing comes from the address to which pictures are sent for this long, another one of
  /// the viewer takes its place: its network has given it a new one.
  static constexpr Time longest_path_silence = 6 * second;
  /// How long a viewer may take to connect.
  static constexpr Time longest_connecting = 15 * second;

  Peer(PeerSetup setup, const DtlsContext& context, PeerServices& services, Time now);

  const PeerSetup& setup() const { return setup_; }

  /// A check that has our user fragment. Returns whether the sender knows the password, and so is
  /// the viewer; then other datagrams of this path are its too.
  bool check(const StunCheck& check, const StunAddress& from, const Path& path, Time now);
  /// Another datagram of a path of the viewer.
  void receive(std::span<const uint8_t> datagram, const Path& path, Time now);
  void send(StreamKind kind, const RtpPacket& packet, Time now);
  void tick(Time now);
  /// Tells the viewer that the stream has ended.
  void close();

  bool connected() const { return srtp_ != nullptr; }
  bool ended(Time now) const;

 private:
  struct Sending {
    bool started = false;
    uint16_t sequence = 0;  // of the newest one that was sent
    uint32_t packets = 0, bytes = 0, timestamp = 0;
    int64_t utc_us = 0;
    Time next_report = 0;
  };

  /// The viewer has sent something on this path that only it can.
  void note_path(const Path& path, bool nominates, Time now);
  void flush_dtls();
  void on_rtcp(std::span<const uint8_t> datagram, const Path& path, Time now);
  void repeat(uint32_t ssrc, uint16_t sequence);
  bool send_packet(StreamKind kind, const RtpPacket& packet);
  void report(StreamKind kind, Time now);
  const std::optional<PeerSetup::Stream>& stream(StreamKind kind) const {
    return setup_.streams[static_cast<size_t>(kind)];
  }

  const PeerSetup setup_;
  PeerServices& services_;
  DtlsHandshake dtls_;
  std::unique_ptr<Srtp> srtp_;
  std::optional<Path> path_;
  Sending sending_[stream_kinds];
  std::vector<uint32_t> their_ssrcs_;
  const Time begin_;
  Time alive_, path_alive_;
  /// Packets that may be repeated now, and since when.
  unsigned repeats_left_;
  Time repeats_since_;
  bool left_ = false;
};

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends one coded stream to all viewers over UDP. It has a thread of its own, in which everything
// about viewers happens.

#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gst/live/web/key_requests.h"
#include "gst/live/web/offer.h"
#include "gst/live/web/packet_history.h"
#include "gst/live/web/peer.h"
#include "gst/live/web/viewer_slots.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

class MediaServer final : private PeerServices {
 public:
  struct Settings {
    /// Only this machine can connect.
    bool loopback = true;
    /// The port for UDP; 0: any.
    uint16_t port = 0;
    /// Between two key frames that viewers ask for, in microseconds. Each costs all viewers
    /// bandwidth.
    Time key_frame_interval = second / 2;
    /// Asks the encoder for a key frame. Called in the thread of this server.
    std::function<void()> request_key_frame;
  };
  static Result<std::unique_ptr<MediaServer>> start(Settings settings);
  ~MediaServer();

  /// Random numbers that the payloader of a stream must use, so that a new payloader goes on where
  /// the last one ended.
  uint32_t ssrc(StreamKind kind) const { return ssrcs_[static_cast<size_t>(kind)]; }
  uint32_t timestamp_offset(StreamKind kind) const {
    return timestamp_offsets_[static_cast<size_t>(kind)];
  }
  /// The number of the next packet. To be called while none comes.
  uint16_t next_sequence(StreamKind kind) const {
    return next_sequences_[static_cast<size_t>(kind)].load();
  }

  struct Joined {
    std::string id;      ///< of the connection; whoever knows it can end it
    std::string answer;  ///< SDP
  };
  /// `address` is the one of ours that the viewer reached; it is offered first. `sound`: whether
  /// there is any. Any thread but the server's own may call this and the next ones.
  Result<Joined> join(const Offer& offer, const std::string& address, bool sound,
                      ViewerSlots::Slot slot);
  /// Whether there was a viewer with this id.
  bool leave(const std::string& id);
  /// The viewer's user fragments of ICE; nothing if there is no such viewer.
  std::optional<std::vector<std::string>> viewer_users(const std::string& id);

  /// A packet, or a list of packets, from the payloader. `utc_of_running_time_0` in microseconds.
  /// Any thread may call.
  void push(StreamKind kind, GstSample* sample, int64_t utc_of_running_time_0);
  /// A viewer that is not served over UDP needs a key frame. Any thread may call.
  void want_key_frame_later();

 private:
  struct Viewer {
    ViewerSlots::Slot slot;
    std::string our_user;
    std::vector<std::string> their_users;
    std::unique_ptr<Peer> peer;
    std::vector<Path> paths;
  };
  struct Socket {
    ObjectRef<GSocket> socket;
    std::string ip;
    uint16_t port = 0;
    Watch readable, writable;
    /// Datagrams that the system does not take yet, and where they go.
    std::deque<std::pair<std::string, std::vector<uint8_t>>> waiting;
  };

  MediaServer(Settings settings, DtlsContext context, Sha256 fingerprint);

  Status open_sockets();
  Status open_socket(const std::string& ip);
  Result<Joined> join_here(const Offer& offer, const std::string& address, bool sound,
                           ViewerSlots::Slot slot);
  void read(int socket);
  bool write_waiting(int socket);
  void on_datagram(std::span<const uint8_t> datagram, const Path& path);
  void on_check(const StunCheck& check, const Path& path);
  void send_all(StreamKind kind, const std::vector<RtpPacketRef>& packets);
  void tick();
  void remove(const std::string& id);
  void forget_path(const Path& path, const std::string& id);

  void send_datagram(const Path& path, std::span<const uint8_t> datagram) override;
  void want_key_frame() override;
  RtpPacketRef sent_packet(StreamKind kind, uint16_t sequence) override;

  const Settings settings_;
  const DtlsContext context_;
  const Sha256 fingerprint_;
  const std::string cname_;
  uint32_t ssrcs_[stream_kinds];
  uint32_t timestamp_offsets_[stream_kinds];
  std::atomic<uint16_t> next_sequences_[stream_kinds];
  /// Calls of push() that the thread has not executed yet.
  std::atomic<unsigned> waiting_{0};

  LoopThread loop_;
  // The rest belongs to the thread.
  std::map<int, Socket> sockets_;
  int socket_count_ = 0;
  std::map<std::string, Viewer> viewers_;                       // by id
  std::map<std::string, std::string, std::less<>> id_of_user_;  // by our user fragment
  std::map<Path, std::string> id_of_path_;
  PacketHistory histories_[stream_kinds] = {PacketHistory(1024), PacketHistory(128)};
  KeyRequests key_requests_;
  Watch ticking_;
};

}  // namespace sphere::live

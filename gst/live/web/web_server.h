// SPDX-License-Identifier: LGPL-2.1-or-later
// The server of the page: HTTP with the page itself, its signalling (WHEP), the stream for networks
// without UDP, and what is to be known about the stream. It has a thread of its own.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gst/live/web/media_server.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// What the page is told about the stream.
struct StreamFacts {
  /// waiting: the camera is lost, or did not begin yet.
  enum class State { waiting, playing, ended } state = State::waiting;
  int width = 0, height = 0;
  double fps = 0;
  bool sound = false;
  bool spherical = true;
};

class WebServer {
 public:
  struct Settings {
    /// The address to listen on; "" for all. Loopback addresses need no token.
    std::string address = "127.0.0.1";
    uint16_t port = 0;      ///< of HTTP; 0: any
    uint16_t udp_port = 0;  ///< of the pictures; 0: any
    /// Everybody who has it may watch; "": no token. An address that others reach needs one.
    std::string token;
    /// Certificate and key in PEM for HTTPS; "": HTTP.
    std::string certificate;
    unsigned viewers = 20;
    /// How long a client may take for a whole request, and for how long a viewer over HTTP may take
    /// nothing, in microseconds.
    gint64 longest_request = 10 * G_USEC_PER_SEC, longest_silence = 10 * G_USEC_PER_SEC;
    /// Between two key frames that viewers ask for, in microseconds.
    gint64 key_frame_interval = G_USEC_PER_SEC / 2;
    /// Asks the encoder for a key frame; any thread of the server may call it.
    std::function<void()> request_key_frame = [] {};
  };

  static Result<std::unique_ptr<WebServer>> start(Settings settings);
  /// Ends all connections.
  ~WebServer();

  uint16_t port() const;
  bool secure() const;
  /// Where the page is, with the token; the most useful first.
  std::vector<std::string> links() const;
  /// Of the certificate, "" without HTTPS.
  std::string fingerprint() const;
  unsigned viewers() const;
  /// Waits until the last viewer has left; false if that takes longer. Any thread but the server's.
  bool wait_for_last_viewer(std::chrono::microseconds at_most) const;

  // Any thread may call these.

  void set_facts(const StreamFacts& facts);
  /// A picture or a packet of sound as it is coded.
  void push_coded(StreamKind kind, GstSample* sample);
  /// The same in packets of RTP. `utc_of_running_time_0` in microseconds since 1970.
  void push_packets(StreamKind kind, GstSample* sample, int64_t utc_of_running_time_0);
  MediaServer& media();

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sphere::live

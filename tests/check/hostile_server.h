// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that does everything wrong: its control channel, its data port and its preview, over
// loopback, in a thread of its own.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace sphere::test {

/// What it does. By default it answers every request, but has no lens table and no pictures.
struct HostileBehaviour {
  const char* name;

  /// What it says to request `id`, instead of the `usual` reply.
  std::function<std::string(int id, const std::string& usual)> reply = {};
  /// Sent without end after the reply to this request; 0: from the beginning. By default after the
  /// last request of the connect sequence.
  std::string flood = {};
  int flood_after = 4364;
  /// After so many requests it says nothing any more, or closes the connection.
  int mute_after = -1, close_after = -1;
  /// It says one byte a millisecond.
  bool drips = false;

  /// The lens table: none; what it says of its size; and what the data port then sends.
  enum class Table { none, huge, negative, endless, cut, silent } table = Table::none;

  enum class Preview {
    no_pictures,      ///< all is well, and no packet comes
    mute,             ///< connections are accepted, and nothing is ever said
    closes,           ///< at the first request
    garbage,          ///< no RTSP at all, without end
    endless_headers,  ///< a reply that never comes to its body
    endless_sdp,      ///< a description of 2 GB
    odd_sdp,          ///< a description with escape sequences and no sense
    redirects,        ///< to itself
    leads_elsewhere,  ///< to a file
    garbage_packets,  ///< packets of random bytes, without end
  } preview = Preview::no_pictures;
};

class HostileCamera {
 public:
  explicit HostileCamera(HostileBehaviour behaviour);
  ~HostileCamera();
  HostileCamera(const HostileCamera&) = delete;
  HostileCamera& operator=(const HostileCamera&) = delete;

  std::string uri() const;
  /// How many connections to its control channel there were.
  int connections() const { return connections_; }

 private:
  struct Client;
  void run();
  void accept(int listening);
  void receive(Client& client);
  void send(Client& client);
  void take_requests(Client& client);
  void answer(Client& client, int id, const std::string& request);
  void take_rtsp(Client& client);
  void refill(Client& client);
  bool is_paced(const Client& client) const;

  const HostileBehaviour behaviour_;
  int control_ = -1, data_ = -1, rtsp_ = -1, quit_ = -1;  // descriptors
  std::list<Client> clients_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace sphere::test

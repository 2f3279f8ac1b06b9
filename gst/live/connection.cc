// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/connection.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

/// Calls `take` with the descriptor of each TCP connection to this port.
template <typename Function>
void for_each_connection(uint16_t port, Function take) {
  const std::unique_ptr<DIR, Call<closedir>> descriptors(opendir("/proc/self/fd"));
  if (!descriptors) return;
  while (const dirent* entry = readdir(descriptors.get())) {
    const int descriptor = std::atoi(entry->d_name);
    int type = 0;
    socklen_t size = sizeof type;
    // What is no socket fails here.
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
      continue;
    sockaddr_storage peer = {};
    size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        port_of(peer) == port)
      take(descriptor);
  }
}

}  // namespace

bool limit_send_buffers(uint16_t port, int bytes) {
  bool found = false;
  for_each_connection(port, [&](int descriptor) {
    found = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0 || found;
  });
  return found;
}

int64_t unanswered_for(uint16_t port) {
  int64_t longest = 0;
  for_each_connection(port, [&](int descriptor) {
    tcp_info info = {};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    // Without a repetition the answer may be on its way.
    if (info.tcpi_state == TCP_ESTABLISHED && info.tcpi_unacked && info.tcpi_retransmits)
      longest = std::max(longest, int64_t{info.tcpi_last_ack_recv} * 1000);
  });
  return longest;
}

}  // namespace sphere::live

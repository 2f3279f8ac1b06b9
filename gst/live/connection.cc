// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/connection.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

// A context has a few descriptors for each of its connections.
constexpr int most_polled = 64;
constexpr int most_turns = 100;

uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

bool is_stream_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  // What is no socket fails here.
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/// Calls `take` with the descriptor of each TCP connection to this port.
template <typename Function>
void for_each_connection(uint16_t port, Function take) {
  const std::unique_ptr<DIR, Call<closedir>> descriptors(opendir("/proc/self/fd"));
  if (!descriptors) return;
  while (const dirent* entry = readdir(descriptors.get())) {
    const int descriptor = std::atoi(entry->d_name);
    if (!is_stream_socket(descriptor)) continue;
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
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

void end_connections(GMainContext* context) {
  if (!g_main_context_acquire(context)) return;
  // Whoever closes something does it in this context, too.
  g_main_context_push_thread_default(context);
  gint priority = 0, timeout = 0;
  g_main_context_prepare(context, &priority);
  std::vector<GPollFD> polled(most_polled);
  const int count = std::min(
      most_polled, g_main_context_query(context, G_MAXINT, &timeout, polled.data(), most_polled));
  for (int i = 0; i < count; ++i)
    if (is_stream_socket(polled[static_cast<size_t>(i)].fd))
      shutdown(polled[static_cast<size_t>(i)].fd, SHUT_RDWR);
  for (int i = 0; i < most_turns && g_main_context_iteration(context, FALSE); ++i) {
  }
  g_main_context_pop_thread_default(context);
  g_main_context_release(context);
}

}  // namespace sphere::live

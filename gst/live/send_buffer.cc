// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/send_buffer.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

}  // namespace

bool limit_send_buffers(uint16_t port, int bytes) {
  const std::unique_ptr<DIR, Call<closedir>> descriptors(opendir("/proc/self/fd"));
  if (!descriptors) return false;
  bool found = false;
  while (const dirent* entry = readdir(descriptors.get())) {
    const int descriptor = std::atoi(entry->d_name);
    int type = 0;
    socklen_t size = sizeof type;
    // What is no socket fails here.
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
      continue;
    sockaddr_storage peer = {};
    size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        port_of(peer) != port)
      continue;
    found = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0 || found;
  }
  return found;
}

}  // namespace sphere::live

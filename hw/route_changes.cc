// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/route_changes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

namespace sphere::hw {

namespace {

// When a network is joined, its address and its routes come within this time.
constexpr int settle_ms = 200;

}  // namespace

RouteChanges::RouteChanges()
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE;
  if (socket_ && bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    socket_ = Descriptor();
}

/// What the messages say does not matter: whoever waits looks at the routes themselves.
void RouteChanges::read_all() {
  std::array<char, 8192> buffer;
  while (recv(socket_.get(), buffer.data(), buffer.size(), 0) > 0) {
  }
}

RouteChanges::WakeReason RouteChanges::wait(int descriptor, std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> fds = {pollfd{descriptor, POLLIN, 0},
                               pollfd{socket_ ? socket_.get() : -1, POLLIN, 0}};
  if (poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0)
    return WakeReason::timeout;
  if (fds[0].revents) return WakeReason::descriptor;
  // A socket whose buffer is full has an error, which counts as a change, too.
  if (poll(fds.data(), 1, settle_ms) > 0) return WakeReason::descriptor;
  read_all();
  return WakeReason::change;
}

}  // namespace sphere::hw

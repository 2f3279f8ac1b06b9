// SPDX-License-Identifier: LGPL-2.1-or-later
// Ports on loopback that somebody listens at, or seems to.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <cstdint>
#include <optional>
#include <vector>

#include <gio/gio.h>

#include "gst/sphere/base/gobject.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

inline ObjectRef<GSocket> make_tcp_socket() {
  return ObjectRef<GSocket>(
      g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr));
}

/// A port that accepts connections; nothing is sent there unless a test does it.
class ListeningSocket {
 public:
  /// `backlog`: so many clients wait for somebody who accepts them.
  explicit ListeningSocket(std::optional<int> backlog = {}) : socket_(make_tcp_socket()) {
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
    if (backlog) g_socket_set_listen_backlog(socket_.get(), *backlog);
    fail_unless(g_socket_bind(socket_.get(), any, TRUE, nullptr));
    fail_unless(g_socket_listen(socket_.get(), nullptr));
    address_.reset(g_socket_get_local_address(socket_.get(), nullptr));
  }
  GSocket* socket() const { return socket_.get(); }
  GSocketAddress* address() const { return address_.get(); }
  uint16_t port() const {
    return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address_.get()));
  }

 private:
  ObjectRef<GSocket> socket_;
  ObjectRef<GSocketAddress> address_;
};

/// A port that does not answer, as if its machine did not exist: its queue of connections is full,
/// so that Linux drops new ones.
class UnreachablePort {
 public:
  UnreachablePort() : listening_(0) {
    for (int i = 0; i < 4; ++i) {
      waiting_.push_back(make_tcp_socket());
      g_socket_set_blocking(waiting_.back().get(), FALSE);
      g_socket_connect(waiting_.back().get(), listening_.address(), nullptr, nullptr);
    }
  }
  uint16_t port() const { return listening_.port(); }

 private:
  ListeningSocket listening_;
  std::vector<ObjectRef<GSocket>> waiting_;
};

}  // namespace sphere::test

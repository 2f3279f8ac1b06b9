// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/listener.h"

#include <utility>

namespace sphere::emulator {

namespace {

// If the system has no free descriptor for a waiting connection, the port stays readable. To try
// again at once would use a whole core.
constexpr auto pause_time = std::chrono::milliseconds(100);

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const std::string& host, uint16_t port,
                                                 GMainContext* context, Accepted accepted) {
  g_autoptr(GError) error = nullptr;
  g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(host.c_str());
  if (!inet) return invalid("'" + host + "' is no address to listen on; give one in numbers");
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new(inet, port);
  ObjectRef<GSocket> socket(g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM,
                                         G_SOCKET_PROTOCOL_TCP, &error));
  // The queue has room for as many connections as are allowed. With a smaller one, the system would
  // drop some of a burst for a second or more.
  if (socket) g_socket_set_listen_backlog(socket.get(), most_connections);
  if (!socket || !g_socket_bind(socket.get(), address, TRUE, &error) ||
      !g_socket_listen(socket.get(), &error))
    return failed("the emulator can't listen on " + host + ":" + std::to_string(port) + ": " +
                  error->message);
  g_socket_set_blocking(socket.get(), FALSE);
  return std::unique_ptr<Listener>(new Listener(std::move(socket), context, std::move(accepted)));
}

Listener::Listener(ObjectRef<GSocket> socket, GMainContext* context, Accepted accepted)
    : socket_(std::move(socket)), context_(context), accepted_(std::move(accepted)) {
  listen();
}

uint16_t Listener::port() const {
  g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket_.get(), nullptr);
  return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
}

void Listener::listen() {
  readable_ = watch_socket(socket_.get(), G_IO_IN, context_, [this] {
    accept();
    return true;
  });
}

void Listener::accept() {
  g_autoptr(GError) error = nullptr;
  ObjectRef<GSocket> socket(g_socket_accept(socket_.get(), nullptr, &error));
  if (socket) {
    g_socket_set_blocking(socket.get(), FALSE);
    accepted_(std::move(socket));
  } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
    readable_.stop();
    pause_ = watch_time(pause_time, context_, [this] {
      listen();
      return false;
    });
  }
}

std::string address_of(GSocketAddress* address) {
  if (!address || !G_IS_INET_SOCKET_ADDRESS(address)) return {};
  return GString_(g_inet_address_to_string(
                      g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address))))
      .get();
}

std::string remote_address_of(GSocket* socket) {
  g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket, nullptr);
  return address_of(remote);
}

}  // namespace sphere::emulator

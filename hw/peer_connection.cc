// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/peer_connection.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <charconv>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere::hw {

namespace {

/// Whether the descriptor is a TCP connection to this port, and, if `host` is an address, to this
/// address.
bool leads_to(int descriptor, const std::string& host, uint16_t port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  int type = 0;
  socklen_t type_size = sizeof type;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0 ||
      getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM)
    return false;
  const ObjectRef<GSocketAddress> peer(g_socket_address_new_from_native(&storage, size));
  if (!peer || !G_IS_INET_SOCKET_ADDRESS(peer.get())) return false;
  auto* inet = G_INET_SOCKET_ADDRESS(peer.get());
  if (g_inet_socket_address_get_port(inet) != port) return false;
  const ObjectRef<GInetAddress> wanted(g_inet_address_new_from_string(host.c_str()));
  return !wanted || g_inet_address_equal(g_inet_socket_address_get_address(inet), wanted.get());
}

std::optional<ino_t> inode_of(int descriptor) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return status.st_ino;
}

/// The connections that were found already, by the inodes of their sockets.
struct KnownConnections {
  Mutex mutex;  // protects `inodes`; the innermost
  std::set<ino_t> inodes SPHERE_GUARDED_BY(mutex);
};

KnownConnections& known_connections() {
  static KnownConnections one;
  return one;
}

}  // namespace

PeerConnection::PeerConnection(std::string host, uint16_t port)
    : host_(std::move(host)), port_(port) {}

PeerConnection::~PeerConnection() { release(); }

void PeerConnection::release() {
  std::optional<Socket> socket;
  {
    const Lock lock(mutex_);
    socket = std::exchange(socket_, std::nullopt);
  }
  if (!socket) return;
  KnownConnections& known = known_connections();
  const Lock lock(known.mutex);
  known.inodes.erase(socket->inode);
}

void PeerConnection::find() {
  if (second_descriptor()) return;
  release();
  const std::unique_ptr<GDir, Call<g_dir_close>> folder(g_dir_open("/proc/self/fd", 0, nullptr));
  if (!folder) return;
  while (const char* entry = g_dir_read_name(folder.get())) {
    const std::string_view name(entry);
    int descriptor = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), descriptor).ec != std::errc())
      continue;
    const std::optional<ino_t> inode = inode_of(descriptor);
    if (!inode || !leads_to(descriptor, host_, port_)) continue;
    {
      KnownConnections& known = known_connections();
      const Lock lock(known.mutex);
      if (!known.inodes.insert(*inode).second) continue;
    }
    const Lock lock(mutex_);
    socket_ = {descriptor, *inode};
    return;
  }
}

/// A second descriptor of the same connection. It stays valid when the library closes its own
/// descriptor, whose number may then be used for another file.
Descriptor PeerConnection::second_descriptor() const {
  std::optional<Socket> socket;
  {
    const Lock lock(mutex_);
    socket = socket_;
  }
  if (!socket) return {};
  Descriptor second(fcntl(socket->descriptor, F_DUPFD_CLOEXEC, 0));
  if (!second || inode_of(second.get()) != socket->inode) return {};
  return second;
}

uint64_t PeerConnection::received() const {
  const Descriptor connection = second_descriptor();
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!connection || getsockopt(connection.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return 0;
  return info.tcpi_bytes_received;
}

void PeerConnection::shut_down() const {
  if (const Descriptor connection = second_descriptor()) shutdown(connection.get(), SHUT_RDWR);
}

}  // namespace sphere::hw

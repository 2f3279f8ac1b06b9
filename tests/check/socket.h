// SPDX-License-Identifier: LGPL-2.1-or-later
// Clients of an emulated camera that are not ours: bare sockets, and one on the control channel.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gio/gio.h>
#include <sys/socket.h>

#include "gst/sphere/base/gobject.h"
#include "hw/madv/emulator/emulator.h"
#include "hw/madv/message.h"
#include "hw/madv/wire.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// A connection that does nothing by itself.
class Socket {
 public:
  explicit Socket(uint16_t port) {
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_set_timeout(client, 60);
    g_autoptr(GError) error = nullptr;
    connection_.reset(g_socket_client_connect_to_host(client, "127.0.0.1", port, nullptr, &error));
    fail_unless(connection_ != nullptr, "port %u: %s", port, error ? error->message : "");
  }

  void send(std::string_view bytes) {
    g_autoptr(GError) error = nullptr;
    const gssize sent = g_socket_send(socket(), bytes.data(), bytes.size(), nullptr, &error);
    fail_unless(sent == static_cast<gssize>(bytes.size()), "%s", error ? error->message : "short");
  }
  /// What is there, or "" at the end.
  std::string receive() {
    char buffer[65536];
    g_autoptr(GError) error = nullptr;
    const gssize got = g_socket_receive(socket(), buffer, sizeof buffer, nullptr, &error);
    fail_unless(got >= 0, "%s", error ? error->message : "");
    return {buffer, static_cast<size_t>(got)};
  }
  /// Everything up to so many bytes.
  std::string receive(size_t size) {
    std::string all;
    while (all.size() < size) {
      char buffer[65536];
      const gssize got = g_socket_receive(
          socket(), buffer, std::min(sizeof buffer, size - all.size()), nullptr, nullptr);
      fail_unless(got > 0, "it ends after %zu bytes", all.size());
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }
  /// Sends as much from this byte on as the system takes at once. Returns how much.
  size_t send_some(std::string_view bytes, size_t from) {
    g_socket_set_blocking(socket(), FALSE);
    const gssize sent =
        g_socket_send(socket(), bytes.data() + from, bytes.size() - from, nullptr, nullptr);
    g_socket_set_blocking(socket(), TRUE);
    return sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  /// Whether the other end closes it within this time. What it sends is dropped.
  bool ended_within(std::chrono::microseconds time) {
    const gint64 until = g_get_monotonic_time() + time.count();
    for (;;) {
      const gint64 left = std::max<gint64>(until - g_get_monotonic_time(), 0);
      if (!g_socket_condition_timed_wait(socket(), G_IO_IN, left, nullptr, nullptr)) return false;
      char buffer[4096];
      if (g_socket_receive(socket(), buffer, sizeof buffer, nullptr, nullptr) <= 0) return true;
    }
  }
  /// The size of the buffers at this end, in both directions; by default some megabytes.
  void limit_buffers(int bytes) {
    for (const int option : {SO_SNDBUF, SO_RCVBUF})
      fail_unless(setsockopt(g_socket_get_fd(socket()), SOL_SOCKET, option, &bytes, sizeof bytes) ==
                  0);
  }
  void say_all() { fail_unless(g_socket_shutdown(socket(), FALSE, TRUE, nullptr)); }
  /// Closes the connection with a reset instead of an orderly end.
  void vanish() {
    const linger at_once = {1, 0};
    setsockopt(g_socket_get_fd(socket()), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection_.reset();
  }

 private:
  GSocket* socket() { return g_socket_connection_get_socket(connection_.get()); }
  ObjectRef<GSocketConnection> connection_;
};

/// The control channel.
class ControlClient {
 public:
  explicit ControlClient(const madv_emulator::Emulator& camera) : socket_(camera.ports().control) {}

  void send(const std::string& json) { socket_.send(json); }
  madv::Message next() {
    for (;;) {
      Result<std::optional<std::string>> object = framer_.next();
      fail_unless(bool(object), "%s", object ? "" : object.error().message.c_str());
      if (*object) {
        Result<madv::Message> message = madv::Message::parse(**object);
        fail_unless(bool(message));
        return std::move(*message);
      }
      const std::string bytes = socket_.receive();
      fail_unless(!bytes.empty(), "the connection ends");
      framer_.feed(bytes);
    }
  }
  /// The next message is of this id.
  madv::Message next(int id) {
    madv::Message message = next();
    fail_unless_equals_int(message.id(), id);
    return message;
  }
  madv::Message ask(int id, const std::string& more = "") {
    send("{\"msg_id\":" + std::to_string(id) + ",\"token\":" + std::to_string(token_) + more + "}");
    return next(id);
  }
  void open() {
    token_ = *ask(257).param_number();
    fail_unless(ask(261, R"(,"type":"TCP","param":"127.0.0.1")").succeeded());
  }
  Socket& socket() { return socket_; }

 private:
  Socket socket_;
  madv::Framer framer_;
  int64_t token_ = 0;
};

}  // namespace sphere::test

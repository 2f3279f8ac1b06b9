// SPDX-License-Identifier: LGPL-2.1-or-later
// A port that connections are accepted on.

#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "hw/emulator/loop.h"

namespace sphere::emulator {

/// How many connections each port has at the same time; one more is closed at once.
constexpr size_t most_connections = 64;

class Listener {
 public:
  /// Gets each connection, not blocking, in the thread of the context.
  using Accepted = std::function<void(ObjectRef<GSocket>)>;

  /// A port of 0 is any that is free.
  static Result<std::unique_ptr<Listener>> open(const std::string& host, uint16_t port,
                                                GMainContext* context, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const;

 private:
  Listener(ObjectRef<GSocket> socket, GMainContext* context, Accepted accepted);
  void listen();
  void accept();

  const ObjectRef<GSocket> socket_;
  GMainContext* const context_;
  const Accepted accepted_;
  Watch readable_, pause_;
};

/// "127.0.0.1"
std::string address_of(GSocketAddress* address);
/// Of the other end; "" where it has gone.
std::string remote_address_of(GSocket* socket);

}  // namespace sphere::emulator

// SPDX-License-Identifier: LGPL-2.1-or-later
// Accepts connections on a port.

#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/result.h"

namespace sphere::emulator {

/// The largest number of simultaneous connections of a port; a further one is closed at once.
constexpr size_t most_connections = 64;

class Listener {
 public:
  /// Called with each connection, which is non-blocking, in the thread of the context.
  using Accepted = std::function<void(ObjectRef<GSocket>)>;

  /// 0 means any free port.
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
/// Address of the other end; "" if it is gone.
std::string remote_address_of(GSocket* socket);

}  // namespace sphere::emulator

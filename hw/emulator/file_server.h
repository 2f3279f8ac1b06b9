// SPDX-License-Identifier: LGPL-2.1-or-later
// Serves the files of the card over HTTP.

#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

#include <array>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "hw/emulator/card.h"
#include "hw/emulator/faults.h"
#include "hw/emulator/loop.h"

namespace sphere::emulator {

namespace faults {

inline constexpr FaultInfo http_cut{"http-cut", 64,
                                    "after N KiB of each file over HTTP, the connection is closed"};
inline constexpr FaultInfo http_slow{"http-slow", 64, "HTTP sends N KiB of a file a second", 1};

}  // namespace faults

inline constexpr std::array<const FaultInfo*, 2> http_faults = {&faults::http_cut,
                                                                &faults::http_slow};

/// Serves the files in DCIM. To be used in one thread, whose default main context is `context`.
class FileServer {
 public:
  /// A connection is closed if it sends no complete request, or receives nothing of its answer, for
  /// `idle_time`. `name` is sent as the server's name. `fault` returns what it has at the moment.
  using FindFault = std::function<std::optional<Fault>(const FaultInfo&)>;
  FileServer(GMainContext* context, const Card& card, const char* name,
             std::chrono::seconds idle_time, FindFault fault);
  /// Closes all connections.
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  /// With a certificate, the connection is one of HTTPS.
  void accept(ObjectRef<GSocket> socket, GTlsCertificate* certificate = nullptr);
  /// Bytes of files that were sent.
  uint64_t sent() const { return *sent_; }

 private:
  struct Connection {
    GIOStream* stream;  // libsoup's
    ObjectRef<GSocket> socket;
    ObjectRef<GSocketAddress> remote;
    Watch deadline;
  };
  struct Body;

  void start_deadline(Connection& connection);
  Connection* connection_of(SoupServerMessage* message);
  void serve(SoupServerMessage* message, const char* path);
  static void stream_gone(gpointer self, GObject* stream);
  static void send_next(SoupServerMessage* message, Body& body);
  static void chunk_sent(SoupServerMessage* message, gpointer body);

  GMainContext* const context_;
  const Card& card_;
  const std::chrono::seconds idle_time_;
  const FindFault fault_;
  const std::shared_ptr<uint64_t> sent_ = std::make_shared<uint64_t>(0);
  const ObjectRef<SoupServer> server_;
  std::list<Connection> connections_;
};

}  // namespace sphere::emulator

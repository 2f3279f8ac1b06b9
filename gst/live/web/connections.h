// SPDX-License-Identifier: LGPL-2.1-or-later
// The TCP connections of the server: how many there may be, and how long each may take. libsoup
// itself limits neither.

#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

#include <list>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// Belongs to one thread, whose default main context it uses.
class Connections {
 public:
  /// When more are needed, those that wait for a request are closed, the oldest first.
  static constexpr size_t most = 256;
  /// How long an answer that is no stream may take.
  static constexpr gint64 longest_answer = 30 * G_USEC_PER_SEC;
  /// The largest body of a request. More is read and thrown away for a while, so that the client
  /// sees the answer.
  static constexpr goffset most_body = 64 << 10, most_thrown_away = 1 << 20;

  /// `certificate` may be null: no encryption. `longest_request`: how long a client may take for a
  /// whole request, in microseconds.
  Connections(SoupServer* server, GTlsCertificate* certificate, gint64 longest_request);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// `ip`: an address, or "" for all. Port 0: any, the same for later calls. To be called before
  /// `serve`; clients that come between the two wait.
  Status listen(const std::string& ip, uint16_t port);
  void serve();
  uint16_t port() const { return port_; }

  /// To be called each second or so.
  void tick();
  /// The answer to this message has no end.
  void set_streaming(SoupServerMessage* message);
  /// Whether its client has ended the connection. libsoup does not see that while nothing is to be
  /// written.
  bool is_closed(SoupServerMessage* message);
  /// Cuts the connection of a message.
  void cut(SoupServerMessage* message);
  size_t count() const { return all_.size(); }

 private:
  struct Connection {
    Connections* owner;
    GSocketConnection* connection;  ///< not owned; a callback tells when it is destroyed
    ObjectRef<GSocketAddress> remote;
    gint64 since;  ///< when it began to wait, or to answer
    bool answering = false, streaming = false;
  };

  static gboolean on_incoming(GSocketService*, GSocketConnection* connection, GObject*,
                              gpointer self);
  static void on_gone(gpointer connection, GObject*);
  static void on_started(SoupServer*, SoupServerMessage* message, gpointer self);
  static void on_read(SoupServer*, SoupServerMessage* message, gpointer self);
  static void on_finished(SoupServer*, SoupServerMessage* message, gpointer self);
  static void on_headers(SoupServerMessage* message, gpointer self);
  static void on_chunk(SoupServerMessage* message, GBytes* chunk, gpointer self);

  void accept(GSocketConnection* connection);
  bool make_room();
  static void cut(const Connection& connection);
  Connection* find(SoupServerMessage* message);

  SoupServer* const server_;
  GTlsCertificate* const certificate_;
  const gint64 longest_request_;
  ObjectRef<GSocketService> service_;
  uint16_t port_ = 0;
  std::list<Connection> all_;
};

/// Whether the body of the request was too large, and so was thrown away.
bool body_was_too_large(SoupServerMessage* message);

}  // namespace sphere::live

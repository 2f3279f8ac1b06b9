// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernel knows about the TCP connections of this process, how much of a live stream it may
// hold back for them, and their end where their owner forgets it.
//
// rtmp2sink does not give its socket away, so the descriptors are looked through.

#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// The TCP connections of this process to one server. Others to the same port of another server
/// don't count, as when a stream goes to two services.
class ServerConnections {
 public:
  /// `host`: an address, or a name, whose addresses are found in the background.
  ServerConnections(const std::string& host, uint16_t port);
  ~ServerConnections();
  ServerConnections(const ServerConnections&) = delete;
  ServerConnections& operator=(const ServerConnections&) = delete;

  /// To be called by one thread again and again; never blocks. Whether the addresses are known.
  bool find();
  /// Whether a new connection can be made: tries it, one address after the other. To be called by
  /// the same thread again and again; never blocks.
  bool can_connect();
  /// Limits the send buffer. The kernel lets it grow to several megabytes, which are many seconds
  /// of a stream that nobody sees waiting. Returns whether there is a connection. Any thread.
  bool limit_send_buffers(int bytes) const;
  /// For how long, in microseconds, the other end has answered nothing although data was sent to it
  /// more than once. 0: all is answered, or the addresses are not known. Any thread.
  int64_t unanswered_for() const;
  /// Own descriptors of those on which something waits to be sent, but not of these. When the last
  /// descriptor of a connection is closed, that is thrown away, and the server is told at once. Any
  /// thread.
  std::vector<Descriptor> unsent(const std::vector<Descriptor>& without) const;
  /// Whether there is one that is none of these. Any thread.
  bool has_other_than(const std::vector<Descriptor>& these) const;

 private:
  /// Calls `take` with the descriptor of each.
  template <typename Function>
  void for_each(Function take) const;
  bool known() const;
  void try_next_address();
  static void on_found(GObject* resolver, GAsyncResult* result, gpointer self);

  const std::string host_;
  const uint16_t port_;
  const std::unique_ptr<GMainContext, Call<g_main_context_unref>> context_;
  const ObjectRef<GCancellable> cancellable_;
  // Of the thread that calls find() and can_connect(). Times of g_get_monotonic_time().
  bool asked_ = false;
  int64_t ask_after_ = 0, try_after_ = 0;
  Descriptor attempt_;
  size_t next_address_ = 0;
  // Protects the addresses; held while they are compared.
  mutable Mutex mutex_;
  std::vector<std::string> addresses_ SPHERE_GUARDED_BY(mutex_);
};

/// Ends the TCP connections that are read in this context, and lets it run until their owners have
/// noticed. No thread may use the context any more.
void end_connections(GMainContext* context);

}  // namespace sphere::live

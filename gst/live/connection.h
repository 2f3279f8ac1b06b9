// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernel knows about the TCP connections of this process, how much of a live stream it may
// hold back for them, and their end where their owner forgets it.
//
// rtmp2sink does not give its socket away, so the descriptors are looked through. Another
// connection to the same port, which is meant too, goes to the same server.

#pragma once

#include <glib.h>

#include <cstdint>

namespace sphere::live {

/// Limits the send buffer of this process's TCP connections to this port. The kernel lets it grow
/// to several megabytes, which are many seconds of a stream that nobody sees waiting. Returns
/// whether there is such a connection.
bool limit_send_buffers(uint16_t port, int bytes);

/// For how long, in microseconds, the other end has answered nothing although data was sent to it
/// more than once; the longest of the connections to this port. 0: all is answered.
int64_t unanswered_for(uint16_t port);

/// Ends the TCP connections that are read in this context, and lets it run until their owners have
/// noticed. No thread may use the context any more.
void end_connections(GMainContext* context);

}  // namespace sphere::live

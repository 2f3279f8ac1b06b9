// SPDX-License-Identifier: LGPL-2.1-or-later
// How much of a live stream the kernel may hold back for a TCP connection.

#pragma once

#include <cstdint>

namespace sphere::live {

/// Limits the send buffer of this process's TCP connections to this port. The kernel lets it grow
/// to several megabytes: many seconds of the stream would wait there without anybody noticing.
/// Returns whether there is such a connection.
///
/// rtmp2sink does not tell its socket, so all descriptors of this process are checked. Another
/// connection to the same port, which would be limited too, goes to the same server.
bool limit_send_buffers(uint16_t port, int bytes);

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later
// How much of a live stream the kernel may hold back for a TCP connection.

#pragma once

#include <cstdint>

namespace sphere::live {

/// Limits the send buffer of this process's TCP connections to this port. The kernel lets it grow
/// to several megabytes, which are many seconds of a stream that nobody sees waiting. Returns
/// whether there is such a connection.
///
/// rtmp2sink does not give its socket away, so the descriptors are looked through. Another
/// connection to the same port, which would be limited too, goes to the same server.
bool limit_send_buffers(uint16_t port, int bytes);

}  // namespace sphere::live

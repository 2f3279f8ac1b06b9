// SPDX-License-Identifier: LGPL-2.1-or-later
// The addresses of this machine under which viewers can reach it.

#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "gst/live/web/stun.h"

namespace sphere::live {

/// Those of networks, without loopback and without addresses that are valid on one link only; IPv4
/// first, because people can type it.
std::vector<std::string> network_addresses();

/// Whether it is an address of this machine that others can't reach.
bool is_loopback(const std::string& ip);

/// The bytes of an address for a port; empty if the text is no address.
std::string socket_address(const std::string& ip, uint16_t port);
/// The other way round; `ip` is empty for anything but IPv4 and IPv6. IPv4 addresses that are
/// written as IPv6 ones become IPv4.
StunAddress stun_address(const std::string& socket_address);

}  // namespace sphere::live

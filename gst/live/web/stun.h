// SPDX-License-Identifier: LGPL-2.1-or-later
// The messages of STUN (RFC 8489) that ICE lite needs (RFC 8445): it answers checks of the other
// side, and never sends one itself. Pure: bytes in, bytes out.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sphere::live {

/// An address as STUN writes it: 4 or 16 bytes, and the port.
struct StunAddress {
  std::vector<uint8_t> ip;
  uint16_t port = 0;
};

/// A request to bind, which is ICE's check.
struct StunCheck {
  std::span<const uint8_t> message;
  std::span<const uint8_t> transaction;  ///< 12 bytes
  /// OURS:THEIRS, the user fragments.
  std::string_view user;
  size_t integrity = 0;  ///< offset of MESSAGE-INTEGRITY
  bool nominates = false;
};

/// Whether the first byte can begin a message of STUN (RFC 7983).
inline bool may_be_stun(uint8_t first) { return first < 4; }

/// Nothing if it is not a well-formed check with a user and a message integrity.
std::optional<StunCheck> read_check(std::span<const uint8_t> datagram);
/// Whether it was made with this password.
bool has_integrity(const StunCheck& check, std::string_view password);
/// The answer, which says under which address the check arrived.
std::vector<uint8_t> answer_check(const StunCheck& check, const StunAddress& from,
                                  std::string_view password);

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later
// Captions in packets that can have a time code beside them (CEA-708 in SMPTE ST 334-2).

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/privacy/allowance.h"

namespace sphere::privacy {

/// The packet with captions, what services there are, and the time code if it is allowed, and a
/// checksum that is right again. The same bytes if that is all it has; empty if it is damaged.
std::vector<uint8_t> allowed_captions(std::span<const uint8_t> bytes, const Allowance& allowance);

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// KLV metadata of cameras in the air: MISB ST 0601 local sets.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/privacy/allowance.h"

namespace sphere::privacy {

/// The packets with the items that are allowed, and a checksum that is right again: places are
/// rounded. The same bytes if all may stay. Empty if nothing may, or if it is damaged.
std::vector<uint8_t> allowed_klv(std::span<const uint8_t> bytes, const Allowance& allowance);

}  // namespace sphere::privacy

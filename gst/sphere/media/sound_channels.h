// SPDX-License-Identifier: LGPL-2.1-or-later
// How many channels a coded sound has. The sample entry of MP4 can't be trusted for it: many
// writers put 2 there, whatever the sound has.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sphere::media {

/// From the content of an `esds` box (ISO/IEC 14496-1, 7.2.6; AAC: 14496-3, 1.6.2 and 4.4.1).
/// Nothing if it is damaged, or of another codec.
std::optional<int> channels_of_esds(std::span<const uint8_t> content);

/// From the content of a `dOps` box (Opus in ISO-BMFF, 4.3.2).
std::optional<int> channels_of_dops(std::span<const uint8_t> content);

}  // namespace sphere::media

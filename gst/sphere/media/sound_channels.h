// SPDX-License-Identifier: LGPL-2.1-or-later
// What the descriptions of coded sound tell: how many channels it has, because the sample entry of
// MP4 can't be trusted for it (many writers put 2 there, whatever the sound has), and which bytes
// of them no decoder needs.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/media/source.h"

namespace sphere::media {

/// From the content of an `esds` box (ISO/IEC 14496-1, 7.2.6; AAC: 14496-3, 1.6.2 and 4.4.1).
/// Nothing if it is damaged, or of another codec.
std::optional<int> channels_of_esds(std::span<const uint8_t> content);

/// From the content of a `dOps` box (Opus in ISO-BMFF, 4.3.2).
std::optional<int> channels_of_dops(std::span<const uint8_t> content);

/// Of the description that a decoder of AAC gets: the comment, in which encoders write their name,
/// and what is behind the description.
std::vector<ByteRange> idle_bytes_of_aac(std::span<const uint8_t> config);
/// Likewise of Opus (RFC 7845, 5.1): what is behind the description.
std::vector<ByteRange> idle_bytes_of_opus(std::span<const uint8_t> head);

}  // namespace sphere::media

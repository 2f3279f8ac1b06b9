// SPDX-License-Identifier: LGPL-2.1-or-later
// What a decoder of Vorbis needs before the first packet, as Matroska and MP4 have it: it has
// comments in it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sphere::media {

/// The packet with the comments, and an empty one of the same length.
struct VorbisComments {
  size_t offset = 0;
  std::vector<uint8_t> empty;
};

/// Nothing if the data is damaged.
std::optional<VorbisComments> find_vorbis_comments(std::span<const uint8_t> data);

}  // namespace sphere::media

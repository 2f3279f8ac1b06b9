// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the end of a JPEG's compressed data.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sphere::media {

/// The index of the first byte 0xFF that no zero follows; the last byte counts if it is 0xFF. The
/// number of bytes if there is none.
size_t find_jpeg_marker(std::span<const uint8_t> bytes);

}  // namespace sphere::media

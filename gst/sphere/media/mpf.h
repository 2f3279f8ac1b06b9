// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of further pictures in a JPEG (CIPA DC-007, Multi-Picture Format).

#pragma once

#include <cstdint>
#include <span>

namespace sphere::media {

/// Corrects the list after the first picture became `longer` by some bytes, of which `after` are
/// behind the list. `tiff` is the list without its mark. False if it can't be read.
bool move_pictures(std::span<uint8_t> tiff, int64_t longer, int64_t after);

}  // namespace sphere::media

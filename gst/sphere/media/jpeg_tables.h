// SPDX-License-Identifier: LGPL-2.1-or-later
// The segments that a JPEG's pixels need: tables and headers, which must have nothing else in them.

#pragma once

#include <cstdint>
#include <span>

#include "gst/sphere/base/result.h"

namespace sphere::media {

/// An error if the content of a segment with tables, or with the header of a frame or a scan, is
/// longer or shorter than it says itself.
Status check_jpeg_table(int marker, std::span<const uint8_t> content);

}  // namespace sphere::media

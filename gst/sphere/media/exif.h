// SPDX-License-Identifier: LGPL-2.1-or-later
// Exif: what its tags tell, and an Exif without those that may not stay, or with a position.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/findings.h"

namespace sphere::media {

/// What a packet becomes. Nothing: it stays as it is. Empty: it is removed.
using NewPacket = std::optional<std::vector<uint8_t>>;

/// Lists the tags of a TIFF structure of Exif, and makes the new one that the request asks for,
/// with its position. Exif that can't be read stays only where everything may, and is replaced by
/// one with the position.
///
/// Where something may not stay, libexif writes a new structure that has only what may. libexif is
/// given single values and never reads a structure of the file, because most of its vulnerabilities
/// were in reading the private data of makers. Where everything may stay, a position is appended,
/// and nothing moves, because private data has offsets in it.
Result<NewPacket> examine_exif(std::span<const uint8_t> tiff, const Where& where,
                               Findings* findings);

/// A new Exif with the position of the request; empty if it has none.
std::vector<uint8_t> make_exif(const Request& request);

/// Makes a new packet as long as the old one, with `filler` at its end. An error if it is longer.
Result<NewPacket> keep_length(NewPacket packet, size_t length, uint8_t filler);

}  // namespace sphere::media

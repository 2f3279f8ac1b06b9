// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts values into a TIFF structure without moving anything that is there.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

/// A tag with its value, in the byte order of the file.
struct TiffValue {
  uint16_t tag = 0, type = 0;
  uint32_t count = 0;
  std::vector<uint8_t> bytes;
};

/// All tags that a position in Exif must have.
std::vector<TiffValue> gps_values(const Position& position, std::optional<int64_t> time,
                                  bool little);

/// Edits of a TIFF that replace its first directory by the given entries of it and further values,
/// and its GPS directory by other values (none: an entry for it is not touched). What does not fit
/// into the place of the first directory is appended.
std::vector<Edit> add_to_tiff(const Source& source, const Tiff& tiff,
                              const std::vector<TiffEntry>& kept,
                              const std::vector<TiffValue>& values,
                              const std::vector<TiffValue>& gps);

/// Bytes of a directory with these entries, without the link after them.
std::vector<uint8_t> directory_bytes(const std::vector<TiffEntry>& entries, bool little);

}  // namespace sphere::media

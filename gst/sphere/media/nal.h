// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of the units of H.264 and H.265 (ITU-T H.264, 7.3.1): a byte 3 stands where they would
// otherwise look like the begin of the next unit.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sphere::media {

/// A unit without emulation prevention bytes, and where each byte was.
struct PlainUnit {
  std::vector<uint8_t> bytes;
  std::vector<size_t> offsets;  ///< one more than bytes: the last one is the length of the unit
};

PlainUnit without_emulation_prevention(std::span<const uint8_t> unit);
std::vector<uint8_t> with_emulation_prevention(std::span<const uint8_t> plain);

/// How many bytes of a parameter set of H.264 (unit of the type 7 or 8) belong to it: up to its
/// last bit, by what it says. Nothing if it can't be read.
std::optional<size_t> h264_parameter_length(std::span<const uint8_t> unit);

/// What a sequence parameter set of H.264 says of the messages with the times of pictures: how many
/// bits their numbers have, 0 for those that are not in them.
struct PictureTiming {
  unsigned removal_delay = 0, output_delay = 0, offset = 24;
  bool structure = false;  ///< they say how a picture is made of fields, and may have time codes
  bool operator==(const PictureTiming&) const = default;
};
/// Nothing for another unit, and one that can't be read.
std::optional<PictureTiming> h264_picture_timing(std::span<const uint8_t> unit);
/// Adds that of a unit, if it is one, and there is none like it.
void add_picture_timing(std::span<const uint8_t> unit, std::vector<PictureTiming>* timings);
/// The same of H.265 (units of the types 32 to 34). Nothing, too, if it is of a layer, or has an
/// extension whose end is not known.
std::optional<size_t> h265_parameter_length(std::span<const uint8_t> unit);

}  // namespace sphere::media

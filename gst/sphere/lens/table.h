// SPDX-License-Identifier: LGPL-2.1-or-later
// The lens table that a Mi Sphere carries: where each of its two lenses shows each direction, as
// measured in the factory. docs/lens-profiles.md has the form.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The frame that all of a table's points are in, whatever the size of the picture.
inline constexpr Size table_frame = {3456, 1728};

/// Bytes. No table is larger; one of 512x256 has about a megabyte.
inline constexpr size_t largest_table = 64 << 20;

/// Whether bytes begin as a table does. More is for parse_table() to find out.
bool looks_like_table(std::span<const uint8_t> bytes);

/// Makes a pair of lenses of a table. `name` is what complaints and the pair are called. Refuses
/// what is not whole, not in range, or leaves out something that a lens must see.
Result<LensPair> parse_table(std::span<const uint8_t> bytes, const std::string& name);

/// Writes the table of a pair whose front lens draws on the right, on a grid of this size. What a
/// lens does not show stands at the edge of its half.
Result<std::vector<uint8_t>> make_table(const LensPair& pair, Size grid = {512, 256});

}  // namespace sphere

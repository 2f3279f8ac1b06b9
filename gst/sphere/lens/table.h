// SPDX-License-Identifier: LGPL-2.1-or-later
// The lens table of a Mi Sphere: the point at which each of its two lenses shows each direction,
// measured in the factory. docs/lens-profiles.md describes the format.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The frame of all points in a table. It does not depend on the size of the picture.
inline constexpr Size table_frame = {3456, 1728};

/// Largest size of a table, bytes; one of 512x256 has about a megabyte.
inline constexpr size_t largest_table = 64 << 20;

/// Whether bytes begin like a table. parse_table() checks the rest.
bool looks_like_table(std::span<const uint8_t> bytes);

/// Makes a pair of lenses from a table. `name` is the pair's name, and is used in error messages.
/// Returns an error if the table is not complete, has values out of range, or has holes where a
/// lens must see.
Result<LensPair> parse_table(std::span<const uint8_t> bytes, const std::string& name);

/// Writes the table of a pair with the front lens on the right, on a grid of this size. Directions
/// that a lens does not show have a point on the edge of its half.
Result<std::vector<uint8_t>> make_table(const LensPair& pair, Size grid = {512, 256});

}  // namespace sphere

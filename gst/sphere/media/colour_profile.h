// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour profiles (ICC): useful, but only if nothing else is kept in their place.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sphere::media {

/// Real profiles have at most some megabytes, those of printers.
inline constexpr size_t largest_profile = 4 << 20;

/// Whether bytes are a colour profile and nothing else: a header, a list, and what is in the list.
bool is_colour_profile(std::span<const uint8_t> bytes);

}  // namespace sphere::media

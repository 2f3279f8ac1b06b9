// SPDX-License-Identifier: LGPL-2.1-or-later
// What a colour profile (ICC) tells beside colours: the device that it was made for, with its
// serial number in some, who has made it, and when.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/media/findings.h"

namespace sphere::media {

/// Lists what a profile tells, for which is_colour_profile() is true. Returns the profile without
/// what may not stay, in the same length: colours are the same. Nothing if all of it stays.
std::optional<std::vector<uint8_t>> clean_profile(std::span<const uint8_t> bytes,
                                                  const Where& where, Findings* findings);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// What Insta360's cameras append to their pictures (.insp) and videos (.insv).

#pragma once

#include <cstdint>
#include <string>

#include "gst/sphere/media/source.h"

namespace sphere::makers::insta360 {

/// How many bytes at the end of a file are the camera's own, 0 where there are none. Among them are
/// positions and serial numbers.
uint64_t trailer_length(const media::Source& source);

/// VID_..._10_NNN.insv for VID_..._00_NNN.insv; "" for other names.
std::string other_lens_path(const std::string& path);

}  // namespace sphere::makers::insta360

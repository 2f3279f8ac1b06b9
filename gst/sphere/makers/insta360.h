// SPDX-License-Identifier: LGPL-2.1-or-later
// What Insta360's cameras append to their pictures (.insp) and videos (.insv).

#pragma once

#include <cstdint>

#include "gst/sphere/media/source.h"

namespace sphere::makers::insta360 {

/// How many bytes at the end of a file are the camera's own, 0 where there are none. Among them are
/// positions and serial numbers.
uint64_t trailer_length(const media::Source& source);

}  // namespace sphere::makers::insta360

// SPDX-License-Identifier: LGPL-2.1-or-later
// When a photo or a video was made, as it says itself.

#pragma once

#include <cstdint>
#include <optional>

#include "gst/sphere/media/part.h"

namespace sphere::media {

struct CaptureTime {
  /// Microseconds since 1970. Where the zone is not known: as if the time were UTC.
  int64_t time_us = 0;
  bool zone_known = false;
};

/// Of a photo: Exif's time of the original, with its zone if it has one. Of a video: when the first
/// picture was made; MP4 and Matroska have UTC. Nothing: the file does not tell it.
std::optional<CaptureTime> capture_time(const Examination& examination);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of H.264 with the times of a picture (pic_timing): when it leaves the buffers, how it is
// made of fields, and time codes, with which cameras tell the time of day.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/media/nal.h"

namespace sphere::media {

struct PictureTimes {
  bool has_time_code = false;
  std::string value;  ///< the first time code, such as "14:03:27:05"
  /// The message without time codes; empty where it can't be told what else is in it.
  std::vector<uint8_t> without;
};

/// Reads the message, without its header, as one of the sequence parameter sets says. Nothing if it
/// is none by any of them.
std::optional<PictureTimes> read_picture_times(std::span<const uint8_t> payload,
                                               std::span<const PictureTiming> timings);

}  // namespace sphere::media

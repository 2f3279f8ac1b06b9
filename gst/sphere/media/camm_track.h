// SPDX-License-Identifier: LGPL-2.1-or-later
// A track of an MP4 file with positions: Google's Camera Motion Metadata (CAMM).

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

struct CammTrack {
  /// Its last 8 bytes are the offset of the samples in the file; they are zero.
  std::vector<uint8_t> trak;
  std::vector<uint8_t> samples;

  void set_offset(uint64_t offset);
};

/// The track with this number; nothing if no position is within the movie's length.
std::optional<CammTrack> make_camm_track(std::span<const TimedPosition> positions, uint32_t id,
                                         const IsoFile::Length& movie);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// GPX tracks: whatever the bytes are, a position is on Earth, and only at times of the track.

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "gst/sphere/media/gpx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto track = sphere::media::GpxTrack::parse({data, size});
  if (!track) {
    if (track.error().message.empty()) abort();
    return 0;
  }
  const int64_t begin = track->begin(), end = track->end();
  if (begin > end || track->size() == 0) abort();
  if (track->at(begin - 1) || track->at(end + 1)) abort();
  if (!track->at(begin) || !track->at(end)) abort();
  for (int i = 0; i <= 8; ++i)
    if (const auto position = track->at(begin + (end - begin) / 8 * i))
      if (!(std::abs(position->latitude) <= 90) || !(std::abs(position->longitude) <= 180)) abort();
  return 0;
}

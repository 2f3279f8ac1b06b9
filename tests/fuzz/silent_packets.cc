// SPDX-License-Identifier: LGPL-2.1-or-later
// Packets of silence: whatever packet they stand for, they are small, last as long, and are made
// from its first bytes alone.

#include "gst/sphere/media/silent_packets.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace sphere::media;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> packet(data, size);
  const auto channels = aac_lc_channels(packet);
  if (channels && silent_aac(*channels).size() > 64) abort();

  const std::vector<uint8_t> frame = silent_adts(packet);
  if (!frame.empty()) {
    // Silence is a valid packet, and making silence from it gives the same packet again.
    if (frame.size() > 64 || silent_adts(frame) != frame) abort();
  }

  for (const int streams : {0, 1, 3, 300}) {
    const std::vector<uint8_t> silence = silent_opus(packet, streams, 1);
    if (silence.empty()) continue;
    // The sound, which follows the table of contents and the count of frames, must not matter.
    std::vector<uint8_t> other(packet.begin(), packet.end());
    std::fill(other.begin() + std::min<ptrdiff_t>(2, static_cast<ptrdiff_t>(size)), other.end(), 0);
    if (silent_opus(other, streams, 1) != silence) abort();
    if (streams == 0 && silent_opus(silence, 0, 0) != silence) abort();
  }
  return 0;
}

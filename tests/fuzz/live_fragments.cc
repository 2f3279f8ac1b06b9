// SPDX-License-Identifier: LGPL-2.1-or-later
// Fragmented MP4: whatever the bytes are and however they are cut, fragments are whole and of a
// known track, and can be moved to the beginning of a file.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "gst/live/fragments.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t step = 1 + data[0] * size_t{16};
  sphere::live::FragmentReader reader;
  for (size_t at = 1; at < size; at += step) {
    if (!reader.push({data + at, std::min(step, size - at)})) return 0;
    while (auto fragment = reader.next()) {
      if (!reader.track(fragment->track) || reader.track(fragment->track)->timescale == 0) abort();
      if (fragment->bytes.size() < 16 || fragment->bytes.size() > size) abort();
      const size_t before = fragment->bytes.size();
      if (sphere::live::number_fragment(&fragment->bytes, 1) && fragment->bytes.size() != before)
        abort();
    }
  }
  return 0;
}

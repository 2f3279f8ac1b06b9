// SPDX-License-Identifier: LGPL-2.1-or-later
// A PNG with anything in it is refused, or nothing is left in it that may not stay. The check sums
// are made right first, because otherwise nearly everything would be refused.

#include <zlib.h>

#include "tests/fuzz/redacted.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::vector<uint8_t> png(bytes, bytes + size);
  for (size_t at = 8; at + 12 <= size;) {
    const size_t length =
        size_t{png[at]} << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (length > size - at - 12) break;
    const uLong sum = crc32(crc32(0, nullptr, 0), &png[at + 4], static_cast<uInt>(length + 4));
    for (size_t i = 0; i < 4; ++i)
      png[at + 8 + length + i] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    at += length + 12;
  }
  sphere::test::check_photo(&sphere::media::examine_png, png);
  return 0;
}

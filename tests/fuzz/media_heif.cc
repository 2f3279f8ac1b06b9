// SPDX-License-Identifier: LGPL-2.1-or-later
// A HEIC or AVIF picture with anything in it is refused, or nothing is left in it that may not
// stay.

#include "tests/fuzz/redacted.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  sphere::test::check_photo(&sphere::media::examine_heif, {bytes, size});
  return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// What says whether an AVI, a WebP, a TIFF or a DNG is all there: any bytes are refused, or what is
// said of them lies within them.

#include "gst/sphere/media/riff.h"
#include "gst/sphere/media/tiff_picture.h"
#include "tests/fuzz/redacted.h"

using namespace sphere::media;
using sphere::test::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const MemorySource source({bytes, size});
  if (const auto avi = check_avi(source)) require(avi->trailing <= size, "AVI: too much behind it");
  if (const auto webp = check_webp(source)) {
    require(webp->length + webp->trailing == size, "WebP: its length");
    require(webp->exif_offset <= size && webp->exif_length <= size - webp->exif_offset,
            "WebP: its Exif lies outside");
    require(webp->width >= 0 && webp->width <= 16384 && webp->height >= 0 && webp->height <= 16384,
            "WebP: its size");
  }
  if (const auto tiff = check_tiff(source)) {
    require(tiff->length == size, "TIFF: its length");
    require(tiff->width > 0 && tiff->height > 0 && tiff->bits >= 0 && tiff->bits <= 64,
            "TIFF: its size");
    require(tiff->orientation >= 1 && tiff->orientation <= 8, "TIFF: its orientation");
  }
  (void)is_dng(source);
  if (const auto dng = check_dng(source))
    require(dng->preview.length > 0 && dng->preview.offset <= size &&
                dng->preview.length <= size - dng->preview.offset,
            "DNG: its picture lies outside");
  return 0;
}

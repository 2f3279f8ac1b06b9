// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a JPEG or a PNG is all there, and what it says about its picture. Decoders forgive a file
// that ends too early and fill in grey; these walkers don't.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct JpegInfo {
  int width = 0, height = 0;
  int bits = 8;
  int components = 0;
  /// Of each component: how many samples stand beside and above each other in one unit.
  std::array<std::array<int, 2>, 4> sampling{};
  bool progressive = false;
  bool lossless = false;
  /// Adobe's mark: 0 RGB or CMYK, 1 YCbCr, 2 YCCK. Absent in most files.
  std::optional<int> adobe_transform;
  int orientation = 1;     ///< Exif's, 1..8; 1 where there is none
  bool spherical = false;  ///< its XMP says that it is a stitched 360 picture
  /// The first Exif segment's TIFF structure; no bytes where there is none.
  uint64_t exif_offset = 0, exif_length = 0;
  uint64_t length = 0;    ///< to the end of the picture
  uint64_t trailing = 0;  ///< bytes of something else after it

  /// Whether every colour component has a sample for each pixel.
  bool full_chroma() const;
  /// Whether colour has half the samples in both directions.
  bool half_chroma() const;
};

struct PngInfo {
  int width = 0, height = 0;
  int bits = 8;
  int colour_type = 0;
  bool transparent = false;  ///< an alpha channel, or a colour that stands for transparency
  bool animated = false;
  int orientation = 1;
  bool spherical = false;  ///< as in a JPEG
  uint64_t length = 0;
  uint64_t trailing = 0;
};

Result<JpegInfo> check_jpeg(const Source& source);
Result<PngInfo> check_png(const Source& source);

/// The orientation in a TIFF structure as Exif has it, 1 where there is none or the structure is
/// broken: nothing depends on it but a warning.
int exif_orientation(std::span<const uint8_t> tiff);

}  // namespace sphere::media

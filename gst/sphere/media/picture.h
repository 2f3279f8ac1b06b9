// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks that a JPEG or a PNG is complete, and reads what it contains about its picture. Decoders
// accept a file that ends too early and fill the rest with grey; these functions return an error.

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
  /// Of each component: the number of samples in one unit, horizontally and vertically.
  std::array<std::array<int, 2>, 4> sampling{};
  bool progressive = false;
  bool lossless = false;
  /// The transform flag of Adobe's segment: 0 RGB or CMYK, 1 YCbCr, 2 YCCK. Most files don't have
  /// it.
  std::optional<int> adobe_transform;
  int orientation = 1;     ///< Exif's, 1..8; 1 if there is none
  bool spherical = false;  ///< its XMP marks it as a stitched 360 picture
  /// The compass direction of its middle, in degrees clockwise from north, if its XMP tells it.
  std::optional<double> heading;
  /// The first Exif segment's TIFF structure; empty if there is none.
  uint64_t exif_offset = 0, exif_length = 0;
  uint64_t length = 0;    ///< to the end of the picture
  uint64_t trailing = 0;  ///< bytes after the end of the picture

  /// Whether colour has half the samples in both directions.
  bool half_chroma() const;
};

struct PngInfo {
  int width = 0, height = 0;
  int bits = 8;
  int colour_type = 0;
  bool transparent = false;  ///< has an alpha channel, or a transparent colour
  bool animated = false;
  int orientation = 1;
  bool spherical = false;  ///< as in a JPEG
  uint64_t length = 0;
  uint64_t trailing = 0;
};

Result<JpegInfo> check_jpeg(const Source& source);
Result<PngInfo> check_png(const Source& source);

/// The orientation in a TIFF structure of Exif. 1 if there is none or the structure is broken,
/// because it is only used for a warning.
int exif_orientation(std::span<const uint8_t> tiff);

}  // namespace sphere::media

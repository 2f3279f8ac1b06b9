// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the picture in a TIFF is all there, and the pictures that a DNG has for viewing.

#pragma once

#include <cstdint>
#include <optional>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct TiffInfo {
  int width = 0, height = 0;
  int bits = 8;  ///< of one colour
  int orientation = 1;
  bool spherical = false;
  uint64_t length = 0;
};

/// A part of a source.
struct Extent {
  uint64_t offset = 0, length = 0;
};

struct DngInfo {
  Extent preview;  ///< where in the file it is
  JpegInfo jpeg;   ///< the preview
};

/// Whether a TIFF says that it is a DNG, the pixels of whose sensor need developing.
bool is_dng(const Source& source);

/// Checks the first picture.
Result<TiffInfo> check_tiff(const Source& source);

/// Finds the largest whole JPEG for viewing in a DNG.
Result<DngInfo> check_dng(const Source& source);

}  // namespace sphere::media

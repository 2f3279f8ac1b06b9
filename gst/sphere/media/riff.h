// SPDX-License-Identifier: LGPL-2.1-or-later
// The two kinds of RIFF files: whether an AVI or a WebP is all there, and what the WebP says.

#pragma once

#include <cstdint>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct RiffChunk {
  static constexpr uint64_t head = 8;
  std::string type;
  uint64_t content = 0, size = 0;

  uint64_t begin() const { return content - head; }
  /// Chunks begin at even positions.
  uint64_t next() const { return content + size + (size & 1); }
};

/// False at the end of the source.
bool read_chunk(const Source& source, uint64_t position, RiffChunk* chunk);
/// Whether all of it is there.
bool fits(const Source& source, const RiffChunk& chunk);

struct AviFile {
  uint64_t trailing = 0;  ///< bytes after the last part
};

struct WebpInfo {
  int width = 0, height = 0;
  bool animated = false;
  bool transparent = false;
  int orientation = 1;  ///< as in a JPEG
  bool spherical = false;
  uint64_t exif_offset = 0, exif_length = 0;
  uint64_t length = 0;
  uint64_t trailing = 0;
};

Result<AviFile> check_avi(const Source& source);
Result<WebpInfo> check_webp(const Source& source);

}  // namespace sphere::media

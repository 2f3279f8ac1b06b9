// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks over the segments of a JPEG.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

namespace jpeg {
enum Marker {
  TEM = 0x01,
  SOF0 = 0xC0,
  DHT = 0xC4,
  JPG = 0xC8,
  DAC = 0xCC,
  SOF15 = 0xCF,
  RST0 = 0xD0,
  RST7 = 0xD7,
  SOI = 0xD8,
  EOI = 0xD9,
  SOS = 0xDA,
  DQT = 0xDB,
  DNL = 0xDC,
  DRI = 0xDD,
  APP0 = 0xE0,
  APP1 = 0xE1,
  APP2 = 0xE2,
  APP5 = 0xE5,
  APP11 = 0xEB,
  APP13 = 0xED,
  APP14 = 0xEE,
  APP15 = 0xEF,
  COM = 0xFE,
};
}  // namespace jpeg

struct JpegSegment {
  int marker = 0;
  uint64_t begin = 0;     ///< of its marker, with the fill bytes before it
  uint64_t content = 0;   ///< after the marker and the length
  uint64_t end = 0;       ///< of the content
  uint64_t scan_end = 0;  ///< of the compressed data that follows it; otherwise as `end`

  uint64_t size() const { return end - content; }
};

class JpegWalker {
 public:
  explicit JpegWalker(const Source& source) : source_(source), window_(source) {}

  /// The next segment, all of whose bytes are there; nothing at the end of the picture. The marker
  /// of the picture's begin and markers without content are not returned.
  Result<std::optional<JpegSegment>> next();
  /// After the end of the picture.
  uint64_t position() const { return window_.position(); }

 private:
  int next_marker();
  int pass_scan();

  const Source& source_;
  Window window_;
  bool begun_ = false;
  int marker_ = 0;             ///< the one that was read last
  uint64_t marker_begin_ = 0;  ///< where it is
};

/// Finds out during a walk whether a JPEG is whole, and what its segments say about the picture.
class JpegCheck {
 public:
  /// Each segment, in their order, with its content.
  Status add(const JpegSegment& segment, std::span<const uint8_t> content);
  /// After the last segment; `length` is where the picture ends.
  Result<JpegInfo> finish(uint64_t length, uint64_t size);

 private:
  JpegInfo info_;
  bool have_scan_ = false;
};

}  // namespace sphere::media

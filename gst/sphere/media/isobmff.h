// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether an ISO base media file (MP4, MOV) is all there: its boxes end within the file, and every
// sample that its tables name lies within it. Demuxers forgive; this doesn't.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct Track {
  uint32_t id = 0;
  bool enabled = true;
  std::string handler;  ///< "vide", "soun", "meta", ...
  std::string codec;    ///< the first sample entry's type, such as "avc1"
  int width = 0, height = 0;
  uint32_t timescale = 0;
  uint64_t duration = 0;  ///< in units of the timescale
  uint64_t samples = 0;
  /// tkhd's matrix is neither the identity nor a scale: a player would turn the picture.
  bool rotated = false;
  /// It says that its pictures are stitched 360 pictures.
  bool spherical = false;
};

struct IsoFile {
  std::array<char, 4> brand{};
  bool fragmented = false;
  /// How long the movie says it is, in units of its timescale, and where in the file it says so.
  struct Length {
    uint32_t timescale = 0;
    uint64_t value = 0;
    uint64_t offset = 0;
    int bytes = 0;  ///< 4 or 8; 0: it doesn't say
  } length;
  std::vector<Track> tracks;
  uint64_t trailing = 0;  ///< bytes after the last box that are no box

  const Track* first(const char* handler) const;
};

Result<IsoFile> check_isobmff(const Source& source);

enum class Kind { unknown, jpeg, png, isobmff, matroska, avi, mpegts, tiff, webp };
/// What a file claims to be, by its first bytes.
Kind sniff(const Source& source);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks that an ISO base media file (MP4, MOV) is complete: its boxes end within the file, and all
// samples in its tables are within the file. Demuxers accept incomplete files; this function
// returns an error.

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
  /// tkhd's matrix is neither the identity nor a scale: a player would rotate the picture.
  bool rotated = false;
  /// Its metadata marks its pictures as stitched 360 pictures.
  bool spherical = false;
  /// It says that they consist of six faces, as Projection::cubemap has them.
  bool cubemap = false;
  /// It says that they have a sphere for each eye.
  bool stereo = false;
};

struct IsoFile {
  std::array<char, 4> brand{};
  bool fragmented = false;
  /// The duration in the movie's header, in units of its timescale, and its offset in the file.
  struct Length {
    uint32_t timescale = 0;
    uint64_t value = 0;
    uint64_t offset = 0;
    int bytes = 0;  ///< 4 or 8; 0: there is no header
  } length;
  std::vector<Track> tracks;
  uint64_t trailing = 0;  ///< bytes after the last box that are not a box

  const Track* first(const char* handler) const;
};

Result<IsoFile> check_isobmff(const Source& source);

/// `heif`: HEIC and AVIF pictures.
enum class Kind { unknown, jpeg, png, isobmff, matroska, avi, mpegts, tiff, webp, heif };
/// The type of a file, from its first bytes.
Kind sniff(const Source& source);

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a Matroska or WebM file is all there, and what it says about its pictures. The demuxer
// passes over what is missing; this doesn't.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct MatroskaTrack {
  uint64_t number = 0;
  bool video = false, audio = false;
  std::string codec;  ///< such as "V_VP9"
  int width = 0, height = 0;
  uint64_t blocks = 0;  ///< how many pictures, of a video track
  /// Its projection is the whole sphere, equirectangular or on the faces of a cube.
  bool spherical = false;
  bool cubemap = false;  ///< it is the latter
  bool stereo = false;   ///< it has a picture for each eye
};

struct MatroskaFile {
  bool webm = false;
  std::vector<MatroskaTrack> tracks;
  uint64_t trailing = 0;  ///< bytes after the segment
};

/// Of a recording that was never closed, whose sizes are marked as unknown, only complete elements
/// can be checked.
Result<MatroskaFile> check_matroska(const Source& source);

}  // namespace sphere::media

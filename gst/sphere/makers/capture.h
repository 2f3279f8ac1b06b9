// SPDX-License-Identifier: LGPL-2.1-or-later
// What a camera writes into its files about how the pictures were taken, in a form that is the same
// for all makers. Each maker has its own file in this folder.
//
// The same files may contain positions and serial numbers. Nothing in this folder reads these,
// except identify_camera(), which is called under consent alone.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/source.h"

namespace sphere::makers {

struct CaptureInfo {
  /// The table of both lenses, in the format of lens/table.h; empty if there is none.
  std::vector<uint8_t> lens_table;
  /// The profile of the camera model in the file; "" if there is no known model.
  std::string profile;
  /// The orientation of the camera for each picture, camera to world; without a value where it is
  /// not known. Empty if the file has no orientations.
  std::vector<std::optional<Quaternion>> orientations;
  /// The camera's mark that a picture is stitched already, or has two fisheyes.
  bool stitched = false, fisheyes = false;
  /// Problems with data that was found but can't be used; each is a sentence without a full stop.
  std::vector<std::string> problems;

  bool empty() const {
    return lens_table.empty() && profile.empty() && orientations.empty() && problems.empty();
  }
};

/// How many bytes at the end of a file are the camera's own and of no known format, which would
/// look like damage; 0 where there are none.
uint64_t trailer_length(const media::Source& source);

/// The path that the video of the other lens has, where a camera writes one for each lens; "" if
/// the name of this file is not one that such a camera gives.
std::string other_lens_path(const std::string& path);

/// Reads a whole box that a demuxer does not know and passes on. Adds what it finds to `info`.
/// Returns false and does nothing if no maker knows the box.
bool read_box(std::span<const uint8_t> box, CaptureInfo* info);

/// Reads an MP4 or MOV file.
CaptureInfo read_video(const media::Source& source);
/// Reads a JPEG that check_jpeg() has found to be complete.
CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg);
/// Reads a DNG, or any other TIFF.
Result<CaptureInfo> read_tiff(const media::Source& source);
/// Detects the type of a file and reads it: a video, a JPEG or a DNG. Finds nothing in other files.
Result<CaptureInfo> read_file(const media::Source& source);

}  // namespace sphere::makers

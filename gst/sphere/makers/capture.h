// SPDX-License-Identifier: LGPL-2.1-or-later
// What a camera leaves in its own files about how their pictures were taken, in a form that is the
// same for all makers. Each maker has a file of its own in this folder.
//
// Beside these stand positions and serial numbers. Nothing here reads or keeps them.

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
  /// The table of both lenses, as lens/table.h reads it; empty: there is none.
  std::vector<uint8_t> lens_table;
  /// The profile of the camera model that the file names; "": it names none that is known.
  std::string profile;
  /// How the camera was held in each picture, camera to world; nothing where it is not known.
  /// Empty: the file does not say.
  std::vector<std::optional<Quaternion>> orientations;
  /// The camera's own mark on a picture: it is stitched already, or it is two fisheyes.
  bool stitched = false, fisheyes = false;
  /// What was there and can't be used, each a sentence without a stop.
  std::vector<std::string> problems;

  bool empty() const {
    return lens_table.empty() && profile.empty() && orientations.empty() && problems.empty();
  }
};

/// Reads a whole box that a demuxer does not know and hands on. Adds what it finds to `info`;
/// false, with nothing done, where no maker knows the box.
bool read_box(std::span<const uint8_t> box, CaptureInfo* info);

/// Looks through an MP4 or MOV file.
CaptureInfo read_video(const media::Source& source);
/// Looks through a JPEG that check_jpeg() found to be whole.
CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg);
/// Looks through a DNG, or any other TIFF.
Result<CaptureInfo> read_tiff(const media::Source& source);
/// Looks through a video, a JPEG or a DNG, whichever it is; nothing is found in any other file.
Result<CaptureInfo> read_file(const media::Source& source);

}  // namespace sphere::makers

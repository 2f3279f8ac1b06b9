// SPDX-License-Identifier: LGPL-2.1-or-later
// The file that `sphere stitch` reads, looked through before anything is decoded.

#pragma once

#include <string>
#include <variant>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/look.h"
#include "gst/sphere/media/picture.h"
#include "gst/tools/command.h"

namespace sphere::tool {

struct StitchInput {
  Descriptor descriptor;
  std::variant<media::JpegInfo, media::PngInfo, media::IsoFile> content;
  makers::CaptureInfo capture;  ///< what the camera left in it of its lenses and how it was held

  const media::JpegInfo* jpeg() const { return std::get_if<media::JpegInfo>(&content); }
  const media::PngInfo* png() const { return std::get_if<media::PngInfo>(&content); }
  const media::IsoFile* video() const { return std::get_if<media::IsoFile>(&content); }
  /// Whether the file says that it is a stitched 360 picture or video.
  bool spherical() const;
  int width() const;
  int height() const;
  /// How many bytes are the medium, without what trails it.
  uint64_t length() const;
};

/// Opens and checks; what is odd but no obstacle is told to the voice.
Result<StitchInput> open_stitch_input(const std::string& path, Voice* voice);

/// Takes the table out of a DNG that the camera wrote beside the picture, and how it was held where
/// the picture itself doesn't say.
Status read_dng(const std::string& path, makers::CaptureInfo* capture);

/// How the sentences end that refuse to stitch.
inline constexpr const char* use_as_it_is = "; use it unchanged, or stitch it with --force";
inline constexpr const char* take_fisheyes =
    "; use one that shows both fisheyes of the camera in one frame";

/// What a picture is that has no two fisheyes, without the file's name; "" where it may have them.
/// `what` is "picture" or "video".
std::string lack_of_fisheyes(media::Look look, const std::string& what);

/// Whether both names lead to one file, by links too.
bool same_file(const StitchInput& input, const std::string& output);

}  // namespace sphere::tool

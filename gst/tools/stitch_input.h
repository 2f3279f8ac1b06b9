// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere stitch` reads, looked through before anything is decoded.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/picture_kind.h"
#include "gst/sphere/media/riff.h"
#include "gst/sphere/media/tiff_picture.h"
#include "gst/tools/command.h"

namespace sphere::tool {

/// A video, whatever the container.
struct VideoInfo {
  media::Kind container = media::Kind::isobmff;
  std::string codec;  ///< as the container or GStreamer names it, for messages
  int width = 0, height = 0;
  uint64_t pictures = 0;   ///< 0: not known
  uint32_t timescale = 0;  ///< ticks a second; 0: not known
  double seconds = 0;      ///< how long it is; 0: not known
  /// Pictures a second, on average; 0: not known.
  double picture_rate = 0;
  bool spherical = false;  ///< it says that it is a stitched 360 video
  bool cubemap = false;    ///< it says that it consists of six faces
  bool stereo = false;     ///< it says that it has a sphere for each eye
  bool rotated = false;    ///< it asks to be turned for display
  int video_tracks = 1;
  int sound_tracks = 0;
  /// Its first two video tracks are the pictures of the two lenses.
  bool lens_in_each_track = false;
  uint64_t trailing = 0;
  std::optional<media::IsoFile> iso;  ///< of an MP4 or MOV
};

struct StitchInput {
  std::string path;
  Descriptor descriptor;
  std::variant<media::JpegInfo, media::PngInfo, media::TiffInfo, media::WebpInfo, VideoInfo>
      content;
  makers::CaptureInfo capture;  ///< what the camera left in it of its lenses and how it was held
  media::Extent photo;          ///< which bytes of the file are the photo
  bool preview = false;         ///< it is the picture for viewing in a DNG
  /// The file of the other lens; its picture belongs to the right of this one's.
  std::unique_ptr<StitchInput> right;

  const media::JpegInfo* jpeg() const { return std::get_if<media::JpegInfo>(&content); }
  const media::PngInfo* png() const { return std::get_if<media::PngInfo>(&content); }
  const media::TiffInfo* tiff() const { return std::get_if<media::TiffInfo>(&content); }
  const media::WebpInfo* webp() const { return std::get_if<media::WebpInfo>(&content); }
  const VideoInfo* video() const { return std::get_if<VideoInfo>(&content); }
  /// Whether each lens has a picture of its own, in two files or two tracks.
  bool two_pictures() const { return right || (video() && video()->lens_in_each_track); }
  /// Whether the file says that it is a stitched 360 picture or video.
  bool spherical() const;
  bool transparent() const;
  /// Of what is stitched: both lenses' pictures side by side.
  int width() const;
  int height() const;
};

/// Opens and checks; what is odd but no obstacle is told to the printer.
Result<StitchInput> open_stitch_input(const std::string& path, MessagePrinter* printer);
/// The same for two files, each with the picture of one lens.
Result<StitchInput> open_stitch_pair(const std::string& left, const std::string& right,
                                     MessagePrinter* printer);

/// Takes the table out of a DNG that the camera wrote beside the picture, and how it was held where
/// the picture itself doesn't say.
Status read_dng(const std::string& path, makers::CaptureInfo* capture);

/// How the sentences end that refuse to stitch.
inline constexpr const char* has_two_spheres =
    "is stereo, with a sphere for each eye; cut one of them out first";
inline constexpr const char* use_as_it_is = "; use it unchanged, or stitch it with --force";
inline constexpr const char* take_fisheyes =
    "; use one that shows both fisheyes of the camera in one frame";

/// What a picture is that has no two fisheyes, without the file's name; "" where it may have them.
/// `what` is "picture" or "video".
std::string lack_of_fisheyes(media::PictureKind kind, const std::string& what);

/// Whether both names lead to one file, by links too.
bool same_file(const StitchInput& input, const std::string& output);

}  // namespace sphere::tool

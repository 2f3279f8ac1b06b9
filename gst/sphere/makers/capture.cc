// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/capture.h"

#include <vector>

#include "gst/sphere/makers/insta360.h"
#include "gst/sphere/makers/madv.h"
#include "gst/sphere/makers/models.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::makers {

uint64_t trailer_length(const media::Source& source) { return insta360::trailer_length(source); }

std::string other_lens_path(const std::string& path) { return insta360::other_lens_path(path); }

// Add the functions of further makers here. They are called if those before have found nothing.

bool read_box(std::span<const uint8_t> box, CaptureInfo* info) { return madv::read_box(box, info); }

CaptureInfo read_video(const media::Source& source) {
  CaptureInfo info = madv::read_video(source);
  if (info.profile.empty()) info.profile = profile_of_video(source);
  return info;
}

CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg) {
  CaptureInfo info = madv::read_jpeg(source, jpeg);
  if (!info.profile.empty() || !jpeg.exif_length) return info;
  std::vector<uint8_t> exif(static_cast<size_t>(jpeg.exif_length));
  if (!source.read_all(jpeg.exif_offset, exif)) return info;
  const media::MemorySource segment(exif);
  if (const Result<media::Tiff> tiff = media::Tiff::open(segment))
    info.profile = profile_of_exif(*tiff);
  return info;
}

Result<CaptureInfo> read_tiff(const media::Source& source) {
  const Result<media::Tiff> tiff = media::Tiff::open(source);
  if (!tiff) return tiff.error();
  CaptureInfo info = madv::read_tiff(*tiff);
  if (info.profile.empty()) info.profile = profile_of_exif(*tiff);
  return info;
}

Result<CaptureInfo> read_file(const media::Source& source) {
  switch (media::sniff(source)) {
    case media::Kind::isobmff:
      return read_video(source);
    case media::Kind::jpeg: {
      const Result<media::JpegInfo> jpeg = media::check_jpeg(source);
      if (!jpeg) return jpeg.error();
      return read_jpeg(source, *jpeg);
    }
    default:
      if (const Result<CaptureInfo> tiff = read_tiff(source)) return *tiff;
      return CaptureInfo();
  }
}

}  // namespace sphere::makers

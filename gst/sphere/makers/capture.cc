// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/capture.h"

#include "gst/sphere/makers/madv.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::makers {

// Add the functions of further makers here. They are called if those before have found nothing.

bool read_box(std::span<const uint8_t> box, CaptureInfo* info) { return madv::read_box(box, info); }

CaptureInfo read_video(const media::Source& source) { return madv::read_video(source); }

CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg) {
  return madv::read_jpeg(source, jpeg);
}

Result<CaptureInfo> read_tiff(const media::Source& source) {
  const Result<media::Tiff> tiff = media::Tiff::open(source);
  if (!tiff) return tiff.error();
  return madv::read_tiff(*tiff);
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
      if (const Result<media::Tiff> tiff = media::Tiff::open(source)) return madv::read_tiff(*tiff);
      return CaptureInfo();
  }
}

}  // namespace sphere::makers

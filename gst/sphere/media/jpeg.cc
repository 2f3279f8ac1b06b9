// SPDX-License-Identifier: LGPL-2.1-or-later

#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/jpeg_walk.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/spherical.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

using namespace jpeg;

namespace {

constexpr std::string_view xmp_mark("http://ns.adobe.com/xap/1.0/\0", 29);

bool is_frame_header(int marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

Status read_frame_header(ByteReader reader, int marker, JpegInfo* info) {
  if (info->components) return invalid("the JPEG has two frame headers");
  info->bits = reader.u8();
  info->height = reader.u16();
  info->width = reader.u16();
  const int components = reader.u8();
  if (components < 1 || components > 4)
    return invalid("the JPEG has " + std::to_string(components) + " colour components");
  for (int i = 0; i < components; ++i) {
    reader.skip(1);
    const int factors = reader.u8();
    reader.skip(1);
    const int across = factors >> 4, down = factors & 15;
    if (reader.ok() && (across < 1 || across > 4 || down < 1 || down > 4))
      return invalid("the JPEG's sampling factors are wrong");
    info->sampling[static_cast<size_t>(i)] = {across, down};
  }
  if (!reader.ok()) return invalid("the JPEG's frame header is too short");
  if (info->width == 0 || info->height == 0) return invalid("the size of the JPEG is zero");
  info->components = components;
  info->progressive = (marker & 3) == 2;
  info->lossless = (marker & 3) == 3;
  return ok();
}

}  // namespace

bool JpegInfo::half_chroma() const {
  return components == 3 && sampling[1] == sampling[2] && sampling[0][0] == 2 * sampling[1][0] &&
         sampling[0][1] == 2 * sampling[1][1];
}

int exif_orientation(std::span<const uint8_t> bytes) {
  constexpr uint16_t orientation_tag = 0x0112;
  const MemorySource source(bytes);
  const Result<Tiff> tiff = Tiff::open(source);
  const std::optional<uint16_t> value = tiff ? tiff->number16(orientation_tag) : std::nullopt;
  return value && *value >= 1 && *value <= 8 ? *value : 1;
}

Status JpegCheck::add(const JpegSegment& segment, std::span<const uint8_t> content) {
  ByteReader reader(content);
  if (is_frame_header(segment.marker)) return read_frame_header(reader, segment.marker, &info_);
  if (segment.marker == APP1 && reader.starts_with(std::string_view("Exif\0\0", 6))) {
    info_.orientation = exif_orientation(content.subspan(6));
    if (!info_.exif_length) {
      info_.exif_offset = segment.content + 6;
      info_.exif_length = content.size() - 6;
    }
  } else if (segment.marker == APP1 && reader.starts_with(xmp_mark)) {
    const std::span<const uint8_t> packet = content.subspan(xmp_mark.size());
    info_.spherical |= xmp_is_spherical(packet);
    if (!info_.heading) info_.heading = heading_of_xmp(packet);
  } else if (segment.marker == APP14 && reader.starts_with("Adobe")) {
    reader.skip(6);
    const int transform = reader.u8();
    if (reader.ok()) info_.adobe_transform = transform;
  } else if (segment.marker == SOS) {
    if (!info_.components) return invalid("the JPEG is damaged: pixels before the frame header");
    have_scan_ = true;
  }
  return ok();
}

Result<JpegInfo> JpegCheck::finish(uint64_t length, uint64_t size) {
  if (!info_.components || !have_scan_) return invalid("the JPEG contains no picture");
  info_.length = length;
  info_.trailing = size - length;
  return info_;
}

Result<JpegInfo> check_jpeg(const Source& source) {
  JpegCheck check;
  JpegWalker walker(source);
  for (;;) {
    const Result<std::optional<JpegSegment>> next = walker.next();
    if (!next) return next.error();
    if (!*next) break;
    std::vector<uint8_t> content(static_cast<size_t>((*next)->size()));
    if (!source.read_all((*next)->content, content))
      return invalid("the JPEG ends too early; it was cut off");
    if (const Status added = check.add(**next, content); !added) return added.error();
  }
  return check.finish(walker.position(), source.size());
}

}  // namespace sphere::media

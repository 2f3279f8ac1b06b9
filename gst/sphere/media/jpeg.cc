// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/spherical.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

namespace {

enum Marker {
  TEM = 0x01,
  SOF0 = 0xC0,
  SOF2 = 0xC2,
  SOF3 = 0xC3,
  DHT = 0xC4,
  SOF5 = 0xC5,
  SOF7 = 0xC7,
  JPG = 0xC8,
  SOF9 = 0xC9,
  DAC = 0xCC,
  SOF15 = 0xCF,
  RST0 = 0xD0,
  RST7 = 0xD7,
  SOI = 0xD8,
  EOI = 0xD9,
  SOS = 0xDA,
  APP1 = 0xE1,
  APP14 = 0xEE,
};

constexpr std::string_view xmp_mark("http://ns.adobe.com/xap/1.0/\0", 29);

bool is_frame_header(int marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

Error cut_off() { return invalid("the JPEG ends too early; it was cut off"); }

/// Skips fill bytes and returns the next marker, or -1 at the end.
int next_marker(Window& window) {
  int byte = window.next();
  if (byte != 0xFF) return byte < 0 ? -1 : 0;
  while (byte == 0xFF) byte = window.next();
  return byte;
}

/// Skips compressed data up to the marker that ends it.
int pass_scan(Window& window) {
  for (;;) {
    const std::span<const uint8_t> ahead = window.ahead();
    if (ahead.empty()) return -1;
    const void* found = std::memchr(ahead.data(), 0xFF, ahead.size());
    if (!found) {
      window.skip(ahead.size());
      continue;
    }
    window.skip(static_cast<size_t>(static_cast<const uint8_t*>(found) - ahead.data()) + 1);
    int byte = window.next();
    while (byte == 0xFF) byte = window.next();
    if (byte == 0 || (byte >= RST0 && byte <= RST7)) continue;
    return byte;
  }
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

bool JpegInfo::full_chroma() const {
  return std::all_of(sampling.begin(), sampling.begin() + components,
                     [&](const auto& s) { return s == sampling[0]; });
}

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

Result<JpegInfo> check_jpeg(const Source& source) {
  JpegInfo info;
  Window window(source);
  if (window.next() != 0xFF || window.next() != SOI) return invalid("not a JPEG");
  bool have_scan = false;
  int marker = next_marker(window);
  for (;;) {
    if (marker < 0) return cut_off();
    if (marker == EOI) break;
    if (marker == TEM || (marker >= RST0 && marker <= RST7)) {
      marker = next_marker(window);
      continue;
    }
    if (marker == 0 || marker == SOI || marker < SOF0)
      return invalid("the JPEG is damaged: a segment is missing where one must begin");
    uint64_t length = 0;
    if (!window.number(2, &length)) return cut_off();
    if (length < 2) return invalid("the JPEG is damaged: a segment whose length is too small");
    std::vector<uint8_t> segment(static_cast<size_t>(length) - 2);
    const uint64_t after = window.position() + segment.size();
    if (!source.read_all(window.position(), segment)) return cut_off();
    window.seek(after);

    ByteReader reader(segment);
    if (is_frame_header(marker)) {
      if (const Status read = read_frame_header(reader, marker, &info); !read) return read.error();
    } else if (marker == APP1 && reader.starts_with(std::string_view("Exif\0\0", 6))) {
      info.orientation = exif_orientation(std::span(segment).subspan(6));
      if (!info.exif_length) {
        info.exif_offset = after - segment.size() + 6;
        info.exif_length = segment.size() - 6;
      }
    } else if (marker == APP1 && reader.starts_with(xmp_mark)) {
      info.spherical |= xmp_is_spherical(std::span(segment).subspan(xmp_mark.size()));
    } else if (marker == APP14 && reader.starts_with("Adobe")) {
      reader.skip(6);
      const int transform = reader.u8();
      if (reader.ok()) info.adobe_transform = transform;
    }
    if (marker == SOS) {
      if (!info.components) return invalid("the JPEG is damaged: pixels before the frame header");
      have_scan = true;
      marker = pass_scan(window);
    } else {
      marker = next_marker(window);
    }
  }
  if (!info.components || !have_scan) return invalid("the JPEG contains no picture");
  info.length = window.position();
  info.trailing = source.size() - info.length;
  return info;
}

}  // namespace sphere::media

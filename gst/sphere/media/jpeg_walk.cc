// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/jpeg_walk.h"

#include <span>

#include "gst/sphere/media/find_marker.h"

namespace sphere::media {

using namespace jpeg;

namespace {

Error cut_off() { return invalid("the JPEG ends too early; it was cut off"); }

}  // namespace

/// Skips fill bytes and returns the next marker, or -1 at the end.
int JpegWalker::next_marker() {
  marker_begin_ = window_.position();
  int byte = window_.next();
  if (byte != 0xFF) return byte < 0 ? -1 : 0;
  while (byte == 0xFF) byte = window_.next();
  return byte;
}

/// Skips compressed data up to the marker that ends it.
int JpegWalker::pass_scan() {
  for (;;) {
    const std::span<const uint8_t> ahead = window_.ahead();
    if (ahead.empty()) return -1;
    const size_t found = find_jpeg_marker(ahead);
    window_.skip(found);
    if (found == ahead.size()) continue;
    marker_begin_ = window_.position();
    int byte = window_.next();
    while (byte == 0xFF) byte = window_.next();
    if (byte == 0 || (byte >= RST0 && byte <= RST7)) continue;
    return byte;
  }
}

Result<std::optional<JpegSegment>> JpegWalker::next() {
  if (!begun_) {
    begun_ = true;
    if (window_.next() != 0xFF || window_.next() != SOI) return invalid("not a JPEG");
    marker_ = next_marker();
  }
  while (marker_ == TEM || (marker_ >= RST0 && marker_ <= RST7)) marker_ = next_marker();
  if (marker_ < 0) return cut_off();
  if (marker_ == EOI) return std::optional<JpegSegment>();
  if (marker_ == SOI || marker_ < SOF0)
    return invalid("the JPEG is damaged: a segment is missing where one must begin");
  uint64_t length = 0;
  JpegSegment segment{marker_, marker_begin_};
  if (!window_.number(2, &length)) return cut_off();
  if (length < 2) return invalid("the JPEG is damaged: a segment whose length is too small");
  segment.content = window_.position();
  segment.end = segment.content + length - 2;
  if (segment.end > source_.size()) return cut_off();
  window_.seek(segment.end);
  marker_ = segment.marker == SOS ? pass_scan() : next_marker();
  if (marker_ < 0) return cut_off();
  segment.scan_end = segment.marker == SOS ? marker_begin_ : segment.end;
  return std::optional(segment);
}

}  // namespace sphere::media

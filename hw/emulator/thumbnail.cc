// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/thumbnail.h"

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::emulator {

using media::Box;
using media::box_at;
using media::find_box;
using media::find_path;
using media::Next;
using media::Source;

namespace {

constexpr uint16_t tag_thumbnail = 0x0201, tag_thumbnail_length = 0x0202;
constexpr uint64_t largest_thumbnail = 64 << 10, largest_picture = 16 << 20;

constexpr std::string_view start_code("\0\0\0\1", 4);
constexpr int unit_of_key_frame = 5;

// Bytes of a sample entry before its own boxes, and of a full box's version and flags.
constexpr uint64_t picture_entry = 78, full_box = 4;

std::optional<std::vector<uint8_t>> read(const Source& source, uint64_t from, uint64_t length,
                                         uint64_t most) {
  if (length > most) return std::nullopt;
  std::vector<uint8_t> bytes(static_cast<size_t>(length));
  if (!source.read_all(from, bytes)) return std::nullopt;
  return bytes;
}

/// The first track of pictures.
std::optional<Box> picture_track(const Source& source, const Box& movie) {
  for (uint64_t position = movie.content; position < movie.end;) {
    Box track;
    if (box_at(source, position, movie.end, false, &track) != Next::box) break;
    position = track.end;
    if (track.type != "trak") continue;
    const auto handler = find_path(source, track, {"mdia", "hdlr"});
    if (!handler) continue;
    const auto kind = read(source, handler->content + full_box + 4, 4, 4);
    if (kind && std::string(kind->begin(), kind->end()) == "vide") return track;
  }
  return std::nullopt;
}

std::optional<uint64_t> number_at(const Source& source, uint64_t position, int bytes) {
  media::Window window(source, position, 8);
  uint64_t value = 0;
  if (!window.number(bytes, &value)) return std::nullopt;
  return value;
}

void append_unit(std::string& stream, std::span<const uint8_t> unit) {
  stream += start_code;
  stream.append(unit.begin(), unit.end());
}

}  // namespace

Result<std::string> photo_thumbnail(const Source& photo) {
  const auto jpeg = media::check_jpeg(photo);
  if (!jpeg) return jpeg.error();
  const media::RangeSource exif(photo, jpeg->exif_offset, jpeg->exif_length);
  const auto tiff = media::Tiff::open(exif);
  if (!tiff) return tiff.error();
  for (const media::Tiff& directory : tiff->other_directories()) {
    const auto offset = directory.number(tag_thumbnail);
    const auto length = directory.number(tag_thumbnail_length);
    if (!offset || !length) continue;
    if (const auto bytes = read(exif, *offset, *length, largest_thumbnail))
      return std::string(bytes->begin(), bytes->end());
  }
  return not_found("the photo has no thumbnail");
}

Result<std::string> first_picture(const Source& video) {
  const auto damaged = [] { return invalid("the video has no first picture in H.264"); };
  const std::optional<Box> movie = find_box(video, 0, video.size(), true, "moov");
  const auto track = movie ? picture_track(video, *movie) : std::nullopt;
  const auto tables = track ? find_path(video, *track, {"mdia", "minf", "stbl"}) : std::nullopt;
  if (!tables) return damaged();

  // The parameter sets, and the number of bytes of a unit's length.
  const auto entries = find_path(video, *tables, {"stsd"});
  Box entry;
  if (!entries ||
      box_at(video, entries->content + full_box + 4, entries->end, false, &entry) != Next::box ||
      entry.type != "avc1")
    return damaged();
  const auto settings = find_box(video, entry.content + picture_entry, entry.end, false, "avcC");
  const auto bytes =
      settings ? read(video, settings->content, settings->size(), largest_thumbnail) : std::nullopt;
  if (!bytes) return damaged();
  std::string stream;
  ByteReader reader(*bytes);
  reader.skip(4);
  const auto one = [&reader] {
    const auto byte = reader.take(1);
    return byte.empty() ? 0 : byte[0];
  };
  const int length_size = (one() & 3) + 1;
  for (const int mask : {0x1f, 0xff}) {
    const int count = one() & mask;
    for (int i = 0; i < count && reader.ok(); ++i) {
      const size_t high = one(), length = high << 8 | one();
      append_unit(stream, reader.take(length));
    }
  }
  if (!reader.ok()) return damaged();

  // The first sample of the first chunk.
  const auto sizes = find_path(video, *tables, {"stsz"});
  const auto offsets32 = find_path(video, *tables, {"stco"});
  const auto offsets64 = find_path(video, *tables, {"co64"});
  if (!sizes || (!offsets32 && !offsets64)) return damaged();
  std::optional<uint64_t> size = number_at(video, sizes->content + full_box, 4);
  if (size == 0u) size = number_at(video, sizes->content + full_box + 8, 4);
  const Box& offsets = offsets32 ? *offsets32 : *offsets64;
  const auto offset = number_at(video, offsets.content + full_box + 4, offsets32 ? 4 : 8);
  const auto sample = size && offset ? read(video, *offset, *size, largest_picture) : std::nullopt;
  if (!sample) return damaged();
  bool is_key_frame = false;
  for (std::span<const uint8_t> left = *sample; left.size() > static_cast<size_t>(length_size);) {
    size_t length = 0;
    for (int i = 0; i < length_size; ++i) length = length << 8 | left[static_cast<size_t>(i)];
    left = left.subspan(static_cast<size_t>(length_size));
    if (length == 0 || length > left.size()) return damaged();
    is_key_frame |= (left[0] & 0x1f) == unit_of_key_frame;
    append_unit(stream, left.first(length));
    left = left.subspan(length);
  }
  if (!is_key_frame) return damaged();
  return stream;
}

}  // namespace sphere::emulator

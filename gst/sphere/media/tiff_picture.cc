// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/tiff_picture.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gst/sphere/media/spherical.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

namespace {

enum Tag : uint16_t {
  tag_width = 0x0100,
  tag_height = 0x0101,
  tag_bits = 0x0102,
  tag_compression = 0x0103,
  tag_strip_offsets = 0x0111,
  tag_strip_lengths = 0x0117,
  tag_tile_offsets = 0x0144,
  tag_tile_lengths = 0x0145,
  tag_jpeg_offset = 0x0201,
  tag_jpeg_length = 0x0202,
  tag_xmp = 0x02bc,
  tag_dng_version = 0xc612,
};

constexpr uint32_t compression_jpeg = 7;
constexpr uint64_t largest_xmp = 1 << 20;

uint32_t first_number(const Tiff& tiff, uint16_t tag, uint32_t otherwise) {
  const std::vector<uint32_t> values = tiff.numbers(tag);
  return values.empty() ? otherwise : values[0];
}

bool says_spherical(const Tiff& tiff) {
  const TiffEntry* xmp = tiff.find(tag_xmp);
  return xmp && xmp->size <= largest_xmp && xmp_is_spherical(tiff.bytes(*xmp));
}

/// The JPEG that a directory has in one piece, in either of the two ways.
std::optional<Extent> jpeg_of(const Tiff& tiff) {
  if (const uint32_t offset = first_number(tiff, tag_jpeg_offset, 0))
    return Extent{offset, first_number(tiff, tag_jpeg_length, 0)};
  const std::vector<uint32_t> offsets = tiff.numbers(tag_strip_offsets),
                              lengths = tiff.numbers(tag_strip_lengths);
  if (first_number(tiff, tag_compression, 1) == compression_jpeg && offsets.size() == 1 &&
      lengths.size() == 1)
    return Extent{offsets[0], lengths[0]};
  return std::nullopt;
}

}  // namespace

bool is_dng(const Source& source) {
  const Result<Tiff> tiff = Tiff::open(source);
  return tiff && tiff->find(tag_dng_version);
}

Result<TiffInfo> check_tiff(const Source& source) {
  const Result<Tiff> tiff = Tiff::open(source);
  if (!tiff) return tiff.error();
  TiffInfo info;
  const uint32_t width = first_number(*tiff, tag_width, 0),
                 height = first_number(*tiff, tag_height, 0);
  const bool tiles = tiff->find(tag_tile_offsets);
  const std::vector<uint32_t> offsets = tiff->numbers(tiles ? tag_tile_offsets : tag_strip_offsets);
  const std::vector<uint32_t> lengths = tiff->numbers(tiles ? tag_tile_lengths : tag_strip_lengths);
  const bool listed = tiff->find(tag_strip_offsets) || tiles;
  // The directory often stands behind the pixels.
  if (!tiff->find(tag_width) || (listed && offsets.empty()))
    return invalid("the TIFF ends too early; it was cut off");
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
    return invalid("the TIFF has a size that is not possible");
  if (!listed || offsets.size() != lengths.size())
    return invalid("the TIFF does not tell where its pixels are");
  for (size_t i = 0; i < offsets.size(); ++i)
    if (uint64_t{offsets[i]} + lengths[i] > source.size())
      return invalid("the TIFF ends too early; it was cut off");
  info.width = static_cast<int>(width);
  info.height = static_cast<int>(height);
  info.bits = static_cast<int>(std::min<uint32_t>(first_number(*tiff, tag_bits, 1), 64));
  const std::optional<uint16_t> orientation = tiff->number16(0x0112);
  if (orientation && *orientation >= 1 && *orientation <= 8) info.orientation = *orientation;
  info.spherical = says_spherical(*tiff);
  info.length = source.size();
  return info;
}

Result<DngInfo> check_dng(const Source& source) {
  const Result<Tiff> tiff = Tiff::open(source);
  if (!tiff) return tiff.error();
  std::vector<Tiff> directories = tiff->other_directories();
  directories.push_back(*tiff);
  std::optional<DngInfo> best;
  for (const Tiff& directory : directories) {
    const std::optional<Extent> extent = jpeg_of(directory);
    if (!extent || extent->length == 0 || extent->offset + extent->length > source.size()) continue;
    const Result<JpegInfo> jpeg = check_jpeg(RangeSource(source, extent->offset, extent->length));
    // The pixels of the sensor are a JPEG, too, a lossless one.
    if (!jpeg || jpeg->lossless || jpeg->bits != 8) continue;
    if (best &&
        int64_t{jpeg->width} * jpeg->height <= int64_t{best->jpeg.width} * best->jpeg.height)
      continue;
    best = DngInfo{{extent->offset, jpeg->length}, *jpeg};
  }
  if (!best)
    return unsupported(
        "is a raw picture (DNG) without a picture for viewing in it; develop it to a JPEG or TIFF "
        "first");
  best->jpeg.spherical |= says_spherical(*tiff);
  // The offset is counted from the preview's own begin; its Exif belongs to the preview alone.
  best->jpeg.exif_length = 0;
  best->jpeg.trailing = 0;
  return *best;
}

}  // namespace sphere::media

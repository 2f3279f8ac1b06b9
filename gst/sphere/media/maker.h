// SPDX-License-Identifier: LGPL-2.1-or-later
// What a reader of a format asks about the private data of one vendor's cameras.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// What a part is, without where it is.
struct PartRule {
  PartClass part_class = PartClass::unknown;
  std::string what;
  std::string value = {};
};

/// A tag of Exif, of any of its directories.
struct ExifTag {
  enum class Directory { image, thumbnail, exif, gps, interoperability };
  Directory directory = Directory::image;
  uint16_t tag = 0;
  uint16_t type = 0;
  std::span<const uint8_t> bytes;
};

/// Pictures of a video, counted from its beginning at an even rate.
struct PictureRange {
  uint64_t first = 0, count = 0;
};

class Maker {
 public:
  virtual ~Maker() = default;

  /// A tag of a photo whose Exif has this Make and Model.
  virtual std::optional<PartRule> exif_tag(std::string_view make, std::string_view model,
                                           const ExifTag& tag) const;
  /// A box of an MP4 or MOV file, by its path from the top, such as "moov/udta/madv/gpsx", or
  /// "moov/trak/uuid:ffcc8263f8554a938814587a02521fdd". `content` is at most its first 64 KiB. A
  /// box for which `contains_boxes` is true is examined child by child instead.
  virtual std::optional<PartRule> box(std::string_view path, std::span<const uint8_t> content,
                                      Traces* traces) const;
  virtual bool contains_boxes(std::string_view path) const;
  /// A box of user data, with its header, for a part of the video: those of its records that belong
  /// to the pictures of the part. Nothing if it has no such records, and stays as it is.
  virtual std::optional<std::vector<uint8_t>> cut_box(std::string_view path,
                                                      std::span<const uint8_t> box,
                                                      const PictureRange& pictures) const;
  /// Bytes after the end of a photo or of the last box, which end at `end`. If they are the
  /// vendor's: adds each record to `parts`, sets `begin` to their first byte, and returns true. The
  /// records are removed or zeroed by the caller, whole.
  virtual bool trailer(const Source& source, uint64_t end, uint64_t* begin,
                       std::vector<Part>* parts, Traces* traces) const;
};

}  // namespace sphere::media

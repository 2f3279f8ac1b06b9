// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the TIFF structure of Exif and DNG: single directories, and the entries of the first one
// and of Exif's together.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct TiffEntry {
  uint16_t tag = 0, type = 0;
  uint32_t count = 0;
  uint64_t offset = 0;                ///< offset of its bytes; 0 if not all are there
  uint64_t size = 0;                  ///< number of its bytes; 0 if the type is not known
  std::array<uint8_t, 4> field = {};  ///< the value field of the entry: the bytes, or their offset

  /// Whether its bytes stand in the entry itself.
  bool inside() const { return size <= field.size(); }
};

struct TiffDirectory {
  static constexpr size_t entry_size = 12;
  uint64_t offset = 0;
  std::vector<TiffEntry> entries;
  uint32_t next = 0;   ///< where the following directory is; 0: it is the last one
  bool whole = false;  ///< all its entries are there, and so is `next`

  /// Of the number of entries, the entries and the link to the next directory.
  uint64_t length() const { return 2 + entries.size() * entry_size + 4; }
};

class Tiff {
 public:
  /// The source must exist longer than this object. Of an incomplete directory, the existing
  /// entries are read.
  static Result<Tiff> open(const Source& source);
  /// The directories of further pictures that the first one names or that follow it, in order.
  std::vector<Tiff> other_directories() const;

  bool little() const { return little_; }
  uint32_t first() const { return first_; }
  /// The directory at an offset, also one with another meaning, such as that of the GPS.
  TiffDirectory directory(uint64_t offset) const;

  const TiffEntry* find(uint16_t tag) const;
  /// Empty if not all of them are in the source.
  std::vector<uint8_t> bytes(const TiffEntry& entry) const;
  /// The text up to the first zero; "" if there is none.
  std::string text(uint16_t tag) const;
  /// The four bytes of the entry's value field, without regard to its type and count: some cameras
  /// write more bytes there than the count declares.
  std::optional<std::array<uint8_t, 4>> value_field(uint16_t tag) const;
  /// One number of 32 bits. The type is checked, because some cameras use the same tags with other
  /// types.
  std::optional<uint32_t> number(uint16_t tag) const;
  /// One number of 16 bits.
  std::optional<uint16_t> number16(uint16_t tag) const;
  /// All its numbers, of 16 or of 32 bits; none where they are not all there or too many.
  std::vector<uint32_t> numbers(uint16_t tag) const;
  std::vector<uint32_t> numbers(const TiffEntry& entry) const;

 private:
  Tiff(const Source& source, bool little) : source_(&source), little_(little) {}
  void read_directory(uint64_t offset);
  /// Of an entry that has one value of this type; otherwise empty.
  std::vector<uint8_t> bytes_of_one(uint16_t tag, uint16_t type) const;

  const Source* source_;
  bool little_;
  std::vector<TiffEntry> entries_;
  uint32_t first_ = 0;
  uint32_t next_ = 0;  ///< where the directory after the first one is
};

}  // namespace sphere::media

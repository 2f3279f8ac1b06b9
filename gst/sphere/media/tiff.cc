// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/tiff.h"

#include <algorithm>
#include <array>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

namespace {

constexpr uint16_t exif_tag = 0x8769, type_ascii = 2, type_short = 3, type_long = 4,
                   type_directory = 13;
constexpr size_t entry_size = TiffDirectory::entry_size;
// Bytes of a value of the types 0 to 13; the sizes of other types are not known.
constexpr std::array<uint64_t, 14> type_sizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
// Entries of a directory. Real ones have some tens.
constexpr size_t most_entries = 4096;
constexpr uint64_t longest_text = 256;
constexpr uint16_t sub_directories_tag = 0x014a;
// Real files have some five.
constexpr size_t most_directories = 64;
// One for each row of the tallest picture that can be read, and more.
constexpr uint64_t longest_list = uint64_t{4} << 20;

}  // namespace

Result<Tiff> Tiff::open(const Source& source) {
  uint8_t bytes[8];
  if (!source.read_all(0, bytes)) return invalid("not a TIFF");
  ByteReader reader(bytes);
  const bool little = reader.starts_with("II");
  if (!little && !reader.starts_with("MM")) return invalid("not a TIFF");
  if ((little ? reader.u16_little() : reader.u16()) != 42) return invalid("not a TIFF");
  Tiff tiff(source, little);
  const uint32_t first = little ? reader.u32_little() : reader.u32();
  tiff.first_ = first;
  tiff.read_directory(first);
  tiff.next_ = tiff.directory(first).next;
  if (const std::optional<uint32_t> exif = tiff.number(exif_tag)) tiff.read_directory(*exif);
  return tiff;
}

TiffDirectory Tiff::directory(uint64_t offset) const {
  TiffDirectory directory{offset, {}, 0, false};
  uint8_t head[2], link[4];
  if (!source_->read_all(offset, head)) return directory;
  const size_t count = little_ ? head[0] | head[1] << 8 : head[0] << 8 | head[1];
  std::vector<uint8_t> bytes(std::min(count, most_entries) * entry_size);
  bytes.resize(source_->read(offset + 2, bytes));
  ByteReader reader(bytes);
  const auto u16 = [&] { return little_ ? reader.u16_little() : reader.u16(); };
  const auto u32 = [&] { return little_ ? reader.u32_little() : reader.u32(); };
  for (size_t n = 0; n < bytes.size() / entry_size; ++n) {
    TiffEntry entry;
    entry.tag = u16();
    entry.type = u16();
    entry.count = u32();
    const uint64_t here = offset + 2 + n * entry_size + 8;
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(n * entry_size + 8), entry.field.size(),
                entry.field.begin());
    const uint32_t elsewhere = u32();
    if (entry.type < type_sizes.size()) entry.size = type_sizes[entry.type] * entry.count;
    const uint64_t place = entry.inside() ? here : elsewhere;
    if (place <= source_->size() && entry.size <= source_->size() - place) entry.offset = place;
    directory.entries.push_back(entry);
  }
  directory.whole =
      directory.entries.size() == count && source_->read_all(offset + 2 + count * entry_size, link);
  if (directory.whole) {
    ByteReader last(link);
    directory.next = little_ ? last.u32_little() : last.u32();
  }
  return directory;
}

void Tiff::read_directory(uint64_t offset) {
  for (const TiffEntry& entry : directory(offset).entries)
    if (entry.type < type_sizes.size()) entries_.push_back(entry);
}

std::vector<Tiff> Tiff::other_directories() const {
  std::vector<uint32_t> offsets = numbers(sub_directories_tag);
  for (uint32_t next = next_; next && offsets.size() < most_directories;
       next = directory(next).next)
    offsets.push_back(next);
  offsets.resize(std::min(offsets.size(), most_directories));
  std::vector<Tiff> directories;
  for (const uint32_t offset : offsets) {
    Tiff directory(*source_, little_);
    directory.read_directory(offset);
    directories.push_back(std::move(directory));
  }
  return directories;
}

std::vector<uint32_t> Tiff::numbers(uint16_t tag) const {
  const TiffEntry* entry = find(tag);
  return entry ? numbers(*entry) : std::vector<uint32_t>();
}

std::vector<uint32_t> Tiff::numbers(const TiffEntry& entry) const {
  // A directory has a type of its own, with the same numbers.
  if ((entry.type != type_short && entry.type != type_long && entry.type != type_directory) ||
      entry.size > longest_list)
    return {};
  const std::vector<uint8_t> all = bytes(entry);
  ByteReader reader(all);
  std::vector<uint32_t> values;
  while (reader.remaining()) {
    if (entry.type == type_short)
      values.push_back(little_ ? reader.u16_little() : reader.u16());
    else
      values.push_back(little_ ? reader.u32_little() : reader.u32());
  }
  return values;
}

const TiffEntry* Tiff::find(uint16_t tag) const {
  for (const TiffEntry& entry : entries_)
    if (entry.tag == tag) return &entry;
  return nullptr;
}

std::vector<uint8_t> Tiff::bytes(const TiffEntry& entry) const {
  // An offset within the header is not valid.
  if (entry.offset == 0 || entry.size > source_->size()) return {};
  std::vector<uint8_t> bytes(static_cast<size_t>(entry.size));
  if (!source_->read_all(entry.offset, bytes)) return {};
  return bytes;
}

std::string Tiff::text(uint16_t tag) const {
  const TiffEntry* entry = find(tag);
  if (!entry || entry->type != type_ascii || entry->size > longest_text) return {};
  const std::vector<uint8_t> letters = bytes(*entry);
  return {letters.begin(), std::find(letters.begin(), letters.end(), 0)};
}

std::optional<std::array<uint8_t, 4>> Tiff::value_field(uint16_t tag) const {
  const TiffEntry* entry = find(tag);
  return entry ? std::optional(entry->field) : std::nullopt;
}

std::vector<uint8_t> Tiff::bytes_of_one(uint16_t tag, uint16_t type) const {
  const TiffEntry* entry = find(tag);
  if (!entry || entry->type != type || entry->count != 1) return {};
  return bytes(*entry);
}

std::optional<uint32_t> Tiff::number(uint16_t tag) const {
  const std::vector<uint8_t> four = bytes_of_one(tag, type_long);
  if (four.empty()) return std::nullopt;
  ByteReader reader(four);
  return little_ ? reader.u32_little() : reader.u32();
}

std::optional<uint16_t> Tiff::number16(uint16_t tag) const {
  const std::vector<uint8_t> two = bytes_of_one(tag, type_short);
  if (two.empty()) return std::nullopt;
  ByteReader reader(two);
  return little_ ? reader.u16_little() : reader.u16();
}

}  // namespace sphere::media

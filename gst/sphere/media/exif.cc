// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/colour_profile.h"

#include <libexif/exif-data.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "gst/sphere/base/text.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif_tags.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/tiff.h"
#include "gst/sphere/media/tiff_write.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;
using Directory = ExifTag::Directory;

constexpr uint16_t thumbnail_offset = 0x0201, thumbnail_length = 0x0202;
// libexif writes this before the structure.
constexpr size_t exif_mark_size = 6;
// More can't be written by libexif.
constexpr uint64_t largest_value = 65536;
// libexif does not know the type of TIFF that follows.
constexpr uint16_t last_type = 12;
// Directories that follow each other. Exif has two.
constexpr int most_directories = 64;

struct Unref {
  void operator()(ExifData* data) const { exif_data_unref(data); }
  void operator()(ExifEntry* entry) const { exif_entry_unref(entry); }
  void operator()(ExifMem* memory) const { exif_mem_unref(memory); }
  void operator()(unsigned char* bytes) const { std::free(bytes); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

std::string_view name_of(Directory directory) {
  switch (directory) {
    case Directory::image:
      return "";
    case Directory::thumbnail:
      return "thumbnail/";
    case Directory::exif:
      return "";
    case Directory::gps:
      return "GPS/";
    case Directory::interoperability:
      return "interoperability/";
  }
  return "";
}

/// An Exif that libexif writes.
class Writer {
 public:
  explicit Writer(bool little) : memory_(exif_mem_new_default()), data_(exif_data_new()) {
    // Otherwise it adds tags and leaves some out.
    exif_data_unset_option(data_.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_unset_option(data_.get(), EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
    exif_data_set_byte_order(data_.get(),
                             little ? EXIF_BYTE_ORDER_INTEL : EXIF_BYTE_ORDER_MOTOROLA);
  }

  void add(Directory directory, TiffValue value) {
    values_.emplace_back(directory, std::move(value));
  }
  bool empty() const { return values_.empty(); }
  bool has(Directory directory, uint16_t tag) const {
    return std::ranges::any_of(values_, [&](const auto& value) {
      return value.first == directory && value.second.tag == tag;
    });
  }

  /// Empty if it can't be written.
  Bytes bytes() {
    // libexif sorts the entries, but not where their values are.
    std::ranges::stable_sort(values_, {}, [](const auto& value) { return value.second.tag; });
    for (const auto& [directory, value] : values_)
      if (!put(directory, value)) return {};
    unsigned char* written = nullptr;
    unsigned size = 0;
    exif_data_save_data(data_.get(), &written, &size);
    const Owned<unsigned char> owner(written);
    if (!written || size <= exif_mark_size) return {};
    return {written + exif_mark_size, written + size};
  }

 private:
  bool put(Directory directory, const TiffValue& value) {
    const Owned<ExifEntry> entry(exif_entry_new_mem(memory_.get()));
    if (!entry || value.bytes.size() > largest_value) return false;
    entry->tag = static_cast<::ExifTag>(value.tag);
    entry->format = static_cast<ExifFormat>(value.type);
    entry->components = value.count;
    entry->size = static_cast<unsigned>(value.bytes.size());
    entry->data =
        static_cast<unsigned char*>(exif_mem_alloc(memory_.get(), std::max(1U, entry->size)));
    if (!entry->data) return false;
    if (entry->size) std::memcpy(entry->data, value.bytes.data(), entry->size);
    exif_content_add_entry(data_->ifd[exif_ifd(directory)], entry.get());
    return true;
  }

  Owned<ExifMem> memory_;
  Owned<ExifData> data_;
  std::vector<std::pair<Directory, TiffValue>> values_;
};

/// A value field that is kept with all its four bytes, whatever its count says.
struct Field {
  Directory directory;
  uint16_t tag;
  std::array<uint8_t, 4> bytes;
};

class Examiner {
 public:
  Examiner(const Source& source, const Tiff& tiff, const Where& where, Findings* findings)
      : source_(source),
        tiff_(tiff),
        where_(where),
        findings_(*findings),
        camera_(camera_of(tiff)),
        writer_(tiff.little()) {}

  Result<NewPacket> run() {
    const TiffDirectory first = tiff_.directory(tiff_.first());
    read(Directory::image, tiff_.first());
    if (first.next) {
      read(Directory::thumbnail, first.next);
      read_more(tiff_.directory(first.next).next);
    }
    if (where_.removed) return NewPacket(Bytes());
    const Request& request = findings_.request();
    if (findings_.keeps_everything()) return request.position ? append_position() : NewPacket();
    if (request.position) {
      const auto values = gps_values(*request.position, request.position_time, tiff_.little());
      for (const TiffValue& value : values) writer_.add(Directory::gps, value);
    }
    if (writer_.empty()) return NewPacket(Bytes());
    Bytes bytes = writer_.bytes();
    if (bytes.empty()) return failed("the Exif can't be written");
    restore_fields(&bytes);
    if (std::ranges::equal(bytes, original())) return NewPacket();
    return NewPacket(std::move(bytes));
  }

 private:
  Bytes original() const {
    Bytes bytes(static_cast<size_t>(source_.size()));
    return source_.read_all(0, bytes) ? bytes : Bytes();
  }

  /// Everything about the thumbnail goes with it: it may show what was cut out of the picture.
  bool removed(Directory directory) const {
    return where_.removed || (directory == Directory::thumbnail && !findings_.keeps_everything()) ||
           (directory == Directory::gps && findings_.request().position);
  }

  void read(Directory kind, uint64_t offset) {
    if (std::ranges::find(read_, offset) != read_.end()) return;
    read_.push_back(offset);
    const TiffDirectory directory = tiff_.directory(offset);
    if (kind == Directory::gps) note_positions(tiff_, directory, &findings_);
    for (const TiffEntry& entry : directory.entries) {
      if (const std::optional<Directory> inner = pointed_directory(kind, entry.tag)) {
        if (const std::optional<uint32_t> where = number(entry)) read(*inner, *where);
      } else {
        read_entry(kind, entry);
      }
    }
    if (kind == Directory::thumbnail) read_thumbnail(directory);
  }

  std::optional<uint32_t> number(const TiffEntry& entry) const {
    if (entry.count != 1 || entry.offset == 0 || entry.size != 4) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i)
      value |= uint32_t{entry.field[i]} << 8 * (tiff_.little() ? i : 3 - i);
    return value;
  }

  void read_entry(Directory kind, const TiffEntry& entry) {
    incomplete_ |= !entry.inside() && entry.offset == 0;
    const bool there = entry.size != 0 && entry.offset != 0 && entry.size <= largest_value &&
                       entry.type <= last_type;
    Bytes bytes = there ? tiff_.bytes(entry) : Bytes();
    const ExifTag tag{kind, entry.tag, entry.type, bytes};
    PartRule rule = there ? exif_rule(findings_.request(), camera_, tag, tiff_.little())
                          : PartRule{PartClass::unknown, "not complete, or too long", {}};
    // Readers differ in which of several they believe.
    if (writer_.has(kind, entry.tag))
      rule = {PartClass::unknown, "a second value of the same tag", std::move(rule.value)};
    Where where = where_.inside(entry.offset, entry.size,
                                std::string(name_of(kind)) + exif_tag_name(kind, entry.tag));
    where.removed = removed(kind);
    const bool stays = findings_.add(where, rule);
    if (!stays && names_somebody(tag)) findings_.identity(as_text(bytes));
    if (!stays || !there || findings_.keeps_everything()) return;
    if (is_profile_tag(entry.tag) && is_colour_profile(bytes))
      if (auto clean = clean_profile(bytes, where, &findings_)) bytes = std::move(*clean);
    writer_.add(kind, {entry.tag, entry.type, entry.count, bytes});
    if (rule.part_class == PartClass::stitching && entry.inside())
      fields_.push_back({kind, entry.tag, entry.field});
  }

  void read_thumbnail(const TiffDirectory& directory) {
    uint32_t begin = 0, length = 0;
    for (const TiffEntry& entry : directory.entries) {
      if (entry.tag == thumbnail_offset) begin = number(entry).value_or(0);
      if (entry.tag == thumbnail_length) length = number(entry).value_or(0);
    }
    if (begin == 0 || begin >= source_.size()) return;
    length = static_cast<uint32_t>(std::min<uint64_t>(length, source_.size() - begin));
    Where where = where_.inside(begin, length, "thumbnail");
    where.removed = removed(Directory::thumbnail);
    findings_.add(where, {PartClass::unknown, "small picture", {}});
    list_embedded(RangeSource(source_, begin, length), where, &findings_);
  }

  /// Directories that Exif does not have.
  void read_more(uint32_t next) {
    for (int count = 0; next && count < most_directories; ++count) {
      if (std::ranges::find(read_, next) != read_.end()) return;
      read_.push_back(next);
      const TiffDirectory directory = tiff_.directory(next);
      Where where = where_.inside(next, directory.length(), "more");
      findings_.add(where, {PartClass::unknown, "a directory that Exif does not have", {}});
      next = directory.next;
    }
  }

  Result<NewPacket> append_position() const {
    const Request& request = findings_.request();
    const TiffDirectory first = tiff_.directory(tiff_.first());
    // What was behind the end would be in what is appended.
    if (!first.whole || incomplete_)
      return invalid("the Exif is damaged; no position can be put into it");
    Examination examination;
    examination.edits =
        add_to_tiff(source_, tiff_, first.entries, {},
                    gps_values(*request.position, request.position_time, tiff_.little()));
    for (const uint64_t offset : read_) zero_old_position(offset, &examination.edits);
    std::ranges::sort(examination.edits, {}, &Edit::offset);
    Result<Bytes> bytes = edited(original(), examination);
    if (!bytes) return bytes.error();
    return NewPacket(std::move(*bytes));
  }
  /// Of a directory that has a pointer to one with a position.
  void zero_old_position(uint64_t offset, std::vector<Edit>* edits) const {
    for (const TiffEntry& entry : tiff_.directory(offset).entries) {
      if (entry.tag != gps_pointer || !number(entry)) continue;
      const TiffDirectory gps = tiff_.directory(*number(entry));
      if (gps.whole) add_zeros(gps.offset, gps.length(), edits);
      for (const TiffEntry& value : gps.entries)
        if (!value.inside() && value.offset) add_zeros(value.offset, value.size, edits);
    }
  }
  /// Where nothing else is edited: directories of a damaged file can overlap.
  static void add_zeros(uint64_t offset, uint64_t length, std::vector<Edit>* edits) {
    const bool free = std::ranges::all_of(*edits, [&](const Edit& edit) {
      return offset + length <= edit.offset || edit.offset + edit.length <= offset;
    });
    if (free && offset >= 8) edits->push_back({offset, length, {}, true});
  }

  void restore_fields(Bytes* bytes) const {
    const MemorySource source(*bytes);
    const Result<Tiff> tiff = Tiff::open(source);
    if (!tiff) return;
    const TiffDirectory first = tiff->directory(tiff->first());
    std::vector<std::pair<Directory, TiffDirectory>> directories = {{Directory::image, first}};
    for (const TiffEntry& entry : first.entries)
      if (const std::optional<Directory> inner = pointed_directory(Directory::image, entry.tag))
        if (const std::optional<uint32_t> where = number(entry))
          directories.emplace_back(*inner, tiff->directory(*where));
    for (const Field& field : fields_)
      for (const auto& [kind, directory] : directories)
        for (size_t i = 0; i < directory.entries.size(); ++i)
          if (kind == field.directory && directory.entries[i].tag == field.tag)
            std::ranges::copy(field.bytes, bytes->begin() + static_cast<ptrdiff_t>(
                                                                directory.offset + 2 +
                                                                i * TiffDirectory::entry_size + 8));
  }

  const Source& source_;
  const Tiff& tiff_;
  const Where& where_;
  Findings& findings_;
  const ExifCamera camera_;
  Writer writer_;
  std::vector<Field> fields_;
  std::vector<uint64_t> read_;
  bool incomplete_ = false;
};

}  // namespace

Result<NewPacket> keep_length(NewPacket packet, size_t length, uint8_t filler) {
  if (!packet || packet->empty()) return packet;
  if (packet->size() > length)
    return unsupported(
        "what shall be written into the file is longer than what it replaces; write a new file "
        "instead");
  packet->resize(length, filler);
  return packet;
}

Result<NewPacket> examine_exif(std::span<const uint8_t> bytes, const Where& where,
                               Findings* findings) {
  const MemorySource source(bytes);
  const Result<Tiff> tiff = Tiff::open(source);
  Result<NewPacket> packet = NewPacket();
  if (tiff) {
    packet = Examiner(source, *tiff, where, findings).run();
  } else {
    const bool stays = findings->add(where, {PartClass::unknown, "Exif that can't be read", {}});
    if (!stays || findings->request().position)
      packet = NewPacket(where.removed ? Bytes() : make_exif(findings->request()));
  }
  if (!packet || !findings->request().in_place) return packet;
  Result<NewPacket> fitted = keep_length(std::move(*packet), bytes.size(), 0);
  if (fitted && *fitted && !(*fitted)->empty() && std::ranges::equal(**fitted, bytes))
    return NewPacket();
  return fitted;
}

Bytes make_exif(const Request& request) {
  if (!request.position) return {};
  Writer writer(true);
  // What each Exif must have: 72 dots per inch, where nothing better is known, and centred chroma.
  constexpr uint16_t x_resolution = 0x011a, y_resolution = 0x011b, unit = 0x0128,
                     positioning = 0x0213, type_short = 3, type_rational = 5;
  const Bytes resolution = {72, 0, 0, 0, 1, 0, 0, 0};
  for (const TiffValue& value :
       {TiffValue{x_resolution, type_rational, 1, resolution},
        TiffValue{y_resolution, type_rational, 1, resolution},
        TiffValue{unit, type_short, 1, {2, 0}}, TiffValue{positioning, type_short, 1, {1, 0}}})
    writer.add(Directory::image, value);
  for (const TiffValue& value : gps_values(*request.position, request.position_time, true))
    writer.add(Directory::gps, value);
  return writer.bytes();
}

}  // namespace sphere::media

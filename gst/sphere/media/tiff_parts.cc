// SPDX-License-Identifier: LGPL-2.1-or-later
// TIFF and DNG. Everything stays where it is, because most numbers in such a file are offsets.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/text.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif_tags.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/photoshop.h"
#include "gst/sphere/media/picture_examiner.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/tiff.h"
#include "gst/sphere/media/tiff_write.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;
using Directory = ExifTag::Directory;

// Real files have some ten.
constexpr size_t most_directories = 256;
// Of values and strips of pixels.
constexpr size_t most_ranges = 4 << 20;
// Bytes of a value that are read to know what it is.
constexpr uint64_t most_read = 1 << 16, most_read_whole = 16 << 20;
// All of them together: those of a damaged file may lie on each other.
constexpr uint64_t most_read_of_all = 256 << 20;
constexpr uint64_t header_size = 8;

enum Tag : uint16_t {
  tag_width = 0x0100,
  tag_height = 0x0101,
  tag_compression = 0x0103,
  tag_strip_offsets = 0x0111,
  tag_strip_lengths = 0x0117,
  tag_tile_offsets = 0x0144,
  tag_tile_lengths = 0x0145,
  tag_sub_directories = 0x014a,
  tag_jpeg_offset = 0x0201,
  tag_jpeg_length = 0x0202,
  tag_xmp = 0x02bc,
  tag_iptc = 0x83bb,
  tag_photoshop = 0x8649,
  tag_manifest = 0xcd41,
};
constexpr uint16_t type_byte = 1;
constexpr uint32_t compression_none = 1, compression_jpeg_old = 6;
/// Of TIFF, of its technical note 2, and that of DNG for pixels that have lost something.
constexpr uint32_t jpeg_compressions[] = {compression_jpeg_old, 7, 34892};
/// Without a place for anything but pixels: those of fax machines, packed runs, LZW, zip, NeXT,
/// ThunderScan, SGI's logarithms, JBIG, LERC, LZMA, Zstandard.
constexpr uint32_t plain_compressions[] = {compression_none,
                                           2,
                                           3,
                                           4,
                                           5,
                                           8,
                                           32766,
                                           32771,
                                           32773,
                                           32809,
                                           32946,
                                           34661,
                                           34676,
                                           34677,
                                           34887,
                                           34925,
                                           50000};

struct Range {
  uint64_t begin, end;
};

Error damaged(const char* how) { return invalid(std::string("the TIFF is damaged: ") + how); }

class Examiner : PictureExaminer {
 public:
  Examiner(const Source& source, const Tiff& tiff, const Request& request)
      : PictureExaminer(source, request),
        tiff_(tiff),
        everything_(findings_.keeps_everything()),
        camera_(camera_of(tiff)) {}

  Result<Examination> run() {
    keep(0, header_size);
    bool first = true;
    for (uint64_t next = tiff_.first(); next || first; first = false) {
      const TiffDirectory directory = tiff_.directory(next);
      // The chain may lead back.
      if (known_.contains(next)) return damaged("its directories form a circle");
      if (const Result<bool> read = read_directory(Directory::image, next, ""); !read)
        return read.error();
      next = directory.next;
      if (first) first_offset_ = directory.offset;
    }
    if (const Status added = write_first(); !added) return added.error();
    zero_what_is_not_kept();
    std::ranges::sort(edits(), {}, &Edit::offset);
    for (size_t i = 1; i < edits().size(); ++i)
      if (edits()[i].offset < edits()[i - 1].offset + edits()[i - 1].length)
        return damaged("its parts overlap");
    return finish();
  }

 private:
  void keep(uint64_t offset, uint64_t length) {
    if (length) kept_.push_back({offset, offset + length});
  }

  std::optional<Directory> pointer(Directory in, uint16_t tag) const {
    if (tag == tag_sub_directories && in != Directory::gps && in != Directory::interoperability)
      return Directory::image;
    return pointed_directory(in, tag);
  }

  std::vector<uint32_t> numbers(const TiffEntry& entry) const {
    return entry.offset == 0 ? std::vector<uint32_t>() : tiff_.numbers(entry);
  }

  /// Returns whether anything of it stays.
  Result<bool> read_directory(Directory kind, uint64_t offset, const std::string& path) {
    if (known_.contains(offset)) return known_[offset];
    if (known_.size() >= most_directories) return invalid("the TIFF has too many directories");
    known_[offset] = true;
    const TiffDirectory directory = tiff_.directory(offset);
    if (offset < header_size) return damaged("a directory in its header");
    if (!directory.whole) return invalid("the TIFF ends too early; it was cut off");
    if (kind == Directory::gps) note_positions(tiff_, directory, &findings_);
    std::vector<TiffEntry> stay;
    for (const TiffEntry& entry : directory.entries) {
      const Result<bool> stays = read_entry(kind, entry, path);
      if (!stays) return stays;
      if (*stays) stay.push_back(entry);
    }
    if (kind == Directory::image)
      if (const Status read = read_pixels(directory, path); !read) return read.error();
    if (kept_.size() > most_ranges) return invalid("the TIFF has too many parts");
    if (offset == tiff_.first()) {
      first_entries_ = std::move(stay);
      return true;
    }
    if (stay.empty() && kind != Directory::image) {
      removed_.push_back({offset, offset + directory.length()});
      known_[offset] = false;
      return false;
    }
    write_directory(directory, stay);
    return true;
  }

  void write_directory(const TiffDirectory& directory, const std::vector<TiffEntry>& stay) {
    Bytes bytes = directory_bytes(stay, tiff_.little());
    for (int i = 0; i < 4; ++i)
      bytes.push_back(static_cast<uint8_t>(directory.next >> 8 * (tiff_.little() ? i : 3 - i)));
    keep(directory.offset, bytes.size());
    if (stay.size() == directory.entries.size()) return;
    removed_.push_back({directory.offset + bytes.size(), directory.offset + directory.length()});
    const uint64_t size = bytes.size();
    edits().push_back({directory.offset, size, std::move(bytes)});
  }

  static std::string_view folder(Directory kind) {
    switch (kind) {
      case Directory::exif:
        return "Exif";
      case Directory::gps:
        return "Exif/GPS";
      case Directory::interoperability:
        return "Exif/interoperability";
      default:
        return "";
    }
  }
  static std::string joined(std::string_view path, std::string_view name) {
    return std::string(path) + (path.empty() ? "" : "/") + std::string(name);
  }

  /// Returns whether it stays. Then its value is kept, too.
  Result<bool> read_entry(Directory kind, const TiffEntry& entry, const std::string& path) {
    incomplete_ |= !entry.inside() && entry.offset == 0;
    if (const std::optional<Directory> inner = pointer(kind, entry.tag)) {
      bool stays = false;
      size_t count = 0;
      for (const uint32_t offset : numbers(entry)) {
        const std::string name = *inner == Directory::image ? "directory " + std::to_string(++count)
                                                            : std::string(folder(*inner));
        const Result<bool> read = read_directory(*inner, offset, joined(path, name));
        if (!read) return read;
        stays |= *read;
      }
      // Where everything may stay, a pointer to nothing stays, too.
      stays |= everything_ && !(*inner == Directory::gps && request_.position);
      if (stays) keep_value(entry);
      return stays;
    }
    const bool there = entry.size != 0 && entry.offset != 0;
    const uint64_t most =
        kind == Directory::image && has_own_form(entry.tag) ? most_read_whole : most_read;
    Bytes bytes(there ? static_cast<size_t>(std::min(entry.size, most)) : 0);
    read_ += bytes.size();
    if (read_ > most_read_of_all) return damaged("its values are too long");
    if (!source_.read_all(entry.offset, bytes)) return failed("the file can't be read any more");
    Where where{entry.offset, entry.size, joined(path, exif_tag_name(kind, entry.tag)), false};
    where.removed = kind == Directory::gps && request_.position;
    if (there && kind == Directory::image && entry.tag == tag_xmp) return read_xmp(entry, path);
    const ExifTag tag{kind, entry.tag, entry.type, bytes};
    if (entry.tag == tag_manifest) {
      // Any edit makes it invalid.
      where.removed |= !everything_ || request_.position || request_.mark;
      if (where.removed) findings_.remark(removed_manifest);
    }
    const PartRule rule = there ? tiff_rule(request_, camera_, tag, tiff_.little())
                                : PartRule{PartClass::unknown, "not complete", {}};
    const bool stays = findings_.add(where, rule);
    if (!stays && names_somebody(tag)) findings_.identity(as_text(bytes));
    if (there && (entry.tag == tag_iptc || entry.tag == tag_photoshop)) {
      where.removed |= !stays;
      entry.tag == tag_iptc ? list_iptc(bytes, where, &findings_)
                            : list_photoshop(bytes, where, &findings_);
    }
    if (stays && is_profile_tag(entry.tag) && !entry.inside() && is_colour_profile(bytes))
      if (auto clean = clean_profile(bytes, where, &findings_))
        edits().push_back({entry.offset, entry.size, std::move(*clean)});
    if (stays)
      keep_value(entry);
    else if (there && !entry.inside())
      removed_.push_back({entry.offset, entry.offset + entry.size});
    return stays;
  }
  void keep_value(const TiffEntry& entry) {
    if (!entry.inside() && entry.offset) keep(entry.offset, entry.size);
  }

  /// A packet that became longer is put at the end of the file.
  Result<bool> read_xmp(const TiffEntry& entry, const std::string& path) {
    if (entry.size > largest_xmp) return unsupported("the XMP in the TIFF is larger than 4 MiB");
    const Bytes bytes = tiff_.bytes(entry);
    const bool main = path.empty() && !have_xmp_;
    have_xmp_ |= main;
    XmpAdditions additions = additions_for(main);
    const Where where{entry.offset, entry.size, joined(path, "XMP"), false};
    Result<NewPacket> made = examine_xmp(bytes, where, additions, &findings_);
    if (!made) return made.error();
    if (!*made) {
      keep_value(entry);
      return true;
    }
    if (!(*made)->empty() && (*made)->size() > bytes.size() && main && !request_.in_place) {
      new_xmp_ = std::move(**made);
      removed_.push_back({entry.offset, entry.offset + entry.size});
      return false;
    }
    Result<NewPacket> fitted = keep_length(std::move(*made), bytes.size(), ' ');
    // What is left is longer in its usual form than it was. It goes.
    if (!fitted && !main) fitted = NewPacket(Bytes());
    if (!fitted) return fitted.error();
    if ((*fitted)->empty()) {
      removed_.push_back({entry.offset, entry.offset + entry.size});
      return false;
    }
    keep_value(entry);
    if (!entry.inside() && **fitted != bytes)
      edits().push_back({entry.offset, entry.size, std::move(**fitted)});
    return true;
  }
  XmpAdditions additions_for(bool main) const {
    XmpAdditions additions{request_.position.has_value(), request_.mark.has_value(),
                           static_cast<int>(number(tag_width)),
                           static_cast<int>(number(tag_height))};
    additions.write = main;
    return additions;
  }
  uint32_t number(uint16_t tag) const {
    const std::vector<uint32_t> values = tiff_.numbers(tag);
    return values.empty() || values[0] > INT32_MAX ? 0 : values[0];
  }

  Status read_pixels(const TiffDirectory& directory, const std::string& path) {
    std::map<uint16_t, std::vector<uint32_t>> lists;
    for (const TiffEntry& entry : directory.entries)
      for (const uint16_t tag :
           {tag_compression, tag_strip_offsets, tag_strip_lengths, tag_tile_offsets,
            tag_tile_lengths, tag_jpeg_offset, tag_jpeg_length})
        if (entry.tag == tag && lists[tag].empty()) lists[tag] = numbers(entry);
    const auto& compression = lists[tag_compression];
    const uint32_t code = compression.empty() ? compression_none : compression[0];
    const bool is_jpeg = std::ranges::find(jpeg_compressions, code) != std::end(jpeg_compressions);
    const bool is_plain =
        std::ranges::find(plain_compressions, code) != std::end(plain_compressions);
    if (!is_jpeg && !is_plain && !everything_)
      return unsupported("the TIFF is compressed in a form (" + std::to_string(code) +
                         ") in which it is not known what may be hidden");
    for (const auto& [offsets, lengths] :
         {std::pair(tag_strip_offsets, tag_strip_lengths), {tag_tile_offsets, tag_tile_lengths}}) {
      const std::vector<uint32_t>&begins = lists[offsets], &sizes = lists[lengths];
      if (begins.size() != sizes.size()) return damaged("it does not tell where its pixels are");
      uint64_t length = 0;
      for (size_t i = 0; i < begins.size(); ++i) {
        if (const Status kept = keep_pixels(begins[i], sizes[i]); !kept) return kept;
        // The older form has its tables elsewhere, and strips that are no JPEG.
        const bool raw = code == compression_jpeg_old && begins.size() > 1;
        if (!is_jpeg || raw || sizes[i] == 0) continue;
        length += sizes[i];
        if (length > source_.size()) return damaged("its parts overlap");
        if (const Status read = read_jpeg(begins[i], sizes[i], path); !read) return read;
      }
    }
    if (lists[tag_jpeg_offset].size() == 1 && lists[tag_jpeg_length].size() == 1) {
      const uint64_t offset = lists[tag_jpeg_offset][0], length = lists[tag_jpeg_length][0];
      if (const Status kept = keep_pixels(offset, length); !kept) return kept;
      return read_jpeg(offset, length, path);
    }
    return ok();
  }
  Status keep_pixels(uint64_t offset, uint64_t length) {
    if (offset + length > source_.size()) return invalid("the TIFF ends too early; it was cut off");
    keep(offset, length);
    return ok();
  }
  /// A picture with segments of its own.
  Status read_jpeg(uint64_t offset, uint64_t length, const std::string& path) {
    if (request_.depth >= Request::most_depth) return damaged("pictures in pictures in pictures");
    Request request = request_;
    ++request.depth;
    request.pictures = findings_.pictures();
    request.in_place = true;
    request.mark.reset();
    request.position.reset();
    // The old position is replaced, and a preview has no room for the new one.
    if (request_.position && !everything_) request.policy.place = false;
    const RangeSource range(source_, offset, length);
    Result<Examination> inner = examine_jpeg(range, request);
    if (!inner) return inner.error();
    for (Part& part : inner->parts) {
      part.offset += offset;
      part.path = joined(path, "JPEG/" + part.path);
      findings_.add(std::move(part));
    }
    for (const Position& position : inner->traces.positions) findings_.position(position);
    for (const std::string& text : inner->traces.identities) findings_.identity(text);
    for (const std::string& remark : inner->remarks) findings_.remark(remark);
    for (Edit& edit : inner->edits) {
      edit.offset += offset;
      edits().push_back(std::move(edit));
    }
    return ok();
  }

  /// The first directory, with what is put into it.
  Status write_first() {
    const TiffDirectory first = tiff_.directory(first_offset_);
    std::vector<TiffValue> values, gps;
    if (new_xmp_.empty() && request_.mark && !have_xmp_)
      new_xmp_ = make_xmp(additions_for(true), request_);
    if (!new_xmp_.empty())
      values.push_back(
          {tag_xmp, type_byte, static_cast<uint32_t>(new_xmp_.size()), std::move(new_xmp_)});
    if (request_.position)
      gps = gps_values(*request_.position, request_.position_time, tiff_.little());
    if (values.empty() && gps.empty()) {
      write_directory(first, first_entries_);
      return ok();
    }
    if (request_.in_place)
      return unsupported(
          "the TIFF has no room for what shall be written into it; write a new file instead");
    // What was behind the end would be in what is appended.
    if (everything_ && incomplete_) return damaged("a value is not all there");
    // The first directory moves, and its place is emptied.
    if (std::ranges::any_of(kept_, [&](const Range& range) {
          return range.begin < first.offset + first.length() && first.offset < range.end;
        }))
      return damaged("its parts overlap");
    if (source_.size() > UINT32_MAX - (16U << 20)) return unsupported("the TIFF is too large");
    for (Edit& edit : add_to_tiff(source_, tiff_, first_entries_, values, gps))
      edits().push_back(std::move(edit));
    keep(first.offset, first.length());
    return ok();
  }

  /// Where something may not stay, that is everything between the parts, too.
  void zero_what_is_not_kept() {
    if (!everything_) removed_ = {{0, source_.size()}};
    unite(&kept_);
    unite(&removed_);
    for (const Range& range : removed_) zero_without_kept(range);
  }
  void zero_without_kept(Range gap) {
    for (auto kept = std::ranges::upper_bound(kept_, gap.begin, {}, &Range::end);
         kept != kept_.end() && kept->begin < gap.end; ++kept) {
      zero({gap.begin, std::max(gap.begin, kept->begin)});
      gap.begin = std::max(gap.begin, kept->end);
    }
    zero(gap);
  }
  /// Sorts the ranges, and makes one of those that touch.
  static void unite(std::vector<Range>* ranges) {
    std::ranges::sort(*ranges, {}, &Range::begin);
    std::vector<Range> united;
    for (const Range& range : *ranges)
      if (!united.empty() && range.begin <= united.back().end)
        united.back().end = std::max(united.back().end, range.end);
      else
        united.push_back(range);
    *ranges = std::move(united);
  }
  void zero(const Range& range) {
    if (range.begin >= range.end || only_zeros(source_, range.begin, range.end)) return;
    if (!everything_)
      findings_.add({range.begin, range.end - range.begin, "bytes between the parts", true},
                    {PartClass::unknown, "not used, or removed", {}});
    edits().push_back({range.begin, range.end - range.begin, {}, true});
  }

  const Tiff& tiff_;
  const bool everything_;
  const ExifCamera camera_;
  std::map<uint64_t, bool> known_;  ///< directories by offset, and whether something of them stays
  std::vector<TiffEntry> first_entries_;
  uint64_t first_offset_ = 0;
  std::vector<Range> kept_, removed_;
  uint64_t read_ = 0;  ///< bytes of values
  bool have_xmp_ = false, incomplete_ = false;
  Bytes new_xmp_;
};

}  // namespace

Result<Examination> examine_tiff(const Source& source, const Request& request) {
  const Result<Tiff> tiff = Tiff::open(source);
  if (!tiff) return tiff.error();
  return Examiner(source, *tiff, request).run();
}

}  // namespace sphere::media

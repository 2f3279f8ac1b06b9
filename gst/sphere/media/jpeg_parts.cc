// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/jpeg_tables.h"
#include "gst/sphere/media/jpeg_walk.h"
#include "gst/sphere/media/mpf.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/photoshop.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/picture_examiner.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

using namespace jpeg;

namespace {

using Bytes = std::vector<uint8_t>;

// Real pictures have some hundred at most: previews are cut into segments.
constexpr size_t most_segments = 10'000;
// What the length of a segment can say, without itself.
constexpr size_t largest_segment = 65533;
constexpr size_t jfif_size = 14, adobe_size = 12;
// Of extended XMP: the number of the whole, its length, and where the part begins in it.
constexpr size_t guid_size = 32;
constexpr size_t longest_signature = 16, longest_comment = 256;
// Each can be long, and a part of it says so.
constexpr size_t most_extended = 16;
// Depth maps are put there. Larger ones are not read.
constexpr uint64_t largest_extended_xmp = largest_xmp;

constexpr std::string_view exif_mark("Exif\0\0", 6);
constexpr std::string_view exif_upper_mark("EXIF\0\0", 6);
constexpr std::string_view xmp_mark("http://ns.adobe.com/xap/1.0/\0", 29);
constexpr std::string_view extended_mark("http://ns.adobe.com/xmp/extension/\0", 35);
constexpr std::string_view photoshop_mark("Photoshop 3.0\0", 14);
constexpr std::string_view jfif_mark("JFIF\0", 5);
constexpr std::string_view icc_mark("ICC_PROFILE\0", 12);
// With the number of the part, and how many there are.
constexpr size_t profile_head = icc_mark.size() + 2;
constexpr std::string_view mpf_mark("MPF\0", 4);

bool begins(std::span<const uint8_t> bytes, std::string_view mark) {
  return ByteReader(bytes).starts_with(mark);
}
bool contains(std::span<const uint8_t> bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}
bool is_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

/// Needed for the picture.
bool is_of_picture(int marker) {
  return (marker >= SOF0 && marker <= SOF15 && marker != JPG) || (marker >= SOS && marker <= DRI);
}
bool is_frame_header(int marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

/// The letters with which an application's segment begins.
std::string signature(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes.first(std::min(bytes.size(), longest_signature))) {
    if (byte < 0x21 || byte > 0x7e) break;
    text.push_back(static_cast<char>(byte));
  }
  return text;
}

Bytes segment_bytes(int marker, std::string_view mark, std::span<const uint8_t> content) {
  const size_t length = mark.size() + content.size() + 2;
  Bytes bytes;
  bytes.reserve(length + 2);
  for (const size_t byte : {size_t{0xff}, static_cast<size_t>(marker), length >> 8, length & 0xff})
    bytes.push_back(static_cast<uint8_t>(byte));
  bytes.insert(bytes.end(), mark.begin(), mark.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

/// A part of extended XMP.
struct Extension {
  std::string guid;
  uint64_t full = 0, begin = 0;
  JpegSegment segment;
  uint64_t content = 0;  ///< where it is in the file, up to the end of the segment
};

class Examiner : PictureExaminer {
 public:
  using PictureExaminer::PictureExaminer;

  Result<Examination> run() {
    insertion_ = 2;
    JpegWalker walker(source_);
    for (size_t count = 0;; ++count) {
      const Result<std::optional<JpegSegment>> next = walker.next();
      if (!next) return next.error();
      if (!*next) break;
      if (count >= most_segments) return invalid("the JPEG has too many segments");
      if (const Status read = read_segment(**next, count == 0); !read) return read.error();
    }
    const uint64_t end = walker.position();
    const Result<JpegInfo> info = check_.finish(end, source_.size());
    if (!info) return info.error();
    additions_ = {request_.position.has_value(), request_.mark.has_value(), info->width,
                  info->height};
    read_profile();
    read_extensions();
    for (size_t i = 0; i < xmp_.size(); ++i)
      if (const Status read = read_xmp(xmp_[i].first, xmp_[i].second, i == 0); !read)
        return read.error();
    if (end < source_.size()) examine_trailing(source_, end, &findings_, &edits());
    if (const Status added = add_new_segments(); !added) return added.error();
    if (!edits().empty()) remove_manifests();
    if (const Status moved = move_mpf(end); !moved) return moved.error();
    return finish();
  }

 private:
  Status read_segment(const JpegSegment& segment, bool first) {
    Bytes bytes(static_cast<size_t>(segment.size()));
    if (!source_.read_all(segment.content, bytes))
      return failed("the file became shorter, or can't be read any more");
    if (const Status checked = check_.add(segment, bytes); !checked) return checked;
    if (is_of_picture(segment.marker))
      return findings_.keeps_everything() ? ok() : read_table(segment, bytes);
    switch (segment.marker) {
      case APP0:
        if (begins(bytes, jfif_mark) && bytes.size() >= jfif_size) {
          if (first) insertion_ = segment.end;
          return read_jfif(segment, bytes);
        }
        break;
      case APP1:
        if (begins(bytes, exif_mark) || begins(bytes, exif_upper_mark))
          return read_exif(segment, bytes);
        if (begins(bytes, xmp_mark)) {
          xmp_.emplace_back(segment, std::move(bytes));
          return ok();
        }
        if (begins(bytes, extended_mark)) return read_extension(segment, bytes);
        break;
      case APP2:
        if (begins(bytes, icc_mark)) {
          profile_.emplace_back(segment, std::move(bytes));
          return ok();
        }
        if (begins(bytes, mpf_mark)) mpf_ = segment;
        break;
      case APP11:
        if (begins(bytes, "JP")) return read_jumbf(segment, bytes);
        break;
      case APP14:
        if (begins(bytes, "Adobe") && bytes.size() >= adobe_size) return read_adobe(segment, bytes);
        break;
      case APP15:
        if (is_zero(bytes)) {
          findings_.add(where(segment, "zeros"), {PartClass::useful, "zeros", {}});
          return ok();
        }
        break;
      default:
        break;
    }
    read_opaque(segment, bytes);
    return ok();
  }

  Status read_table(const JpegSegment& segment, std::span<const uint8_t> bytes) {
    if (const Status fits = check_jpeg_table(segment.marker, bytes); !fits) return fits;
    if (is_frame_header(segment.marker)) {
      arithmetic_ = segment.marker > JPG;
      if (arithmetic_ && have_conditions_)
        return unsupported("the JPEG has a table before the header that tells what it is for");
    }
    if (segment.marker != DAC) return ok();
    have_conditions_ = true;
    // Of no use for a picture in the usual code.
    if (!arithmetic_) read_opaque(segment, bytes);
    return ok();
  }

  Where where(const JpegSegment& segment, std::string path) const {
    return {segment.begin, segment.end - segment.begin, std::move(path), false};
  }
  /// Of what is in a segment, after its mark.
  static Where inside(const JpegSegment& segment, size_t mark, std::string path) {
    return {segment.content + mark, segment.size() - mark, std::move(path), false};
  }

  void remove(const JpegSegment& segment) {
    if (!request_.in_place) {
      edits().push_back({segment.begin, segment.end - segment.begin, {}});
      return;
    }
    // The marker and the length are before the content.
    Bytes bytes = segment_bytes(APP15, {}, Bytes(static_cast<size_t>(segment.size())));
    edits().push_back({segment.content - 4, bytes.size(), std::move(bytes)});
  }
  Status replace(const JpegSegment& segment, std::string_view mark, const Bytes& content) {
    if (mark.size() + content.size() > largest_segment)
      return unsupported("what shall be written into the JPEG does not fit into a segment");
    edits().push_back(
        {segment.content - 4, segment.size() + 4, segment_bytes(segment.marker, mark, content)});
    return ok();
  }
  Status apply(const JpegSegment& segment, std::string_view mark, const NewPacket& packet) {
    if (!packet) return ok();
    if (!packet->empty()) return replace(segment, mark, *packet);
    remove(segment);
    return ok();
  }

  /// A small picture may follow the values.
  Status read_jfif(const JpegSegment& segment, Bytes bytes) {
    findings_.add(where(segment, "JFIF"), {PartClass::useful, "resolution", {}});
    if (bytes.size() == jfif_size && bytes[12] == 0 && bytes[13] == 0) return ok();
    if (findings_.add(inside(segment, jfif_size, "JFIF/thumbnail"),
                      {PartClass::unknown, "small picture", {}}))
      return ok();
    if (request_.in_place) {
      remove(segment);
      return ok();
    }
    bytes.resize(jfif_size);
    bytes[12] = bytes[13] = 0;
    return replace(segment, {}, bytes);
  }

  Status read_adobe(const JpegSegment& segment, Bytes bytes) {
    findings_.add(where(segment, "Adobe"), {PartClass::useful, "colours", {}});
    // Zeros are what an edit in place left.
    if (is_zero(std::span(bytes).subspan(adobe_size))) return ok();
    if (findings_.add(inside(segment, adobe_size, "Adobe/more"),
                      {PartClass::unknown, "not known", {}}))
      return ok();
    if (request_.in_place)
      std::fill(bytes.begin() + adobe_size, bytes.end(), uint8_t{0});
    else
      bytes.resize(adobe_size);
    return replace(segment, {}, bytes);
  }

  Status read_exif(const JpegSegment& segment, std::span<const uint8_t> bytes) {
    const std::span<const uint8_t> tiff = bytes.subspan(exif_mark.size());
    Where packet = inside(segment, exif_mark.size(), have_exif_ ? "second Exif" : "Exif");
    // Readers differ in which of several they believe.
    packet.removed = have_exif_ && !findings_.keeps_everything();
    have_exif_ = true;
    const Result<NewPacket> made = examine_exif(tiff, packet, &findings_);
    if (!made) return made.error();
    return apply(segment, exif_mark, *made);
  }

  Status read_xmp(const JpegSegment& segment, std::span<const uint8_t> bytes, bool first) {
    XmpAdditions additions = additions_;
    additions.write = first;
    const Result<NewPacket> made =
        examine_xmp(bytes.subspan(xmp_mark.size()), inside(segment, xmp_mark.size(), "XMP"),
                    additions, &findings_);
    if (!made) return made.error();
    return apply(segment, xmp_mark, *made);
  }

  Status read_extension(const JpegSegment& segment, std::span<const uint8_t> bytes) {
    ByteReader reader(bytes);
    reader.skip(extended_mark.size());
    const std::span<const uint8_t> guid = reader.take(guid_size);
    Extension extension{{guid.begin(), guid.end()}, reader.u32(), reader.u32(), segment, 0};
    if (!reader.ok()) {
      read_opaque(segment, bytes);
      return ok();
    }
    extension.content = segment.content + reader.position();
    extensions_.push_back(std::move(extension));
    return ok();
  }

  /// Puts the parts of the colour profile together: each has its number, from 1, and how many there
  /// are.
  std::optional<Bytes> whole_profile() const {
    Bytes whole;
    size_t number = 0;
    for (const auto& [segment, bytes] : profile_) {
      if (bytes.size() < profile_head || bytes[profile_head - 2] != ++number ||
          bytes[profile_head - 1] != profile_.size() || whole.size() > largest_profile)
        return std::nullopt;
      whole.insert(whole.end(), bytes.begin() + profile_head, bytes.end());
    }
    return is_colour_profile(whole) ? std::optional(std::move(whole)) : std::nullopt;
  }
  void read_profile() {
    if (profile_.empty()) return;
    const std::optional<Bytes> whole = whole_profile();
    const PartRule rule = whole || findings_.keeps_everything()
                              ? PartRule{PartClass::useful, "colours", {}}
                              : PartRule{PartClass::unknown, "no colour profile", {}};
    for (const auto& [segment, bytes] : profile_)
      if (!findings_.add(where(segment, "ICC"), rule)) remove(segment);
    const auto clean =
        whole ? clean_profile(*whole, where(profile_[0].first, "ICC"), &findings_) : std::nullopt;
    if (!clean) return;
    auto at = clean->begin();
    for (const auto& [segment, bytes] : profile_) {
      const auto size = static_cast<ptrdiff_t>(bytes.size() - profile_head);
      edits().push_back(
          {segment.content + profile_head, bytes.size() - profile_head, Bytes(at, at + size)});
      at += size;
    }
  }

  /// Extended XMP stays or goes whole. With a position in it that is replaced, it goes.
  void read_extensions() {
    const bool stays =
        findings_.keeps_everything() &&
        !(request_.position && std::ranges::any_of(extensions_, [this](const Extension& extension) {
            return contains(read_part(extension), "GPS");
          }));
    list_extensions(!stays);
    if (stays) return;
    for (const Extension& extension : extensions_) remove(extension.segment);
    additions_.extended = false;
  }
  /// Depth maps and sound of some MB are put there, so it is not held.
  Bytes read_part(const Extension& part) const {
    Bytes bytes(static_cast<size_t>(part.segment.end - part.content));
    bytes.resize(source_.read(part.content, bytes));
    return bytes;
  }
  /// Puts its parts together.
  void list_extensions(bool removed) {
    std::vector<std::string> done;
    for (const Extension& first : extensions_) {
      if (std::ranges::find(done, first.guid) != done.end()) continue;
      if (done.size() >= most_extended) return;
      done.push_back(first.guid);
      Where packet = where(first.segment, "extended XMP");
      packet.removed = removed;
      Bytes whole(first.full <= largest_extended_xmp ? static_cast<size_t>(first.full) : 0);
      for (const Extension& part : extensions_) {
        if (part.guid != first.guid) continue;
        packet.length = std::max(packet.length, part.segment.end - packet.offset);
        const uint64_t length = part.segment.end - part.content;
        if (part.begin <= whole.size() && length <= whole.size() - part.begin)
          std::ranges::copy(read_part(part), whole.begin() + static_cast<ptrdiff_t>(part.begin));
      }
      if (whole.empty())
        findings_.add(packet, {PartClass::unknown, "too long to be read", {}});
      else
        (void)examine_xmp(whole, packet, {}, &findings_);
    }
  }

  Status read_jumbf(const JpegSegment& segment, std::span<const uint8_t> bytes) {
    const bool manifest = contains(bytes, "c2pa") || in_manifest_;
    in_manifest_ = manifest;
    if (!findings_.add(
            where(segment, "JUMBF"),
            {PartClass::unknown, manifest ? "signed manifest (C2PA)" : "not known", {}})) {
      remove(segment);
      if (manifest) findings_.remark(removed_manifest);
    } else if (manifest) {
      manifests_.emplace_back(segment, examination_.parts.size() - 1);
    }
    return ok();
  }
  /// A signature that was kept can't stand after an edit.
  void remove_manifests() {
    for (const auto& [segment, part] : manifests_) {
      remove(segment);
      examination_.parts[part].removed = true;
      findings_.remark(removed_manifest);
    }
  }

  /// What stays or goes whole.
  void read_opaque(const JpegSegment& segment, std::span<const uint8_t> bytes) {
    const int marker = segment.marker;
    const std::string name = marker == COM ? "comment"
                             : marker >= APP0 && marker <= APP15
                                 ? "APP" + std::to_string(marker - APP0) + "/" + signature(bytes)
                                 : "segment " + std::to_string(marker);
    PartRule rule{PartClass::unknown, "not known", {}};
    if (marker == COM) {
      rule.what = "comment";
      rule.value.assign(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(std::min(
                                                           bytes.size(), longest_comment)));
    } else if (begins(bytes, mpf_mark)) {
      rule.what = "list of further pictures after this one";
    } else if (begins(bytes, "RMETA") || begins(bytes, "FPXR")) {
      rule.part_class = PartClass::sound;
      rule.what = "data that can be a recording of sound";
    } else if (begins(bytes, photoshop_mark)) {
      rule.what = "descriptions";
    } else if (begins(bytes, "GoPro")) {
      rule.what = "records of the camera: position, motion, serial number";
    }
    Where whole = where(segment, name);
    whole.removed = !findings_.keeps_everything();
    findings_.add(whole, rule);
    if (begins(bytes, photoshop_mark)) {
      Where inner = inside(segment, photoshop_mark.size(), "Photoshop");
      inner.removed = whole.removed;
      list_photoshop(bytes.subspan(photoshop_mark.size()), inner, &findings_);
    }
    if (whole.removed) remove(segment);
  }

  /// Exif and XMP for what was asked for, where the picture had none.
  Status add_new_segments() {
    Bytes bytes;
    if (!have_exif_) {
      const Bytes exif = make_exif(request_);
      if (!exif.empty()) bytes = segment_bytes(APP1, exif_mark, exif);
    }
    if (xmp_.empty() && additions_.mark) {
      const Bytes xmp = make_xmp(additions_, request_);
      const Bytes segment = segment_bytes(APP1, xmp_mark, xmp);
      bytes.insert(bytes.end(), segment.begin(), segment.end());
    }
    if (bytes.empty()) return ok();
    if (request_.in_place)
      return unsupported(
          "the JPEG has no room for what shall be written into it; write a new file instead");
    insert(insertion_, bytes, &edits());
    return ok();
  }

  /// Offsets of further pictures are counted from the list of them.
  Status move_mpf(uint64_t end) {
    if (!mpf_ || !findings_.keeps_everything()) return ok();
    int64_t before = 0, after = 0;
    for (const Edit& edit : edits()) {
      const int64_t change =
          static_cast<int64_t>(edit.new_length()) - static_cast<int64_t>(edit.length);
      (edit.offset < mpf_->begin ? before : after) += edit.offset < end ? change : 0;
    }
    if (before == 0 && after == 0) return ok();
    Bytes bytes(static_cast<size_t>(mpf_->size()));
    if (!source_.read_all(mpf_->content, bytes)) return failed("the file can't be read any more");
    if (!move_pictures(std::span(bytes).subspan(mpf_mark.size()), before + after, after))
      return invalid("the list of further pictures in the JPEG (MPF) is damaged");
    edits().push_back({mpf_->content, mpf_->size(), std::move(bytes)});
    return ok();
  }

  JpegCheck check_;
  XmpAdditions additions_;
  uint64_t insertion_ = 0;  ///< where new segments come
  bool have_exif_ = false, in_manifest_ = false;
  bool arithmetic_ = false, have_conditions_ = false;  ///< of the code of the pixels
  std::vector<std::pair<JpegSegment, Bytes>> xmp_, profile_;
  std::vector<Extension> extensions_;
  std::optional<JpegSegment> mpf_;
  std::vector<std::pair<JpegSegment, size_t>> manifests_;  ///< with their parts
};

}  // namespace

Result<Examination> examine_jpeg(const Source& source, const Request& request) {
  return Examiner(source, request).run();
}

}  // namespace sphere::media

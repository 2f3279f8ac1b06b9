// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/picture_examiner.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/riff.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

// An animation has one for each picture.
constexpr size_t most_chunks = 100'000;
constexpr std::string_view exif_mark("Exif\0\0", 6);
// Of a chunk that was emptied where it is.
constexpr std::string_view empty_type = "PAD ";
// Of VP8X: its flags, and the size of the picture without one.
constexpr uint64_t header_size = 10;
constexpr uint8_t flag_xmp = 0x04, flag_exif = 0x08, flag_alpha = 0x10, flag_profile = 0x20;
// Of ANIM: a colour, and how often it is shown.
constexpr uint64_t animation_size = 6;
// Of a picture of an animation, before its chunks.
constexpr uint64_t frame_head = 16;

void append_little(Bytes* bytes, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes->push_back(static_cast<uint8_t>(value >> 8 * i));
}

Bytes chunk_bytes(std::string_view type, std::span<const uint8_t> content) {
  Bytes bytes(type.begin(), type.end());
  append_little(&bytes, content.size(), 4);
  bytes.insert(bytes.end(), content.begin(), content.end());
  if (content.size() & 1) bytes.push_back(0);
  return bytes;
}

bool is_pixels(std::string_view type) {
  return type == "VP8 " || type == "VP8L" || type == "ALPH" || type == "ANMF";
}

class Examiner : PictureExaminer {
 public:
  using PictureExaminer::PictureExaminer;

  Result<Examination> run() {
    RiffChunk whole;
    uint8_t form[4];
    if (!read_chunk(source_, 0, &whole) || whole.type != "RIFF" ||
        !source_.read_all(whole.content, form) || !ByteReader(form).starts_with("WEBP"))
      return invalid("not a WebP");
    if (!fits(source_, whole) || whole.size < sizeof form)
      return invalid("the WebP ends too early; it was cut off");
    const uint64_t end = whole.content + whole.size;
    RiffChunk chunk;
    uint64_t at = whole.content + sizeof form;
    for (size_t count = 0; at + RiffChunk::head <= end; at = chunk.next()) {
      if (++count > most_chunks) return invalid("the WebP has too many parts");
      if (!read_chunk(source_, at, &chunk) || chunk.size > end - chunk.content)
        return invalid("the WebP is damaged: a part is longer than the whole");
      if (const Status read = read_part(chunk); !read) return read.error();
    }
    if (at < end && !only_zeros(source_, at, end) &&
        !findings_.add({at, end - at, "more", false}, {PartClass::unknown, "not known", {}}))
      edits().push_back({at, end - at, {}, request_.in_place});
    if (!have_picture_) return invalid("the WebP contains no picture");
    // The length of the whole may leave out the byte that makes the last chunk even.
    const uint64_t after = std::min(std::max(end, at), source_.size());
    // Before a few bytes that are no chunk.
    insertion_ = std::min(at, after);
    if (after < source_.size()) examine_trailing(source_, after, &findings_, &edits());
    if (const Status added = add_new_chunks(); !added) return added.error();
    if (const Status written = write_head(whole, after); !written) return written.error();
    return finish();
  }

 private:
  Where where(const RiffChunk& chunk, std::string path) const {
    const uint64_t next = std::min(chunk.next(), source_.size());
    return {chunk.begin(), next - chunk.begin(), std::move(path), false};
  }

  Status read_part(const RiffChunk& chunk) {
    if (chunk.type == "VP8X") return read_header(chunk);
    if (chunk.type == "EXIF" || chunk.type == "XMP ") return read_packet(chunk);
    if (is_pixels(chunk.type)) {
      if (chunk.type != "ALPH") read_size(chunk);
      have_picture_ |= chunk.type != "ALPH";
      if (chunk.type == "ANMF") return read_frame(chunk);
      return ok();
    }
    PartRule rule{PartClass::unknown, "not known", {}};
    if (chunk.type == "ICCP" && is_profile(chunk)) {
      rule = {PartClass::useful, "colours", {}};
      have_profile_ = true;
      if (const Status read = read_profile(chunk); !read) return read;
    }
    if (chunk.type == "ANIM" && chunk.size == animation_size)
      rule = {PartClass::useful, "animation", {}};
    if (chunk.type == empty_type && only_zeros(source_, chunk.content, chunk.content + chunk.size))
      rule = {PartClass::useful, "zeros", {}};
    if (!findings_.add(where(chunk, chunk.type), rule)) remove(chunk);
    return ok();
  }

  bool is_profile(const RiffChunk& chunk) const {
    if (findings_.keeps_everything()) return true;
    if (chunk.size > largest_profile) return false;
    Bytes bytes(static_cast<size_t>(chunk.size));
    return source_.read_all(chunk.content, bytes) && is_colour_profile(bytes);
  }

  Status read_profile(const RiffChunk& chunk) {
    if (chunk.size > largest_profile) return ok();
    Bytes bytes(static_cast<size_t>(chunk.size));
    if (!source_.read_all(chunk.content, bytes))
      return invalid("the WebP ends too early; it was cut off");
    if (!is_colour_profile(bytes)) return ok();
    if (auto clean = clean_profile(bytes, where(chunk, chunk.type), &findings_))
      edits().push_back({chunk.content, chunk.size, std::move(*clean)});
    return ok();
  }

  Status read_header(const RiffChunk& chunk) {
    header_.resize(header_size);
    const bool longer = chunk.size > header_size && !findings_.keeps_everything();
    if (header_at_ || longer || chunk.size < header_size ||
        !source_.read_all(chunk.content, header_))
      return invalid("the WebP is damaged: its header has a wrong length");
    header_at_ = chunk.content;
    ByteReader reader(header_);
    reader.skip(4);
    const uint32_t width = reader.u24(), height = reader.u24();
    const auto swapped = [](uint32_t v) { return (v & 0xff) << 16 | (v & 0xff00) | v >> 16; };
    width_ = static_cast<int>(swapped(width)) + 1;
    height_ = static_cast<int>(swapped(height)) + 1;
    return ok();
  }

  /// Of a simple picture, which has no header.
  void read_size(const RiffChunk& chunk) {
    uint8_t head[10];
    if (header_at_ || width_) return;
    // A lossless picture may be shorter.
    ByteReader reader(std::span<const uint8_t>(head).first(source_.read(chunk.content, head)));
    if (chunk.type == "VP8L") {
      reader.skip(1);
      const uint32_t bits = reader.u32_little();
      width_ = static_cast<int>(bits & 0x3fff) + 1;
      height_ = static_cast<int>(bits >> 14 & 0x3fff) + 1;
      alpha_ = bits >> 28 & 1;
    } else {
      reader.skip(6);
      width_ = reader.u16_little() & 0x3fff;
      height_ = reader.u16_little() & 0x3fff;
    }
  }

  /// A picture of an animation, which can have chunks of its own.
  Status read_frame(const RiffChunk& frame) {
    const uint64_t end = frame.content + frame.size;
    RiffChunk chunk;
    size_t count = 0;
    for (uint64_t at = frame.content + frame_head; at + RiffChunk::head <= end; at = chunk.next()) {
      if (++count > most_chunks) return invalid("the WebP has too many parts");
      if (!read_chunk(source_, at, &chunk) || chunk.size > end - chunk.content)
        return invalid("the WebP is damaged: a part is longer than the one it is in");
      if (is_pixels(chunk.type) || only_zeros(source_, chunk.content, chunk.content + chunk.size))
        continue;
      if (!findings_.add(where(chunk, "ANMF/" + chunk.type), {PartClass::unknown, "not known", {}}))
        edits().push_back({chunk.content, chunk.size, {}, true});
    }
    return ok();
  }

  Status read_packet(const RiffChunk& chunk) {
    const bool exif = chunk.type == "EXIF";
    if (chunk.size > largest_xmp)
      return unsupported("the WebP has a description of more than 4 MiB");
    Bytes bytes(static_cast<size_t>(chunk.size));
    if (!source_.read_all(chunk.content, bytes))
      return failed("the file became shorter, or can't be read any more");
    int& count = exif ? exif_packets_ : xmp_packets_;
    const bool first = ++count == 1;
    const size_t mark = exif && ByteReader(bytes).starts_with(exif_mark) ? exif_mark.size() : 0;
    const std::span<const uint8_t> content = std::span(bytes).subspan(mark);
    Where packet{chunk.content + mark, content.size(), exif ? "Exif" : "XMP", false};
    // Readers take the first.
    packet.removed = !first && !findings_.keeps_everything();
    XmpAdditions additions{request_.position.has_value(), request_.mark.has_value(), width_,
                           height_};
    additions.write = first;
    Result<NewPacket> made = exif ? examine_exif(content, packet, &findings_)
                                  : examine_xmp(content, packet, additions, &findings_);
    if (!made) return made.error();
    const bool stays = !*made || !(*made)->empty();
    (exif ? have_exif_ : have_xmp_) |= stays;
    if (!stays) remove(chunk);
    if (!*made || (*made)->empty()) return ok();
    (*made)->insert((*made)->begin(), bytes.begin(), bytes.begin() + static_cast<long>(mark));
    const uint64_t next = std::min(chunk.next(), source_.size());
    Bytes replaced = chunk_bytes(chunk.type, **made);
    // The last byte can be missing in the file.
    if (request_.in_place) replaced.resize(static_cast<size_t>(next - chunk.begin()));
    edits().push_back({chunk.begin(), next - chunk.begin(), std::move(replaced)});
    return ok();
  }

  void remove(const RiffChunk& chunk) {
    const uint64_t next = std::min(chunk.next(), source_.size());
    if (!request_.in_place) {
      edits().push_back({chunk.begin(), next - chunk.begin(), {}});
      return;
    }
    edits().push_back({chunk.begin(), 4, {empty_type.begin(), empty_type.end()}});
    edits().push_back({chunk.content, chunk.size, {}, true});
  }

  Status add_new_chunks() {
    Bytes bytes;
    if (!have_exif_) {
      const Bytes exif = make_exif(request_);
      if (!exif.empty()) bytes = chunk_bytes("EXIF", exif);
      have_exif_ = !exif.empty();
    }
    if (!have_xmp_ && request_.mark && xmp_packets_ == 0) {
      const Bytes chunk = chunk_bytes(
          "XMP ", make_xmp({request_.position.has_value(), true, width_, height_}, request_));
      bytes.insert(bytes.end(), chunk.begin(), chunk.end());
      have_xmp_ = true;
    }
    if (bytes.empty()) return ok();
    if (request_.in_place)
      return unsupported(
          "the WebP has no room for what shall be written into it; write a new file instead");
    if (insertion_ & 1) bytes.insert(bytes.begin(), 0);
    inserted_ = bytes.size();
    insert(insertion_, bytes, &edits());
    return ok();
  }

  /// The flags say what there is, and the length of the whole is in its head.
  Status write_head(const RiffChunk& whole, uint64_t after) {
    if (header_at_) {
      const uint8_t old = header_[0];
      if (!have_profile_) header_[0] &= static_cast<uint8_t>(~flag_profile);
      header_[0] = static_cast<uint8_t>((header_[0] & ~(flag_exif | flag_xmp)) |
                                        (have_exif_ ? flag_exif : 0) | (have_xmp_ ? flag_xmp : 0));
      if (header_[0] != old) edits().push_back({*header_at_, 1, {header_[0]}});
    } else if (have_exif_ || have_xmp_) {
      if (width_ <= 0 || height_ <= 0)
        return invalid("the WebP is damaged: its picture has no head");
      if (!edits().empty() && !request_.in_place) add_header(whole);
    }
    // What is inserted at the end may share its edit with what follows the picture.
    auto change = static_cast<int64_t>(insertion_ == after ? inserted_ : 0);
    for (const Edit& edit : edits())
      if (edit.offset < after)
        change += static_cast<int64_t>(edit.new_length()) - static_cast<int64_t>(edit.length);
    if (change == 0) return ok();
    const int64_t size =
        static_cast<int64_t>(after) - static_cast<int64_t>(RiffChunk::head) + change;
    if (size > INT32_MAX) return unsupported("the WebP would become too large");
    Bytes number;
    append_little(&number, static_cast<uint64_t>(size), 4);
    edits().push_back({4, 4, std::move(number)});
    return ok();
  }
  void add_header(const RiffChunk& whole) {
    Bytes content = {static_cast<uint8_t>((have_exif_ ? flag_exif : 0) |
                                          (have_xmp_ ? flag_xmp : 0) | (alpha_ ? flag_alpha : 0)),
                     0, 0, 0};
    append_little(&content, static_cast<uint64_t>(width_ - 1), 3);
    append_little(&content, static_cast<uint64_t>(height_ - 1), 3);
    insert(whole.content + 4, chunk_bytes("VP8X", content), &edits());
  }

  std::optional<uint64_t> header_at_;
  Bytes header_;
  int width_ = 0, height_ = 0;
  bool have_profile_ = false;
  bool alpha_ = false, have_picture_ = false, have_exif_ = false, have_xmp_ = false;
  int exif_packets_ = 0, xmp_packets_ = 0;
  uint64_t insertion_ = 0;  ///< where new chunks come
  size_t inserted_ = 0;     ///< bytes
};

}  // namespace

Result<Examination> examine_webp(const Source& source, const Request& request) {
  return Examiner(source, request).run();
}

}  // namespace sphere::media

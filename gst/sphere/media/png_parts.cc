// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <memory>
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
#include "gst/sphere/media/png_shape.h"
#include "gst/sphere/media/png_walk.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

// Beside those with pixels. Real pictures have some ten.
constexpr size_t most_chunks = 10'000;
// Bytes of a chunk that is read; longer descriptions are refused.
constexpr uint64_t longest_read = largest_xmp + 1024;
constexpr size_t longest_value = 256;
// A small packed one can be very large.
constexpr int most_xmp_packets = 16;
// Of a chunk that is emptied where it is.
constexpr uint64_t largest_emptied = 64 << 20;
constexpr std::string_view xmp_keyword("XML:com.adobe.xmp\0", 18);
constexpr std::string_view exif_mark("Exif\0\0", 6);
// Of a chunk that was emptied where it is. It is private, and programs may copy it.
constexpr std::string_view empty_type = "paDd";

struct KnownChunk {
  std::string_view type;
  const char* what;
};
constexpr KnownChunk useful_chunks[] = {
    {"IHDR", "size of the picture"},
    {"PLTE", "colours"},
    {"IDAT", "pixels"},
    {"IEND", "end of the picture"},
    {"tRNS", "colours"},
    {"gAMA", "colours"},
    {"cHRM", "colours"},
    {"sRGB", "colours"},
    {"iCCP", "colours"},
    {"sBIT", "colours"},
    {"bKGD", "colours"},
    {"pHYs", "resolution"},
    {"cICP", "colours"},
    {"mDCV", "colours"},
    {"mDCv", "colours"},
    {"cLLI", "colours"},
    {"cLLi", "colours"},
    {"acTL", "animation"},
    {"fcTL", "animation"},
    {"fdAT", "pixels"},
};

const KnownChunk* find_useful(std::string_view type) {
  const auto* found = std::ranges::find(useful_chunks, type, &KnownChunk::type);
  return found != std::end(useful_chunks) ? found : nullptr;
}

/// XMP in an `iTXt` chunk: flags, a language and a translated keyword come before it.
struct XmpText {
  size_t begin = 0;
  bool packed = false;
};
std::optional<XmpText> find_xmp(std::span<const uint8_t> content) {
  ByteReader reader(content);
  if (!reader.starts_with(xmp_keyword)) return std::nullopt;
  XmpText text;
  text.packed = reader.u8() != 0;
  reader.skip(1);
  for (int texts = 0; texts < 2; ++texts)
    while (reader.ok() && reader.u8() != 0) continue;
  if (!reader.ok()) return std::nullopt;
  text.begin = reader.position();
  return text;
}

Bytes xmp_content(std::span<const uint8_t> packet) {
  Bytes content(xmp_keyword.begin(), xmp_keyword.end());
  // Not compressed, no language, no translated keyword.
  content.insert(content.end(), 4, 0);
  content.insert(content.end(), packet.begin(), packet.end());
  return content;
}

class Examiner : PictureExaminer {
 public:
  using PictureExaminer::PictureExaminer;

  Result<Examination> run() {
    PngWalker walker(source_, longest_read);
    if (!findings_.keeps_everything())
      walker.on_pixels([this](std::string_view type, std::span<const uint8_t> bytes, bool first) {
        return read_pixels(type, bytes, first);
      });
    bool have_pixels = false;
    for (size_t count = 0;;) {
      const Result<std::optional<PngChunk>> next = walker.next();
      if (!next) return next.error();
      if (!*next) break;
      const PngChunk& chunk = **next;
      if (!insertion_ && !read_header(chunk)) return invalid("the PNG has no header");
      if (chunk.type == "fcTL" && !read_frame(chunk)) return invalid("the PNG is damaged: 'fcTL'");
      if (chunk.type == "IDAT" || chunk.type == "fdAT" || chunk.type == "fcTL") {
        have_pixels |= chunk.type == "IDAT";
        continue;
      }
      if (++count > most_chunks) return invalid("the PNG has too many chunks");
      if (const Status read = read_chunk(chunk); !read) return read.error();
    }
    if (!have_pixels) return invalid("the PNG contains no picture");
    const uint64_t end = walker.position();
    if (end < source_.size()) examine_trailing(source_, end, &findings_, &edits());
    if (const Status added = add_new_chunks(); !added) return added.error();
    if (!edits().empty())
      if (const Status removed = remove_manifests(); !removed) return removed.error();
    return finish();
  }

 private:
  bool read_header(const PngChunk& chunk) {
    const std::optional<PngHeader> header = read_png_header(chunk.bytes);
    if (chunk.type != "IHDR" || !header || header->width > INT32_MAX || header->height > INT32_MAX)
      return false;
    header_ = *header;
    additions_ = {request_.position.has_value(), request_.mark.has_value(),
                  static_cast<int>(header_.width), static_cast<int>(header_.height)};
    insertion_ = chunk.end();
    return true;
  }

  /// Packed pixels: a picture is in several chunks, and may be followed by those of an animation.
  Status read_pixels(std::string_view type, std::span<const uint8_t> bytes, bool first) {
    const bool of_animation = type == "fdAT";
    // The number of the chunk comes first.
    constexpr size_t number = 4;
    if (of_animation && first) bytes = bytes.subspan(std::min(number, bytes.size()));
    std::unique_ptr<PngPixels>& pixels = of_animation ? frame_pixels_ : pixels_;
    if (!pixels)
      pixels = std::make_unique<PngPixels>(
          header_.pixel_bytes(of_animation ? frame_width_ : header_.width,
                              of_animation ? frame_height_ : header_.height));
    return pixels->add(bytes);
  }
  bool read_frame(const PngChunk& chunk) {
    if (!findings_.keeps_everything() && !has_png_shape(chunk.type, chunk.bytes, header_))
      return false;
    ByteReader reader(chunk.bytes);
    reader.skip(4);
    frame_width_ = reader.u32();
    frame_height_ = reader.u32();
    frame_pixels_.reset();
    return reader.ok() && frame_width_ <= header_.width && frame_height_ <= header_.height;
  }
  /// The chunks that a picture can't be without.
  static bool is_needed(std::string_view type) {
    return type == "IHDR" || type == "PLTE" || type == "tRNS" || type == "acTL";
  }
  Status read_profile(const PngChunk& chunk, const Where& whole) {
    const std::optional<PngProfile> profile = read_png_profile(chunk.bytes);
    if (!profile) {
      findings_.add(whole, {PartClass::unknown, "no colour profile", {}});
      return remove(chunk);
    }
    findings_.add(whole, {PartClass::useful, "colours", {}});
    Bytes content = chunk.bytes;
    if (const auto clean = clean_profile(profile->bytes, whole, &findings_)) {
      content = with_png_profile(chunk.bytes, *clean);
      if (content.empty()) return failed("there is no memory for the colour profile of the PNG");
    }
    const auto write = [&] { return content == chunk.bytes ? ok() : replace(chunk, content); };
    if (profile->neutral) return write();
    const Where name{chunk.content, profile->name_length, chunk.type + "/name", false};
    const std::string text = text_of(
        Bytes(chunk.bytes.begin(), chunk.bytes.begin() + static_cast<long>(profile->name_length)));
    if (findings_.add(name, {PartClass::unknown, "name of the colour profile", text}))
      return write();
    neutralize_png_profile(*profile, content);
    return write();
  }

  Status read_chunk(const PngChunk& chunk) {
    const Where whole{chunk.begin, chunk.end() - chunk.begin, chunk.type, false};
    if (chunk.type == "IEND" && chunk.size != 0)
      return invalid("the PNG is damaged: its last chunk has content");
    if (const KnownChunk* known = find_useful(chunk.type)) {
      const bool everything = findings_.keeps_everything();
      if (chunk.type == "iCCP" && !everything) return read_profile(chunk, whole);
      const bool fits = everything || has_png_shape(chunk.type, chunk.bytes, header_);
      if (!fits && is_needed(chunk.type))
        return invalid("the PNG is damaged: '" + chunk.type + "' has a wrong length");
      if (findings_.add(whole, {fits ? PartClass::useful : PartClass::unknown, known->what, {}}))
        return ok();
      return remove(chunk);
    }
    if (chunk.size > longest_read && (chunk.type == "iTXt" || chunk.type == "eXIf"))
      return unsupported("the PNG has a description of more than 4 MiB");
    if (chunk.type == "eXIf") return read_exif(chunk);
    if (chunk.type == "iTXt")
      if (const std::optional<XmpText> text = find_xmp(chunk.bytes)) return read_xmp(chunk, *text);
    PartRule rule{PartClass::unknown, "not known", {}};
    if (chunk.type == "tIME") {
      rule = {PartClass::time, "time of the last change", {}};
    } else if (chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "iTXt") {
      rule.what = "text";
      rule.value = text_of(chunk.bytes);
    } else if (chunk.type == "caBX") {
      rule.what = "signed manifest (C2PA)";
    } else if (chunk.type == empty_type &&
               only_zeros(source_, chunk.content, chunk.content + chunk.size)) {
      rule = {PartClass::useful, "zeros", {}};
    }
    if (findings_.add(whole, rule)) {
      if (chunk.type == "caBX") manifests_.emplace_back(chunk, examination_.parts.size() - 1);
      return ok();
    }
    if (chunk.type == "caBX") findings_.remark(removed_manifest);
    return remove(chunk);
  }

  /// The keyword and the text.
  static std::string text_of(const Bytes& bytes) {
    std::string text(bytes.begin(),
                     bytes.begin() + static_cast<long>(std::min(bytes.size(), longest_value)));
    std::ranges::replace(text, '\0', ' ');
    return text;
  }

  Status read_exif(const PngChunk& chunk) {
    const size_t mark = ByteReader(chunk.bytes).starts_with(exif_mark) ? exif_mark.size() : 0;
    Where packet{chunk.content + mark, chunk.size - mark, have_exif_ ? "second Exif" : "Exif"};
    packet.removed = have_exif_ && !findings_.keeps_everything();
    have_exif_ = true;
    const Result<NewPacket> made =
        examine_exif(std::span(chunk.bytes).subspan(mark), packet, &findings_);
    if (!made) return made.error();
    if (!*made) return ok();
    if ((*made)->empty()) return remove(chunk);
    Bytes content(chunk.bytes.begin(), chunk.bytes.begin() + static_cast<long>(mark));
    content.insert(content.end(), (*made)->begin(), (*made)->end());
    return replace(chunk, content);
  }

  Status read_xmp(const PngChunk& chunk, const XmpText& text) {
    if (++xmp_packets_ > most_xmp_packets) return invalid("the PNG has too much XMP");
    const std::span<const uint8_t> stored = std::span(chunk.bytes).subspan(text.begin);
    std::optional<Bytes> unpacked;
    if (text.packed) {
      unpacked = inflate_whole(stored, static_cast<size_t>(largest_xmp));
      if (!unpacked) unpacked = Bytes();
    }
    XmpAdditions additions = additions_;
    additions.write = xmp_packets_ == 1;
    // What was packed is written unpacked, and longer.
    if (text.packed && request_.in_place && !findings_.keeps_everything()) {
      Where gone{chunk.begin, chunk.end() - chunk.begin, "XMP", true};
      (void)examine_xmp(*unpacked, gone, {}, &findings_);
      return remove(chunk);
    }
    const Where packet{chunk.begin, chunk.end() - chunk.begin, "XMP", false};
    const Result<NewPacket> made = examine_xmp(
        text.packed ? std::span<const uint8_t>(*unpacked) : stored, packet, additions, &findings_);
    if (!made) return made.error();
    // The language or the keyword could tell something, too.
    if (!*made)
      return findings_.keeps_everything() || text.packed
                 ? ok()
                 : replace_xmp(chunk, {stored.begin(), stored.end()});
    if (!(*made)->empty()) return replace_xmp(chunk, **made);
    return remove(chunk);
  }

  Status replace_xmp(const PngChunk& chunk, const Bytes& packet) {
    Bytes content = xmp_content(packet);
    // Without them it is shorter.
    if (request_.in_place) content.resize(std::max<size_t>(content.size(), chunk.size), ' ');
    return content == chunk.bytes ? ok() : replace(chunk, content);
  }

  Status remove(const PngChunk& chunk) {
    Bytes bytes;
    if (request_.in_place && chunk.size > largest_emptied)
      return unsupported("the PNG can't be edited where it is; write a new file instead");
    if (request_.in_place) bytes = png_chunk(empty_type, Bytes(static_cast<size_t>(chunk.size)));
    edits().push_back({chunk.begin, chunk.end() - chunk.begin, std::move(bytes)});
    return ok();
  }
  Status replace(const PngChunk& chunk, const Bytes& content) {
    Bytes bytes = png_chunk(chunk.type, content);
    if (request_.in_place && bytes.size() != chunk.end() - chunk.begin)
      return unsupported("the PNG can't be edited where it is; write a new file instead");
    edits().push_back({chunk.begin, chunk.end() - chunk.begin, std::move(bytes)});
    return ok();
  }

  Status add_new_chunks() {
    Bytes bytes;
    if (!have_exif_) {
      const Bytes exif = make_exif(request_);
      if (!exif.empty()) bytes = png_chunk("eXIf", exif);
    }
    if (xmp_packets_ == 0 && additions_.mark) {
      const Bytes chunk = png_chunk("iTXt", xmp_content(make_xmp(additions_, request_)));
      bytes.insert(bytes.end(), chunk.begin(), chunk.end());
    }
    if (bytes.empty()) return ok();
    if (request_.in_place)
      return unsupported(
          "the PNG has no room for what shall be written into it; write a new file instead");
    insert(*insertion_, bytes, &edits());
    return ok();
  }

  /// A signature that was kept can't stand after an edit.
  Status remove_manifests() {
    for (const auto& [chunk, part] : manifests_) {
      if (const Status removed = remove(chunk); !removed) return removed;
      examination_.parts[part].removed = true;
      findings_.remark(removed_manifest);
    }
    return ok();
  }

  XmpAdditions additions_;
  std::optional<uint64_t> insertion_;  ///< where new chunks come
  PngHeader header_;
  std::unique_ptr<PngPixels> pixels_, frame_pixels_;
  uint32_t frame_width_ = 0, frame_height_ = 0;
  bool have_exif_ = false;
  int xmp_packets_ = 0;
  std::vector<std::pair<PngChunk, size_t>> manifests_;  ///< with their parts
};

}  // namespace

Result<Examination> examine_png(const Source& source, const Request& request) {
  return Examiner(source, request).run();
}

}  // namespace sphere::media

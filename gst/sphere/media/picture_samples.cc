// SPDX-License-Identifier: LGPL-2.1-or-later
// What is beside the pictures in coded video: metadata of AV1, segments of JPEG, user data of MPEG,
// records of DV, user data of VC-3. It is replaced by zeros or filler of the same length. Pictures
// are read in pieces, because one can be larger than the memory that may be used.

#include <glib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/av1_sequence.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/find_marker.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/jpeg_tables.h"
#include "gst/sphere/media/jpeg_walk.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

// Bytes that are read at once: of pictures that are read from begin to end, and of those whose
// parts are mostly skipped.
constexpr size_t whole_window = 1 << 16, head_window = 256;

class PictureEditor : public SampleEditor {
 public:
  PictureEditor(const Source& source, const SampleSettings& settings, size_t window)
      : source_(source), settings_(settings), window_(source, 0, window) {}

  Status edit_sample(uint64_t offset, uint64_t size, std::vector<Edit>* edits,
                     SampleReport* report) override {
    begin_ = offset;
    end_ = offset + size;
    edits_ = edits;
    report_ = report;
    // Of DV, the sound is in the pictures.
    if (stays(PartClass::unknown) && settings_.keeps.policy.sound_tracks && !report_) return ok();
    window_.seek(offset);
    return edit();
  }

 protected:
  virtual Status edit() = 0;

  bool stays(PartClass part_class) const { return settings_.keeps(part_class); }
  Error wrong() const {
    return damaged(settings_.path + ", the picture at byte " + std::to_string(begin_) +
                   " can't be read");
  }
  /// The next byte of the picture; -1 at its end.
  int next() { return window_.position() < end_ ? window_.next() : -1; }
  /// The bytes from an offset on; fewer where the picture ends.
  Bytes bytes_at(uint64_t offset, size_t count) const {
    Bytes bytes(static_cast<size_t>(std::min<uint64_t>(count, end_ - std::min(end_, offset))));
    bytes.resize(source_.read(offset, bytes));
    return bytes;
  }

  /// Returns whether it stays.
  bool note(uint64_t begin, uint64_t end, const char* what,
            PartClass part_class = PartClass::unknown, std::string_view value = {}) {
    const bool kept = stays(part_class);
    if (report_) report_->add(settings_.path, part_class, what, value, begin, end - begin, !kept);
    return kept;
  }
  void blank(uint64_t begin, uint64_t end, const char* what) {
    if (begin < end && !only_zeros(source_, begin, end) && !note(begin, end, what))
      edits_->push_back({begin, end - begin, {}, true});
  }
  void put(uint64_t offset, Bytes bytes) {
    const uint64_t length = bytes.size();
    edits_->push_back({offset, length, std::move(bytes)});
  }

  const Source& source_;
  const SampleSettings settings_;
  Window window_;
  uint64_t begin_ = 0, end_ = 0;
  std::vector<Edit>* edits_ = nullptr;
  SampleReport* report_ = nullptr;
};

// --- AV1 -----------------------------------------------------------------------------------------

class Av1Editor : public PictureEditor {
 public:
  Av1Editor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, head_window) {}

 private:
  // AV1 Bitstream, 6.2.2.
  enum Type { sequence = 1, delimiter = 2, metadata = 5, redundant = 7, padding = 15 };
  struct Unit {
    uint64_t begin = 0, content = 0, end = 0;
    int head = 0;
    int type() const { return head >> 3 & 15; }
  };

  Status edit() override {
    for (uint64_t at = begin_; at < end_;) {
      Unit unit;
      if (!read_unit(at, &unit)) return wrong();
      if (!is_harmless(unit) && !note(unit.begin, unit.end, "metadata of the picture (OBU)"))
        pad(unit);
      if (unit.type() == sequence) cut_sequence(unit);
      at = unit.end;
    }
    return ok();
  }

  /// Bytes behind the end of the header are no part of it.
  void cut_sequence(const Unit& unit) {
    constexpr size_t longest = 1024;
    const std::optional<size_t> used = av1_sequence_length(
        bytes_at(unit.content, std::min<uint64_t>(longest, unit.end - unit.content)));
    if (used) blank(unit.content + *used, unit.end, "bytes behind the header of the pictures");
  }

  bool read_unit(uint64_t at, Unit* unit) {
    window_.seek(at);
    unit->begin = at;
    unit->head = next();
    if (unit->head < 0 || unit->head & 0x80) return false;
    if (unit->head & 4 && next() < 0) return false;
    uint64_t size = end_ - window_.position();
    if (unit->head & 2 && !leb128(&size)) return false;
    unit->content = window_.position();
    if (unit->content > end_ || size > end_ - unit->content) return false;
    unit->end = unit->content + size;
    return true;
  }

  /// A number in groups of seven bits; false if it is cut off or too large.
  bool leb128(uint64_t* value) {
    *value = 0;
    for (int i = 0; i < 8; ++i) {
      const int byte = next();
      if (byte < 0) return false;
      *value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (!(byte & 0x80)) return true;
    }
    return false;
  }

  bool is_harmless(const Unit& unit) {
    if (unit.content == unit.end) return true;
    switch (unit.type()) {
      case delimiter:
        return false;  // has no content
      case metadata: {
        // Light levels, the mastering display, scalability.
        constexpr uint64_t longest = 64;
        uint64_t kind = 0;
        window_.seek(unit.content);
        return leb128(&kind) && kind >= 1 && kind <= 3 && unit.end - unit.content <= longest;
      }
      case padding:
        return bytes_at(unit.end - 1, 1) == Bytes{0x80} &&
               only_zeros(source_, unit.content, unit.end - 1);
      default:
        return unit.type() >= sequence && unit.type() <= redundant;
    }
  }

  void pad(const Unit& unit) {
    put(unit.begin, {static_cast<uint8_t>((unit.head & 0x87) | padding << 3)});
    if (unit.end - 1 > unit.content)
      edits_->push_back({unit.content, unit.end - 1 - unit.content, {}, true});
    put(unit.end - 1, {0x80});
  }
};

// --- JPEG ----------------------------------------------------------------------------------------

class JpegEditor : public PictureEditor {
 public:
  JpegEditor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, whole_window) {}

 private:
  /// Interlaced pictures are two, one after the other.
  static constexpr int most_pictures = 2;

  Status edit() override {
    if (next() != 0xff || next() != jpeg::SOI) return wrong();
    for (int pictures = 1;;) {
      int marker = next();
      if (marker < 0) return ok();  // some encoders leave out the end
      if (marker != 0xff) return wrong();
      while (marker == 0xff) marker = next();
      if (marker < 0) return ok();
      if (marker == jpeg::TEM || (marker >= jpeg::RST0 && marker <= jpeg::RST7)) continue;
      if (marker == jpeg::EOI) {
        if (!find_next_picture(pictures++)) return ok();
        continue;
      }
      if (marker < jpeg::SOF0 || marker == jpeg::SOI) return wrong();
      if (const Status edited = edit_segment(marker); !edited) return edited;
      if (marker == jpeg::SOS) pass_scan();
    }
  }

  /// Goes into it. What is no picture goes.
  bool find_next_picture(int pictures) {
    int byte = 0;
    while (byte == 0) byte = next();
    if (byte < 0) return false;
    const uint64_t begin = window_.position() - 1;
    if (pictures < most_pictures && byte == 0xff && next() == jpeg::SOI) return true;
    blank(begin, end_, "bytes after the picture");
    return false;
  }

  Status edit_segment(int marker) {
    const int high = next(), low = next();
    const int length = high << 8 | low;
    const uint64_t content = window_.position();
    if (low < 0 || length < 2 || static_cast<uint64_t>(length - 2) > end_ - content) return wrong();
    const uint64_t end = content + static_cast<uint64_t>(length - 2);
    const bool table = (marker <= jpeg::SOF15 && marker != jpeg::JPG) ||
                       (marker >= jpeg::SOS && marker <= jpeg::DRI);
    if (table && !stays(PartClass::unknown) &&
        !check_jpeg_table(marker, bytes_at(content, static_cast<size_t>(end - content))))
      return wrong();
    if (!table && !is_known(marker, bytes_at(content, static_cast<size_t>(end - content))))
      blank(content, end, "metadata of the picture (JPEG)");
    window_.seek(end);
    return ok();
  }

  /// What says how the picture is to be shown.
  static bool is_known(int marker, const Bytes& bytes) {
    ByteReader reader(bytes);
    if (marker == jpeg::APP0 && reader.starts_with(std::string_view("JFIF\0", 5)))
      return bytes.size() == 14 && bytes[12] == 0 && bytes[13] == 0;
    if (marker == jpeg::APP0) return bytes.size() <= 14 && reader.starts_with("AVI1");
    if (marker == jpeg::APP14) return bytes.size() <= 12 && reader.starts_with("Adobe");
    // Offsets of the fields of Motion JPEG A have the mark after a number.
    constexpr size_t fields_size = 40;
    reader.skip(4);
    return marker == jpeg::APP1 && bytes.size() == fields_size && reader.starts_with("mjpg");
  }

  /// Goes to the marker behind compressed pixels.
  void pass_scan() {
    for (;;) {
      const uint64_t at = window_.position();
      std::span<const uint8_t> ahead = window_.ahead();
      if (ahead.empty() || at >= end_) return;
      ahead = ahead.first(static_cast<size_t>(std::min<uint64_t>(ahead.size(), end_ - at)));
      const size_t found = find_jpeg_marker(ahead);
      window_.skip(found);
      if (found == ahead.size()) continue;
      int byte = next();
      while (byte == 0xff) byte = next();
      if (byte < 0) return;
      if (byte == 0 || (byte >= jpeg::RST0 && byte <= jpeg::RST7)) continue;
      window_.seek(at + found);
      return;
    }
  }
};

// --- MPEG-1, 2 and 4 -----------------------------------------------------------------------------

class MpegEditor : public PictureEditor {
 public:
  MpegEditor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, whole_window),
        is_part_4_(settings.form == SampleForm::mpeg4) {}

 private:
  static constexpr uint8_t user_data = 0xb2, extension = 0xb5, group = 0xb8, group_of_part_4 = 0xb3;

  Status edit() override {
    uint32_t last = ~0u;
    unknown_ = no_part();
    bool is_extension = false;
    // Before the first unit nothing is coded, but for a short form of H.263 without units.
    if (!has_short_header()) unknown_ = {begin_, "bytes before the picture"};
    for (int byte = next(); byte >= 0; byte = next()) {
      last = last << 8 | static_cast<uint32_t>(byte);
      const uint64_t position = window_.position();
      if (last >> 8 == 1) {
        // The zeros before it belong to nothing.
        end_unknown(position - 4);
        if (!is_known(static_cast<uint8_t>(byte)))
          unknown_ = {position, byte == user_data ? "user data" : "unit of an unknown kind"};
        if (byte == group && !is_part_4_ && !edit_time_code(position))
          unknown_ = {position, "a group of pictures that can't be read"};
        if (byte == group_of_part_4 && is_part_4_ && !has_group_) note_time_code(position);
        is_extension = byte == extension && !is_part_4_;
      } else if (is_extension) {
        is_extension = false;
        if (!is_known_extension(byte >> 4)) unknown_ = {position - 1, "unit of an unknown kind"};
      }
    }
    end_unknown(end_);
    return ok();
  }

  /// Of a group of pictures. Decoders do not need it, and cameras write the time of day. False if
  /// the group can't be read.
  bool edit_time_code(uint64_t at) {
    // How seconds are counted, a mark, whether the group is closed; zeros, and the next unit.
    constexpr uint32_t others = 0x8008007f, mark = 0x00080000, reserved = 0x1f;
    constexpr size_t size = 4, with_next = 7;
    const Bytes bytes = bytes_at(at, with_next);
    const uint32_t value = ByteReader(bytes).u32();
    if (bytes.size() < size || !(value & mark) || (value & reserved)) return false;
    const auto next = std::span(bytes).subspan(size);
    if (std::ranges::any_of(next.first(std::min<size_t>(next.size(), 2)),
                            [](uint8_t byte) { return byte != 0; }) ||
        (next.size() == 3 && next.back() > 1))
      return false;
    if ((value & ~others) == 0) return true;
    char text[16];
    g_snprintf(text, sizeof text, "%02u:%02u:%02u:%02u", value >> 26 & 31, value >> 20 & 63,
               value >> 13 & 63, value >> 7 & 63);
    if (note(at, at + size, "time code", PartClass::time, text)) return true;
    Bytes zero(bytes.begin(), bytes.begin() + size);
    for (size_t i = 0; i < size; ++i) zero[i] &= static_cast<uint8_t>(others >> (24 - 8 * i));
    put(at, std::move(zero));
    return true;
  }

  /// The first one of a video. Of MPEG-4, the times of the pictures are counted from it, so that
  /// another one could change those that are made of two.
  void note_time_code(uint64_t at) {
    has_group_ = true;
    const Bytes bytes = bytes_at(at, 4);
    const uint32_t value = ByteReader(bytes).u32();
    const uint32_t hours = value >> 27, minutes = value >> 21 & 63, seconds = value >> 14 & 63;
    if (hours + minutes + seconds == 0 || !report_) return;
    char text[16];
    g_snprintf(text, sizeof text, "%02u:%02u:%02u", hours, minutes, seconds);
    report_->add(settings_.path, PartClass::useful, counted_times, text, at, 4, false);
  }

  struct Unknown {
    uint64_t begin;
    const char* what;  ///< null: there is none
  };
  static Unknown no_part() { return {0, nullptr}; }

  bool has_short_header() const {
    const Bytes head = bytes_at(begin_, 3);
    return head.size() < 3 || (head[0] == 0 && head[1] == 0 && (head[2] & 0xfc) == 0x80);
  }

  void end_unknown(uint64_t end) {
    const Unknown unknown = std::exchange(unknown_, no_part());
    if (!unknown.what || end <= unknown.begin) return;
    // Decoders work around errors of these encoders, so the pictures would change.
    constexpr size_t longest_mark = 32;
    const Bytes bytes = bytes_at(unknown.begin, longest_mark + 1);
    if (is_part_4_ && end - unknown.begin <= longest_mark &&
        is_mark_of_encoder(
            as_text(std::span(bytes).first(static_cast<size_t>(end - unknown.begin)))))
      return;
    blank(unknown.begin, end, unknown.what);
  }

  static bool is_mark_of_encoder(std::string_view text) {
    static constexpr std::string_view names[] = {"XviD", "DivX", "Lavc", "FFmpeg"};
    const auto* const name =
        std::ranges::find_if(names, [&](std::string_view each) { return text.starts_with(each); });
    if (name == std::end(names)) return false;
    text.remove_prefix(name->size());
    return text.find_first_not_of(std::string_view("0123456789.bBuildp\0", 19)) == text.npos;
  }

  /// ISO/IEC 14496-2, 6.2.1; ISO/IEC 13818-2, 6.2.1.
  bool is_known(uint8_t code) const {
    if (is_part_4_) return code <= 0x2f || (code >= 0xb0 && code <= 0xb6 && code != user_data);
    return code <= 0xb8 && code != user_data && code != 0xb0 && code != 0xb1 && code != 0xb6;
  }
  /// Of MPEG-2: not a number that says whose picture it is, and nothing that is reserved.
  static bool is_known_extension(int id) { return (id >= 1 && id <= 10) && id != 4 && id != 6; }

  const bool is_part_4_;
  bool has_group_ = false;  ///< of pictures, the first of the video
  Unknown unknown_ = no_part();
};

// --- ProRes --------------------------------------------------------------------------------------

class ProResEditor : public PictureEditor {
 public:
  ProResEditor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, head_window), is_bare_(settings.bare) {}

 private:
  /// SMPTE RDD 36: the size of the picture, a mark, the size of the head, its version, the encoder.
  Status edit() override {
    constexpr uint64_t words = 8, encoder_size = 4;
    const uint64_t encoder_at = is_bare_ ? 4 : words + 4;
    const Bytes head = bytes_at(begin_, encoder_at + encoder_size);
    ByteReader reader(head);
    const uint64_t size = is_bare_ ? end_ - begin_ : reader.u32();
    if ((!is_bare_ && !reader.starts_with("icpf")) || head.size() < encoder_at + encoder_size ||
        size > end_ - begin_ || size < head.size())
      return wrong();
    static constexpr std::string_view neutral[] = {"apl0", "fmpg", "Lavc"};
    const std::string_view encoder = as_text(std::span(head).subspan(encoder_at));
    const uint64_t at = begin_ + encoder_at;
    if (std::ranges::find(neutral, encoder) == std::end(neutral) &&
        !note(at, at + encoder_size, "vendor of the encoder", PartClass::identity, encoder))
      put(at, {'a', 'p', 'l', '0'});
    blank(begin_ + size, end_, "bytes after the picture");
    return ok();
  }

  const bool is_bare_;
};

// --- VC-3 ----------------------------------------------------------------------------------------

class Vc3Editor : public PictureEditor {
 public:
  Vc3Editor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, head_window) {}

 private:
  /// SMPTE ST 2019-1. An interlaced picture is in two units of the same length.
  Status edit() override {
    constexpr size_t flags_at = 5, interlaced = 2;
    const Bytes head = bytes_at(begin_, flags_at + 1);
    const bool two = head.size() > flags_at && head[flags_at] & interlaced;
    const uint64_t length = (end_ - begin_) / (two ? 2 : 1);
    for (uint64_t at = begin_; at + length <= end_ && length > 0; at += length)
      if (!edit_head(at, length)) return wrong();
    blank(begin_ + length * (two ? 2 : 1), end_, "bytes after the picture");
    return ok();
  }

  bool edit_head(uint64_t at, uint64_t length) {
    // Where the list of rows begins, with a number for each.
    constexpr uint64_t rows_at = 0x16c, list_at = 0x170, row_size = 4;
    const Bytes head = bytes_at(at, list_at);
    ByteReader reader(head);
    if (head.size() < list_at || reader.u16() != 0) return false;
    const uint64_t size = reader.u16();
    reader.seek(rows_at);
    const uint64_t list_end = list_at + reader.u16() * row_size;
    if (size > length || list_end > size) return false;
    // Reserved bytes, the time code, the data of users.
    static constexpr std::pair<uint64_t, uint64_t> others[] = {
        {0x08, 0x18}, {0x2d, 0x5f}, {0x60, 0x164}};
    for (const auto& [begin, end] : others) blank(at + begin, at + end, "user data");
    blank(at + list_end, at + size, "user data");
    return true;
  }
};

// --- DV ------------------------------------------------------------------------------------------

/// Blocks of 80 bytes (IEC 61834-2). Records of five bytes beside the picture tell when and how it
/// was taken.
class DvEditor : public PictureEditor {
 public:
  DvEditor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, whole_window) {}

 private:
  static constexpr size_t block_size = 80, id_size = 3, record_size = 5;
  enum Section { header, subcode, picture_records, sound, picture };

  Status edit() override {
    if ((end_ - begin_) % block_size != 0) return wrong();
    Bytes block(block_size);
    for (uint64_t at = begin_; at < end_; at += block_size) {
      for (uint8_t& byte : block) byte = static_cast<uint8_t>(std::max(0, next()));
      if (block[0] >> 5 > picture) return wrong();
      const Section section = static_cast<Section>(block[0] >> 5);
      if (section == picture) continue;
      Bytes after = block;
      if (!stays(PartClass::unknown)) edit_block(section, after);
      if (section == sound && !settings_.keeps.policy.sound_tracks)
        std::fill(after.begin() + id_size + record_size, after.end(), uint8_t{0});
      if (after == block) continue;
      if (report_)
        report_->add(settings_.path, PartClass::unknown, "records of the tape: times, the camera",
                     {}, at, block_size, true);
      put(at, std::move(after));
    }
    return ok();
  }

  void edit_block(Section section, Bytes& block) const {
    const auto fill = [&](size_t begin, size_t end) {
      std::fill(block.begin() + static_cast<std::ptrdiff_t>(begin),
                block.begin() + static_cast<std::ptrdiff_t>(end), uint8_t{0xff});
    };
    constexpr size_t header_used = 8, subcode_record = 8, records = 15;
    switch (section) {
      case header:
        fill(header_used, block_size);
        break;
      case subcode:
        // Each has an id of its own.
        for (size_t i = 0; i < 6; ++i)
          fill(id_size + i * subcode_record + 3, id_size + (i + 1) * subcode_record);
        fill(id_size + 6 * subcode_record, block_size);
        break;
      case picture_records:
        for (size_t i = 0; i < records; ++i) {
          const size_t at = id_size + i * record_size;
          if (block[at] != 0x60 && block[at] != 0x61) fill(at, at + record_size);
        }
        fill(id_size + records * record_size, block_size);
        break;
      case sound:
        if (block[id_size] != 0x50 && block[id_size] != 0x51) fill(id_size, id_size + record_size);
        break;
      case picture:
        break;
    }
  }
};

// --- PNG -----------------------------------------------------------------------------------------

class PngEditor : public PictureEditor {
 public:
  PngEditor(const Source& source, const SampleSettings& settings)
      : PictureEditor(source, settings, head_window) {}

 private:
  Status edit() override {
    Request request;
    request.policy = settings_.keeps.policy;
    request.in_place = true;
    const Result<Examination> found =
        examine_png(RangeSource(source_, begin_, end_ - begin_), request);
    if (!found) return Error(found.error().kind, settings_.path + ": " + found.error().message);
    for (const Edit& edit : found->edits) {
      edits_->push_back(edit);
      edits_->back().offset += begin_;
    }
    if (!report_) return ok();
    for (const Part& part : found->parts)
      if (part.part_class != PartClass::useful)
        report_->add(settings_.path + "/" + part.path, part.part_class, part.what, part.value,
                     begin_ + part.offset, part.length, part.removed);
    for (const Position& position : found->traces.positions) report_->add(position);
    for (const std::string& text : found->traces.identities) report_->identity(text);
    return ok();
  }
};

}  // namespace

std::unique_ptr<SampleEditor> make_picture_editor(const Source& source,
                                                  const SampleSettings& settings) {
  switch (settings.form) {
    case SampleForm::av1:
      return std::make_unique<Av1Editor>(source, settings);
    case SampleForm::jpeg:
      return std::make_unique<JpegEditor>(source, settings);
    case SampleForm::mpeg2:
    case SampleForm::mpeg4:
      return std::make_unique<MpegEditor>(source, settings);
    case SampleForm::prores:
      return std::make_unique<ProResEditor>(source, settings);
    case SampleForm::vc3:
      return std::make_unique<Vc3Editor>(source, settings);
    case SampleForm::dv:
      return std::make_unique<DvEditor>(source, settings);
    case SampleForm::png:
      return std::make_unique<PngEditor>(source, settings);
    default:
      return nullptr;
  }
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Tracks with what a camera measured while it recorded: CAMM (Google), GPMF (GoPro), and texts with
// positions. docs/metadata.md tells which records stay.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/position_text.h"

namespace sphere::media {

namespace {

// Bytes. Real samples of GPMF have some tens of KiB, one for each second.
constexpr uint64_t largest_record_sample = 8 << 20, largest_camm_run = 8 << 20;
// Of a track that goes whole, this much is searched for positions.
constexpr uint64_t largest_text = 64 << 10, most_text = 64 << 20;
constexpr int deepest_nesting = 8;

double read_double_little(ByteReader* reader) {
  const uint64_t low = reader->u32_little();
  return std::bit_cast<double>(static_cast<uint64_t>(reader->u32_little()) << 32 | low);
}

// --- CAMM ----------------------------------------------------------------------------------------

struct CammKind {
  size_t size;  ///< with the header
  PartClass part_class;
  const char* what;
};
constexpr std::array camm_kinds = {
    CammKind{16, PartClass::useful, "orientation"},
    CammKind{12, PartClass::useful, "exposure of the picture"},
    CammKind{16, PartClass::useful, "rotation of the camera (gyroscope)"},
    CammKind{16, PartClass::useful, "acceleration of the camera"},
    CammKind{16, PartClass::place, "place relative to the beginning"},
    CammKind{28, PartClass::place, "position"},
    CammKind{60, PartClass::place, "position, speed and time (GPS)"},
    CammKind{16, PartClass::place, "direction (magnetometer)"},
};

std::optional<Position> camm_position(size_t type, std::span<const uint8_t> record) {
  if (type != 5 && type != 6) return std::nullopt;
  ByteReader reader(record);
  reader.skip(type == 5 ? 4 : 16);
  Position position;
  position.latitude = read_double_little(&reader);
  position.longitude = read_double_little(&reader);
  const double altitude =
      type == 5 ? read_double_little(&reader) : double{std::bit_cast<float>(reader.u32_little())};
  if (std::isfinite(altitude)) position.altitude = altitude;
  return position;
}

std::string position_value(const Position& position) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6f, %.6f", position.latitude, position.longitude);
  return text;
}

// --- GPMF ----------------------------------------------------------------------------------------

struct GpmfKey {
  std::string_view key;
  PartClass part_class;
  const char* what;
};
/// What describes the records of a stream.
constexpr std::string_view gpmf_modifiers[] = {"DVID", "TICK", "TOCK", "TSMP", "STMP",
                                               "SIUN", "UNIT", "SCAL", "TYPE", "TMPC",
                                               "TIMO", "EMPT", "ORIN", "ORIO", "MTRX"};
constexpr GpmfKey gpmf_keys[] = {
    {"ACCL", PartClass::useful, "acceleration of the camera"},
    {"GYRO", PartClass::useful, "rotation of the camera (gyroscope)"},
    {"CORI", PartClass::useful, "orientation of the camera"},
    {"IORI", PartClass::useful, "orientation of the picture"},
    {"GRAV", PartClass::useful, "direction of gravity"},
    {"SHUT", PartClass::useful, "exposure of the picture"},
    {"WBAL", PartClass::useful, "white balance"},
    {"WRGB", PartClass::useful, "white balance"},
    {"ISOE", PartClass::useful, "sensitivity"},
    {"ISOG", PartClass::useful, "sensitivity"},
    {"UNIF", PartClass::useful, "uniformity"},
    {"YAVG", PartClass::useful, "brightness"},
    {"HUES", PartClass::useful, "colours"},
    {"MXCF", PartClass::useful, "lens"},
    {"MAPX", PartClass::useful, "lens"},
    {"MYCF", PartClass::useful, "lens"},
    {"MAPY", PartClass::useful, "lens"},
    {"ZFOV", PartClass::useful, "field of view"},
    {"VFOV", PartClass::useful, "field of view"},
    {"ARUW", PartClass::useful, "aspect ratio"},
    {"ARWA", PartClass::useful, "aspect ratio"},
    {"MAGN", PartClass::place, "direction (magnetometer)"},
    {"GPS5", PartClass::place, "position (GPS)"},
    {"GPS9", PartClass::place, "position (GPS)"},
    {"GPSU", PartClass::place, "time of GPS"},
    {"GPSF", PartClass::place, "state of GPS"},
    {"GPSP", PartClass::place, "precision of GPS"},
    {"GPSA", PartClass::place, "altitude system of GPS"},
    {"GPRI", PartClass::place, "position (GPS)"},
    {"GLPI", PartClass::place, "position (GPS)"},
    {"FACE", PartClass::identity, "faces"},
    {"FCNM", PartClass::identity, "faces"},
    {"DVNM", PartClass::identity, "name of the camera"},
    {"STNM", PartClass::unknown, "name of a stream"},
    {"CASN", PartClass::identity, "serial number"},
    {"CSEN", PartClass::identity, "serial number"},
    {"MINF", PartClass::identity, "model of the camera"},
    {"MUID", PartClass::identity, "unique id"},
    {"GUMI", PartClass::identity, "unique id"},
    {"FMWR", PartClass::identity, "firmware"},
};

class RecordEditor : public WholeSampleEditor {
 public:
  RecordEditor(const Source& source, const SampleSettings& settings)
      : WholeSampleEditor(source, settings, largest_record_sample, "a sample") {}

  Status edit_sample(uint64_t offset, uint64_t size, std::vector<Edit>* edits,
                     SampleReport* report) override {
    if (settings_.form != SampleForm::unknown)
      return WholeSampleEditor::edit_sample(offset, size, edits, report);
    offset_ = offset;
    report_ = report;
    return search_text(size);
  }

 private:
  Status edit() override {
    edit_level(0, bytes_.size(), 0, false);
    return ok();
  }

  struct Klv {
    std::string_view key;
    uint8_t type = 0;
    size_t struct_size = 0, begin = 0, content = 0, content_end = 0, end = 0;
  };

  /// A text track that goes whole: what it tells must not be anywhere in the new file.
  Status search_text(uint64_t size) {
    if (!report_ || size > largest_text || searched_ > most_text) return ok();
    searched_ += size;
    if (const Status read = read_sample(size); !read) return read;
    const std::string_view text = as_text(bytes_);
    for (const Position& position : positions_in(text)) {
      report_->add(position);
      report_->add(settings_.path, PartClass::place, "position in a text", position_value(position),
                   offset_, size, !stays(PartClass::unknown));
    }
    return ok();
  }

  bool next_klv(size_t at, size_t end, Klv* klv) const {
    if (end - at < 8) return false;
    ByteReader reader(std::span<const uint8_t>(bytes_).subspan(at, 8));
    const auto key = reader.take(4);
    klv->key = {reinterpret_cast<const char*>(bytes_.data() + at), key.size()};
    klv->type = reader.u8();
    klv->struct_size = reader.u8();
    const size_t length = klv->struct_size * reader.u16();
    klv->begin = at;
    klv->content = at + 8;
    if (length > end - klv->content) return false;
    klv->content_end = klv->content + length;
    klv->end = std::min(end, klv->content + (length + 3) / 4 * 4);
    return true;
  }

  static const GpmfKey* find_key(std::string_view key) {
    for (const GpmfKey& known : gpmf_keys)
      if (known.key == key) return &known;
    return nullptr;
  }

  bool is_zero(size_t begin, size_t end) const {
    return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
                       bytes_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](uint8_t byte) { return byte == 0; });
  }

  /// The records from `begin` to `end`. With `gone` they are removed with what they are in.
  void edit_level(size_t begin, size_t end, int depth, bool gone) {
    size_t at = begin;
    std::vector<uint8_t> scales;
    while (at < end) {
      Klv klv;
      // Zeros fill the end of a sample.
      if (is_zero(at, end)) return;
      if (!next_klv(at, end, &klv)) {
        report(PartClass::unknown, "GPMF", "records that can't be read", {}, at, end,
               gone || !stays(PartClass::unknown));
        if (!gone && !stays(PartClass::unknown))
          edits_->push_back({offset_ + at, end - at, {}, true});
        return;
      }
      edit_klv(klv, depth, gone, &scales);
      at = klv.end;
    }
  }

  void edit_klv(const Klv& klv, int depth, bool gone, std::vector<uint8_t>* scales) {
    if (klv.key == "SCAL")
      scales->assign(bytes_.begin() + static_cast<std::ptrdiff_t>(klv.begin),
                     bytes_.begin() + static_cast<std::ptrdiff_t>(klv.content_end));
    if (klv.key == "free" && klv.type != 0 && is_zero(klv.content, klv.end)) return;
    if (klv.type == 0 && (klv.key == "DEVC" || klv.key == "STRM") && depth < deepest_nesting) {
      const bool whole = klv.key == "STRM" && !gone && !stream_stays(klv);
      if (whole) blank(klv);
      edit_level(klv.content, klv.content_end, depth + 1, gone || whole);
      return;
    }
    const bool modifier =
        std::ranges::find(gpmf_modifiers, klv.key) != std::end(gpmf_modifiers) && klv.type != 0;
    if (modifier) return;
    const GpmfKey* const known = klv.type != 0 ? find_key(klv.key) : nullptr;
    const PartClass part_class = known ? known->part_class : PartClass::unknown;
    std::string value;
    if (klv.type == 'c')
      value.assign(reinterpret_cast<const char*>(&bytes_[klv.content]),
                   klv.content_end - klv.content);
    if (klv.key == "GPS5" || klv.key == "GPS9") read_positions(klv, *scales, &value);
    if (report_ && part_class == PartClass::identity && klv.type == 'c')
      report_->identity(std::string_view(value).substr(0, value.find('\0')));
    report(part_class, klv.key, known ? known->what : "records of an unknown kind", value,
           klv.begin, klv.end, gone || !stays(part_class));
    if (!gone && !stays(part_class)) blank(klv);
  }

  /// A stream goes with its description if one of its kinds of records may not stay.
  bool stream_stays(const Klv& stream) const {
    size_t at = stream.content;
    Klv klv;
    while (at < stream.content_end && !is_zero(at, stream.content_end)) {
      if (!next_klv(at, stream.content_end, &klv)) return stays(PartClass::unknown);
      at = klv.end;
      if (std::ranges::find(gpmf_modifiers, klv.key) != std::end(gpmf_modifiers) ||
          klv.key == "STNM" || klv.key == "free")
        continue;
      const GpmfKey* const known = find_key(klv.key);
      if (!stays(known ? known->part_class : PartClass::unknown)) return false;
    }
    return true;
  }

  /// Renames a record to one that readers skip, and zeros its content.
  void blank(const Klv& klv) {
    std::vector<uint8_t> bytes(klv.end - klv.begin);
    std::memcpy(bytes.data(), "free", 4);
    bytes[4] = klv.type == 0 ? 'c' : klv.type;
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(klv.begin + 5),
              bytes_.begin() + static_cast<std::ptrdiff_t>(klv.begin + 8), bytes.begin() + 5);
    edits_->push_back({offset_ + klv.begin, klv.end - klv.begin, std::move(bytes), false});
  }

  void report(PartClass part_class, std::string_view key, std::string_view what,
              std::string_view value, size_t begin, size_t end, bool removed) {
    if (report_)
      report_->add(settings_.path + "/" + shortened(key), part_class, what, value, offset_ + begin,
                   end - begin, removed);
  }

  void read_positions(const Klv& klv, std::span<const uint8_t> scales, std::string* value) {
    if (!report_ || klv.struct_size < 8) return;
    double scale[2] = {1e7, 1e7};
    ByteReader scale_reader(scales);
    scale_reader.skip(4);
    const uint8_t type = scale_reader.u8(), size = scale_reader.u8();
    const size_t count = scale_reader.u16();
    for (size_t i = 0; i < 2 && scale_reader.ok() && type == 'l' && size == 4; ++i) {
      if (i > 0 && i >= count) {
        scale[i] = scale[0];
        break;
      }
      const uint32_t number = scale_reader.u32();
      if (scale_reader.ok() && number) scale[i] = number;
    }
    for (size_t at = klv.content; at + klv.struct_size <= klv.content_end; at += klv.struct_size) {
      ByteReader reader(std::span<const uint8_t>(bytes_).subspan(at, 8));
      Position position;
      position.latitude = static_cast<int32_t>(reader.u32()) / scale[0];
      position.longitude = static_cast<int32_t>(reader.u32()) / scale[1];
      report_->add(position);
      if (value->empty()) *value = position_value(position);
    }
  }

  uint64_t searched_ = 0;  // bytes of text
};

}  // namespace

std::unique_ptr<SampleEditor> make_record_editor(const Source& source,
                                                 const SampleSettings& settings) {
  return std::make_unique<RecordEditor>(source, settings);
}

Status edit_camm_run(const Source& source, const IsoLayout& layout, const MediaRun& run,
                     const SampleSettings& settings, std::vector<Edit>* edits,
                     std::vector<uint32_t>* new_sizes, SampleReport* report) {
  if (run.length > largest_camm_run)
    return unsupported(settings.path + " has records in a piece that is too large to be examined");
  std::vector<uint8_t> bytes(static_cast<size_t>(run.length));
  if (!source.read_all(run.offset, bytes)) return cut_off();
  std::vector<uint8_t> kept;
  kept.reserve(bytes.size());
  RunSizes sizes(source, layout, run);
  size_t at = 0;
  const auto note = [&](PartClass part_class, std::string_view what, std::string_view value,
                        size_t size) {
    const bool stays = settings.keeps(part_class);
    if (report) report->add(settings.path, part_class, what, value, run.offset + at, size, !stays);
    return stays;
  };
  for (uint64_t i = 0; i < run.samples; ++i) {
    uint64_t size = 0;
    if (!sizes.next(&size) || size > bytes.size() - at) return cut_off();
    const size_t end = at + static_cast<size_t>(size), kept_before = kept.size();
    while (at < end) {
      size_t length = end - at, type = camm_kinds.size();
      if (length >= 4) type = bytes[at + 2] | static_cast<size_t>(bytes[at + 3]) << 8;
      // What is not known has no length of its own, and ends with the sample.
      const bool known = type < camm_kinds.size() && camm_kinds[type].size <= length;
      if (known) length = camm_kinds[type].size;
      const auto record = std::span(bytes).subspan(at, length);
      std::string value;
      if (const auto position = known ? camm_position(type, record) : std::nullopt) {
        value = position_value(*position);
        if (report) report->add(*position);
      }
      const bool stays =
          known ? note(camm_kinds[type].part_class, camm_kinds[type].what, value, length)
                : note(PartClass::unknown, "records of an unknown kind", {}, length);
      if (stays) kept.insert(kept.end(), record.begin(), record.end());
      at += length;
    }
    new_sizes->push_back(static_cast<uint32_t>(kept.size() - kept_before));
  }
  kept.resize(bytes.size());
  if (kept != bytes) edits->push_back({run.offset, run.length, std::move(kept), false});
  return ok();
}

}  // namespace sphere::media

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
#include "gst/sphere/media/box_edits.h"
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

/// What a record of GPS tells after the position was rounded: the time, the precision and the speed
/// are zero, because a path could be put together from them.
constexpr size_t camm_time_at = 4, camm_fix_at = 12, camm_latitude_at = 16, camm_altitude_at = 32;

bool is_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

const char* camm_what(size_t type, std::span<const uint8_t> record) {
  const bool only_position = type == 6 &&
                             is_zero(record.subspan(camm_time_at, camm_fix_at - camm_time_at)) &&
                             is_zero(record.subspan(camm_altitude_at + 4));
  return camm_kinds[only_position ? 5 : type].what;
}

bool is_on_earth(const Position& position) {
  return std::abs(position.latitude) <= 90 && std::abs(position.longitude) <= 180;
}

void put_double_little(double value, std::span<uint8_t> bytes) {
  auto bits = std::bit_cast<uint64_t>(value);
  for (uint8_t& byte : bytes.first(8)) {
    byte = static_cast<uint8_t>(bits);
    bits >>= 8;
  }
}

/// Leaves nothing but the rounded position in a record. Returns whether that was possible.
bool round_camm(size_t type, const Position& position, const Keeps& keeps,
                std::span<uint8_t> record) {
  if (!keeps.rounding || !is_on_earth(position)) return false;
  const Position rounded = keeps.rounding(position);
  if (type == 5) {
    put_double_little(rounded.latitude, record.subspan(4));
    put_double_little(rounded.longitude, record.subspan(12));
    put_double_little(rounded.altitude.value_or(0), record.subspan(20));
    return true;
  }
  std::ranges::fill(record.subspan(camm_time_at, camm_fix_at - camm_time_at), uint8_t{0});
  put_double_little(rounded.latitude, record.subspan(camm_latitude_at));
  put_double_little(rounded.longitude, record.subspan(camm_latitude_at + 8));
  std::ranges::fill(record.subspan(camm_altitude_at), uint8_t{0});
  return true;
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

  /// What describes the records that follow in a stream.
  struct Description {
    double scale[2] = {0, 0};  ///< of latitude and longitude; 0: not known
    std::string types;         ///< of the numbers in a record

    void add(const Klv& klv, std::span<const uint8_t> content) {
      if (klv.key == "TYPE" && klv.type == 'c') types = as_text(content);
      if (klv.key != "SCAL") return;
      scale[0] = scale[1] = 0;
      if (klv.type != 'l' || klv.struct_size != 4) return;
      ByteReader reader(content);
      const uint32_t first = reader.u32();
      if (!reader.ok()) return;
      // One for all numbers, or one for each.
      const uint32_t second = content.size() == 4 ? first : reader.u32();
      if (!reader.ok()) return;
      scale[0] = first;
      scale[1] = second;
    }
  };

  std::span<const uint8_t> content_of(const Klv& klv) const {
    return std::span(bytes_).subspan(klv.content, klv.content_end - klv.content);
  }

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
    Description description;
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
      edit_klv(klv, depth, gone, &description);
      at = klv.end;
    }
  }

  void edit_klv(const Klv& klv, int depth, bool gone, Description* description) {
    description->add(klv, content_of(klv));
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
    if (klv.type == 'c') value = as_text(content_of(klv));
    if (is_position(klv)) {
      read_positions(klv, *description, &value);
      const bool rounded = !gone && !stays(part_class) && can_round(klv, *description);
      report(part_class, klv.key, tells_only_position(klv) ? "position" : known->what, value,
             klv.begin, klv.end, gone || !(rounded || stays(part_class)));
      if (rounded)
        round_positions(klv, *description);
      else if (!gone && !stays(part_class))
        blank(klv);
      return;
    }
    if (report_ && part_class == PartClass::identity && klv.type == 'c')
      report_->identity(std::string_view(value).substr(0, value.find('\0')));
    report(part_class, klv.key, known ? known->what : "records of an unknown kind", value,
           klv.begin, klv.end, gone || !stays(part_class));
    if (!gone && !stays(part_class)) blank(klv);
  }

  /// A stream goes with its description if one of its kinds of records may not stay, except one
  /// whose positions are rounded: only its other records go.
  bool stream_stays(const Klv& stream) const {
    size_t at = stream.content;
    Klv klv;
    Description description;
    bool rounded = false, denied = false;
    while (at < stream.content_end && !is_zero(at, stream.content_end)) {
      if (!next_klv(at, stream.content_end, &klv)) return stays(PartClass::unknown);
      at = klv.end;
      description.add(klv, content_of(klv));
      if (std::ranges::find(gpmf_modifiers, klv.key) != std::end(gpmf_modifiers) ||
          klv.key == "STNM" || klv.key == "free")
        continue;
      const GpmfKey* const known = find_key(klv.key);
      if (stays(known ? known->part_class : PartClass::unknown)) continue;
      denied = true;
      rounded |= can_round(klv, description);
    }
    return !denied || rounded;
  }

  static bool is_position(const Klv& klv) {
    return klv.type != 0 && (klv.key == "GPS5" || klv.key == "GPS9");
  }
  /// GPS9 has the kind of the fix at its end.
  static size_t end_of_position(const Klv& klv) {
    return klv.struct_size - (klv.key == "GPS9" && klv.struct_size >= 10 ? 2 : 0);
  }
  bool can_round(const Klv& klv, const Description& description) const {
    if (!settings_.keeps.rounding || !is_position(klv)) return false;
    const bool integers =
        klv.type == 'l' || (klv.type == '?' && description.types.starts_with("ll"));
    return integers && klv.struct_size >= 8 && description.scale[0] > 0 && description.scale[1] > 0;
  }
  bool tells_only_position(const Klv& klv) const {
    if (klv.struct_size < 8) return false;
    for (size_t at = klv.content; at + klv.struct_size <= klv.content_end; at += klv.struct_size)
      if (!is_zero(at + 8, at + end_of_position(klv))) return false;
    return true;
  }
  /// Leaves nothing but rounded positions, and the kind of the fix.
  void round_positions(const Klv& klv, const Description& description) {
    std::vector<uint8_t> bytes;
    bytes.reserve(klv.content_end - klv.content);
    for (size_t at = klv.content; at + klv.struct_size <= klv.content_end; at += klv.struct_size) {
      const Position position = position_at(at, description);
      const Position rounded =
          is_on_earth(position) ? settings_.keeps.rounding(position) : Position();
      append32(&bytes,
               static_cast<uint32_t>(std::llround(rounded.latitude * description.scale[0])));
      append32(&bytes,
               static_cast<uint32_t>(std::llround(rounded.longitude * description.scale[1])));
      bytes.resize(bytes.size() + end_of_position(klv) - 8);
      for (size_t i = end_of_position(klv); i < klv.struct_size; ++i)
        bytes.push_back(bytes_[at + i]);
    }
    if (!std::equal(bytes.begin(), bytes.end(),
                    bytes_.begin() + static_cast<std::ptrdiff_t>(klv.content)))
      edits_->push_back({offset_ + klv.content, bytes.size(), std::move(bytes), false});
  }
  Position position_at(size_t at, const Description& description) const {
    ByteReader reader(std::span<const uint8_t>(bytes_).subspan(at, 8));
    Position position;
    position.latitude = static_cast<int32_t>(reader.u32()) / description.scale[0];
    position.longitude = static_cast<int32_t>(reader.u32()) / description.scale[1];
    return position;
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

  void read_positions(const Klv& klv, Description description, std::string* value) {
    if (!report_ || klv.struct_size < 8) return;
    // What all cameras use.
    for (double& scale : description.scale)
      if (scale == 0) scale = 1e7;
    for (size_t at = klv.content; at + klv.struct_size <= klv.content_end; at += klv.struct_size) {
      const Position position = position_at(at, description);
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
                        size_t size, bool rounded) {
    const bool stays = rounded || settings.keeps(part_class);
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
      std::vector<uint8_t> rounded;
      if (const auto position = known ? camm_position(type, record) : std::nullopt) {
        value = position_value(*position);
        if (report) report->add(*position);
        rounded.assign(record.begin(), record.end());
        if (!round_camm(type, *position, settings.keeps, rounded)) rounded.clear();
      }
      const bool stays =
          known ? note(camm_kinds[type].part_class, camm_what(type, record), value, length,
                       !rounded.empty())
                : note(PartClass::unknown, "records of an unknown kind", {}, length, false);
      if (!rounded.empty())
        kept.insert(kept.end(), rounded.begin(), rounded.end());
      else if (stays)
        kept.insert(kept.end(), record.begin(), record.end());
      at += length;
    }
    new_sizes->push_back(static_cast<uint32_t>(kept.size() - kept_before));
  }
  kept.resize(bytes.size());
  if (kept != bytes) edits->push_back({run.offset, run.length, std::move(kept), false});
  return ok();
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/exif_tags.h"

#include <glib.h>
#include <libexif/exif-tag.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/jpeg_tables.h"
#include "gst/sphere/media/jpeg_walk.h"
#include "gst/sphere/media/place.h"

namespace sphere::media {

namespace {

using Directory = ExifTag::Directory;

enum Type : uint16_t {
  type_byte = 1,
  type_ascii,
  type_short,
  type_long,
  type_rational,
  type_sbyte,
  type_undefined,
  type_sshort,
  type_slong,
  type_srational,
  type_float,
  type_double,
};

// Useful tags have not more: a lens has four rationals, reference values six.
constexpr size_t most_numbers = 6;
constexpr size_t most_bytes = 4;
constexpr size_t longest_shown = 64;  ///< bytes
constexpr size_t longest_name = 32;   ///< bytes
// A version that a text may have, such as "2.10.34".
constexpr size_t most_version_digits = 5;

struct Rule {
  uint16_t tag;
  PartClass part_class;
  const char* what;
};

// Not listed tags are unknown. Sorted by tag.
constexpr Rule image_rules[] = {
    {0x000b, PartClass::identity, "software"},
    {0x00fe, PartClass::useful, "kind of picture"},
    {0x0100, PartClass::useful, "size of the picture"},
    {0x0101, PartClass::useful, "size of the picture"},
    {0x0102, PartClass::useful, "form of the pixels"},
    {0x0103, PartClass::useful, "form of the pixels"},
    {0x0106, PartClass::useful, "form of the pixels"},
    {0x010d, PartClass::identity, "name of the file"},
    {0x010f, PartClass::identity, "maker of the camera"},
    {0x0110, PartClass::identity, "model of the camera"},
    {0x0112, PartClass::useful, "orientation of the picture"},
    {0x0115, PartClass::useful, "form of the pixels"},
    {0x011a, PartClass::useful, "resolution"},
    {0x011b, PartClass::useful, "resolution"},
    {0x011c, PartClass::useful, "form of the pixels"},
    {0x0128, PartClass::useful, "resolution"},
    {0x0131, PartClass::identity, "software"},
    {0x0132, PartClass::time, "time of the last change"},
    {0x013b, PartClass::identity, "photographer"},
    {0x013c, PartClass::identity, "name of a computer"},
    {0x013e, PartClass::useful, "colours"},
    {0x013f, PartClass::useful, "colours"},
    {0x0201, PartClass::unknown, "small picture"},
    {0x0202, PartClass::unknown, "small picture"},
    {0x0211, PartClass::useful, "colours"},
    {0x0212, PartClass::useful, "form of the pixels"},
    {0x0213, PartClass::useful, "form of the pixels"},
    {0x0214, PartClass::useful, "colours"},
    {0x8298, PartClass::identity, "owner of the rights"},
    {0x829a, PartClass::useful, "exposure"},
    {0x829d, PartClass::useful, "exposure"},
    {0x8822, PartClass::useful, "exposure"},
    {0x8827, PartClass::useful, "exposure"},
    {0x882a, PartClass::time, "time zone"},
    {0x8830, PartClass::useful, "exposure"},
    {0x8831, PartClass::useful, "exposure"},
    {0x8832, PartClass::useful, "exposure"},
    {0x8833, PartClass::useful, "exposure"},
    {0x8834, PartClass::useful, "exposure"},
    {0x8835, PartClass::useful, "exposure"},
    {0x9000, PartClass::useful, "version of Exif"},
    {0x9003, PartClass::time, "time of capture"},
    {0x9004, PartClass::time, "time of capture"},
    {0x9010, PartClass::time, "time zone"},
    {0x9011, PartClass::time, "time zone"},
    {0x9012, PartClass::time, "time zone"},
    {0x9101, PartClass::useful, "form of the pixels"},
    {0x9102, PartClass::useful, "form of the pixels"},
    {0x9201, PartClass::useful, "exposure"},
    {0x9202, PartClass::useful, "exposure"},
    {0x9203, PartClass::useful, "exposure"},
    {0x9204, PartClass::useful, "exposure"},
    {0x9205, PartClass::useful, "exposure"},
    {0x9206, PartClass::useful, "exposure"},
    {0x9207, PartClass::useful, "exposure"},
    {0x9208, PartClass::useful, "exposure"},
    {0x9209, PartClass::useful, "exposure"},
    {0x920a, PartClass::useful, "focal length"},
    {0x9290, PartClass::time, "time of the last change"},
    {0x9291, PartClass::time, "time of capture"},
    {0x9292, PartClass::time, "time of capture"},
    {0x9400, PartClass::place, "weather at the place"},
    {0x9401, PartClass::place, "weather at the place"},
    {0x9402, PartClass::place, "weather at the place"},
    {0x9403, PartClass::place, "depth of the water"},
    {0x9c9d, PartClass::identity, "photographer"},
    {0xa000, PartClass::useful, "version of Flashpix"},
    {0xa001, PartClass::useful, "colours"},
    {0xa002, PartClass::useful, "size of the picture"},
    {0xa003, PartClass::useful, "size of the picture"},
    {0xa20e, PartClass::useful, "resolution"},
    {0xa20f, PartClass::useful, "resolution"},
    {0xa210, PartClass::useful, "resolution"},
    {0xa217, PartClass::useful, "kind of sensor"},
    {0xa300, PartClass::useful, "kind of device"},
    {0xa301, PartClass::useful, "kind of scene"},
    {0xa401, PartClass::useful, "processing"},
    {0xa402, PartClass::useful, "exposure"},
    {0xa403, PartClass::useful, "colours"},
    {0xa404, PartClass::useful, "digital zoom"},
    {0xa405, PartClass::useful, "focal length"},
    {0xa406, PartClass::useful, "kind of scene"},
    {0xa407, PartClass::useful, "exposure"},
    {0xa408, PartClass::useful, "processing"},
    {0xa409, PartClass::useful, "processing"},
    {0xa40a, PartClass::useful, "processing"},
    {0xa40c, PartClass::useful, "kind of scene"},
    {0xa420, PartClass::identity, "number of this picture"},
    {0xa430, PartClass::identity, "owner of the camera"},
    {0xa431, PartClass::identity, "serial number of the camera"},
    {0xa432, PartClass::useful, "focal lengths of the lens"},
    {0xa433, PartClass::identity, "maker of the lens"},
    {0xa434, PartClass::identity, "model of the lens"},
    {0xa435, PartClass::identity, "serial number of the lens"},
    {0xa437, PartClass::identity, "photographer"},
    {0xa438, PartClass::identity, "editor of the picture"},
    {0xa439, PartClass::identity, "firmware of the camera"},
    {0xa43a, PartClass::identity, "software"},
    {0xa43b, PartClass::identity, "software"},
    {0xa43c, PartClass::identity, "software"},
    {0xa460, PartClass::useful, "kind of picture"},
    {0xa500, PartClass::useful, "colours"},
    {0xfde8, PartClass::identity, "owner of the camera"},
    {0xfde9, PartClass::identity, "serial number of the camera"},
    {0xfdea, PartClass::identity, "model of the lens"},
};

// Of TIFF and DNG; the ranges of tags that describe the pixels follow below.
constexpr Rule tiff_rules[] = {
    {0xc614, PartClass::identity, "model of the camera"},
    {0xc615, PartClass::identity, "model of the camera"},
    {0xc62f, PartClass::identity, "serial number of the camera"},
    {0xc634, PartClass::unknown, "private data of the maker"},
    {0xc65d, PartClass::identity, "number of this picture"},
    {0xc68b, PartClass::identity, "name of the file"},
    {0xc6fe, PartClass::identity, "owner of the rights"},
    {0xc71b, PartClass::time, "time of the preview"},
    {0xc71c, PartClass::identity, "number of this picture"},
    {0xc71d, PartClass::identity, "number of this picture"},
    {0xc7a1, PartClass::identity, "name of the camera"},
};

struct Range {
  uint16_t first, last;
};
// Lists of numbers that a reader needs for the pixels: their form, where they are, colours, the
// corrections of DNG. All of their values are numbers, or the codes of operations (opcodes).
constexpr Range pixel_ranges[] = {
    {0x0107, 0x010a}, {0x0111, 0x0119}, {0x011d, 0x011f}, {0x0122, 0x0125}, {0x0129, 0x0129},
    {0x012d, 0x012d}, {0x013d, 0x0145}, {0x014a, 0x014a}, {0x014c, 0x014c}, {0x014e, 0x014e},
    {0x0150, 0x0150}, {0x0152, 0x0156}, {0x015b, 0x015b}, {0x0200, 0x0209}, {0x828d, 0x828e},
    {0x8773, 0x8773}, {0xc612, 0xc613}, {0xc616, 0xc62e}, {0xc630, 0xc633}, {0xc635, 0xc635},
    {0xc65a, 0xc65c}, {0xc68d, 0xc692}, {0xc6bf, 0xc6bf}, {0xc6c5, 0xc6c6}, {0xc6f7, 0xc6f7},
    {0xc6f9, 0xc6fd}, {0xc714, 0xc715}, {0xc71a, 0xc71a}, {0xc71e, 0xc726}, {0xc740, 0xc741},
    {0xc74e, 0xc74e}, {0xc761, 0xc761}, {0xc7a3, 0xc7a8},
};

constexpr uint16_t profile_tags[] = {0x8773, 0xc68f, 0xc691};
constexpr uint16_t operation_tags[] = {0xc740, 0xc741, 0xc74e};
constexpr uint16_t tag_jpeg_tables = 0x015b, tag_pattern = 0x828e, tag_planes = 0xc616;

struct GpsRule {
  const char* what;
  PartClass part_class = PartClass::place;
};
constexpr std::array<GpsRule, 32> gps_rules = {{
    {"position"},   {"position"},
    {"position"},   {"position"},
    {"position"},   {"altitude"},
    {"altitude"},   {"time of the position", PartClass::time},
    {"satellites"}, {"position"},
    {"position"},   {"accuracy"},
    {"speed"},      {"speed"},
    {"direction"},  {"direction"},
    {"direction"},  {"direction"},
    {"position"},   {"target"},
    {"target"},     {"target"},
    {"target"},     {"target"},
    {"target"},     {"target"},
    {"target"},     {"position"},
    {"position"},   {"time of the position", PartClass::time},
    {"position"},   {"accuracy"},
}};

size_t size_of(uint16_t type) {
  constexpr std::array<size_t, 13> sizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  return type < sizes.size() ? sizes[type] : 0;
}

bool is_text(uint16_t type) { return type == type_ascii; }
bool is_bytes(uint16_t type) {
  return type == type_byte || type == type_undefined || type == type_sbyte;
}

/// Whether it has some numbers and nothing else.
bool is_plain(const ExifTag& tag) {
  const size_t size = size_of(tag.type);
  if (size == 0 || is_text(tag.type)) return false;
  return tag.bytes.size() / size <= (is_bytes(tag.type) ? most_bytes : most_numbers);
}

/// The tables that the parts of a picture share, without anything else (TIFF technical note 2).
bool is_jpeg_tables(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  if (!reader.starts_with("\xff\xd8")) return false;
  while (!reader.starts_with("\xff\xd9")) {
    const bool begins = reader.u8() == 0xff;
    const int marker = reader.u8();
    const size_t length = reader.u16();
    const bool table = marker == jpeg::DQT || marker == jpeg::DHT || marker == jpeg::DRI;
    if (!begins || !table || length < 2 || !reader.ok()) return false;
    const auto content = reader.take(length - 2);
    if (!reader.ok() || !check_jpeg_table(marker, content)) return false;
  }
  return reader.remaining() == 0;
}

/// A list of operations (DNG 1.7, chapter 7), each with the length of its numbers.
bool is_operations(std::span<const uint8_t> bytes) {
  constexpr uint32_t last_known = 14;
  ByteReader reader(bytes);
  for (uint32_t count = reader.u32(); count > 0 && reader.ok(); --count) {
    const uint32_t id = reader.u32();
    reader.skip(8);
    reader.skip(reader.u32());
    if (id == 0 || id > last_known) return false;
  }
  return reader.ok() && reader.remaining() == 0;
}

/// Whether bytes are what a tag says. Those of other types are numbers.
bool fits_form(const ExifTag& tag) {
  if (!is_bytes(tag.type)) return true;
  const auto is = [&](uint16_t known) { return tag.tag == known; };
  if (std::ranges::any_of(profile_tags, is)) return is_colour_profile(tag.bytes);
  if (std::ranges::any_of(operation_tags, is)) return is_operations(tag.bytes);
  if (tag.tag == tag_jpeg_tables) return is_jpeg_tables(tag.bytes);
  // The colours of the sensor's pixels have numbers.
  constexpr uint8_t last_colour = 6;
  if (tag.tag == tag_pattern || tag.tag == tag_planes)
    return std::ranges::all_of(tag.bytes, [](uint8_t byte) { return byte <= last_colour; });
  return tag.bytes.size() <= most_bytes;
}

template <size_t n>
const Rule* find_rule(const Rule (&rules)[n], uint16_t tag) {
  const auto* found = std::ranges::lower_bound(rules, tag, {}, &Rule::tag);
  return found != std::end(rules) && found->tag == tag ? found : nullptr;
}

std::string text_of(std::span<const uint8_t> bytes) {
  std::string text(bytes.begin(), std::find(bytes.begin(), bytes.end(), 0));
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string number(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.9g", value);
}

double read_number(ByteReader& reader, uint16_t type, bool little) {
  const auto u16 = [&] { return little ? reader.u16_little() : reader.u16(); };
  const auto u32 = [&] { return little ? reader.u32_little() : reader.u32(); };
  switch (type) {
    case type_short:
      return u16();
    case type_sshort:
      return static_cast<int16_t>(u16());
    case type_long:
      return u32();
    case type_slong:
      return static_cast<int32_t>(u32());
    case type_rational: {
      const double numerator = u32();
      return numerator / u32();
    }
    case type_srational: {
      const double numerator = static_cast<int32_t>(u32());
      return numerator / static_cast<int32_t>(u32());
    }
    case type_float:
      return std::bit_cast<float>(u32());
    case type_double: {
      const uint64_t first = u32(), second = u32();
      return std::bit_cast<double>(little ? second << 32 | first : first << 32 | second);
    }
    default:
      return reader.u8();
  }
}

std::optional<PartRule> maker_rule(const Request& request, const ExifCamera& camera,
                                   const ExifTag& tag) {
  for (const Maker* maker : request.makers)
    if (std::optional<PartRule> rule = maker->exif_tag(camera.make, camera.model, tag)) return rule;
  return std::nullopt;
}

PartRule gps_rule(const ExifTag& tag, bool little) {
  if (tag.tag >= gps_rules.size()) return {PartClass::unknown, "private data", {}};
  const GpsRule& rule = gps_rules[tag.tag];
  return {rule.part_class, rule.what, exif_value(tag, little)};
}

}  // namespace

ExifIfd exif_ifd(Directory directory) {
  switch (directory) {
    case Directory::image:
      return EXIF_IFD_0;
    case Directory::thumbnail:
      return EXIF_IFD_1;
    case Directory::exif:
      return EXIF_IFD_EXIF;
    case Directory::gps:
      return EXIF_IFD_GPS;
    case Directory::interoperability:
      return EXIF_IFD_INTEROPERABILITY;
  }
  return EXIF_IFD_COUNT;
}

std::string exif_tag_name(Directory directory, uint16_t tag) {
  const char* name = exif_tag_get_name_in_ifd(static_cast<::ExifTag>(tag), exif_ifd(directory));
  if (name && *name) return name;
  char text[8];
  std::snprintf(text, sizeof text, "0x%04x", tag);
  return text;
}

std::string exif_value(const ExifTag& tag, bool little) {
  constexpr std::string_view charset("ASCII\0\0\0", 8);
  std::span<const uint8_t> bytes = tag.bytes;
  if (tag.type == type_undefined && ByteReader(bytes).starts_with(charset))
    return text_of(bytes.subspan(charset.size()));
  if (is_text(tag.type)) return text_of(bytes);
  if (tag.directory == Directory::gps && tag.type == type_rational && bytes.size() == 24 &&
      tag.tag != 0x07)
    if (const std::optional<double> angle = parse_rational_angle(bytes, little))
      return number(*angle);
  const auto is_digit = [](uint8_t byte) { return byte >= '0' && byte <= '9'; };
  if (tag.type == type_undefined && bytes.size() == most_bytes &&
      std::ranges::all_of(bytes, is_digit))
    return {bytes.begin(), bytes.end()};
  const size_t size = size_of(tag.type);
  if (size == 0 || (is_bytes(tag.type) && bytes.size() > most_bytes))
    return std::to_string(bytes.size()) + " bytes";
  std::string text;
  ByteReader reader(bytes);
  while (reader.remaining() >= size && text.size() < longest_shown)
    text += (text.empty() ? "" : " ") + number(read_number(reader, tag.type, little));
  return text;
}

ExifCamera camera_of(const Tiff& tiff) {
  const auto name = [&](uint16_t tag) {
    const TiffEntry* entry = tiff.find(tag);
    return entry && entry->size <= longest_name ? tiff.text(tag) : std::string();
  };
  return {name(0x010f), name(0x0110)};
}

PartRule exif_rule(const Request& request, const ExifCamera& camera, const ExifTag& tag,
                   bool little) {
  if (std::optional<PartRule> rule = maker_rule(request, camera, tag)) {
    if (rule->value.empty()) rule->value = exif_value(tag, little);
    return *rule;
  }
  if (tag.directory == Directory::gps) return gps_rule(tag, little);
  const std::string value = exif_value(tag, little);
  if (tag.directory == Directory::interoperability)
    return tag.tag <= 2 && tag.bytes.size() <= most_bytes
               ? PartRule{PartClass::useful, "colours", value}
               : PartRule{PartClass::unknown, "private data", value};
  switch (tag.tag) {
    case 0x927c:
      return {PartClass::unknown, "private data of the maker", value};
    case 0x9286:
      return {PartClass::unknown, "comment", value};
    case 0x010e:
      return {PartClass::unknown, "description", value};
    default:
      break;
  }
  const Rule* rule = find_rule(image_rules, tag.tag);
  if (!rule || (rule->part_class == PartClass::useful && !is_plain(tag)))
    return {PartClass::unknown, "not known", value};
  return {rule->part_class, rule->what, value};
}

bool is_profile_tag(uint16_t tag) {
  return std::ranges::find(profile_tags, tag) != std::end(profile_tags);
}

bool has_own_form(uint16_t tag) {
  return is_profile_tag(tag) ||
         std::ranges::find(operation_tags, tag) != std::end(operation_tags) ||
         tag == tag_jpeg_tables;
}

PartRule tiff_rule(const Request& request, const ExifCamera& camera, const ExifTag& tag,
                   bool little) {
  PartRule rule = exif_rule(request, camera, tag, little);
  if (rule.part_class != PartClass::unknown || tag.directory == Directory::gps ||
      tag.directory == Directory::interoperability)
    return rule;
  if (const Rule* known = find_rule(tiff_rules, tag.tag))
    return {known->part_class, known->what, rule.value};
  const bool pixels = std::ranges::any_of(pixel_ranges, [&](const Range& range) {
    return tag.tag >= range.first && tag.tag <= range.last;
  });
  // A range may have a text in it.
  if (pixels && size_of(tag.type) != 0 && !is_text(tag.type) && fits_form(tag))
    return {PartClass::useful, "form of the pixels", {}};
  return rule;
}

bool names_somebody(const ExifTag& tag) {
  if (!is_text(tag.type)) return false;
  const std::string text = text_of(tag.bytes);
  switch (tag.tag) {
    case 0x0131:
    case 0x000b:
    case 0xa439: {
      // Some cameras put their serial number there.
      const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
      return static_cast<size_t>(digits) > most_version_digits;
    }
    case 0x010d:
    case 0x013b:
    case 0x013c:
    case 0x8298:
    case 0xa420:
    case 0xa430:
    case 0xa431:
    case 0xa435:
    case 0xa437:
    case 0xa438:
    case 0xc62f:
    case 0xc68b:
    case 0xfde8:
    case 0xfde9:
      // A shorter text is found everywhere.
      return text.size() >= 4;
    default:
      return false;
  }
}

std::optional<Directory> pointed_directory(Directory in, uint16_t tag) {
  constexpr uint16_t exif_pointer = 0x8769, interoperability_pointer = 0xa005;
  if (in == Directory::gps || in == Directory::interoperability) return std::nullopt;
  switch (tag) {
    case exif_pointer:
      return Directory::exif;
    case gps_pointer:
      return Directory::gps;
    case interoperability_pointer:
      return Directory::interoperability;
    default:
      return std::nullopt;
  }
}

void note_positions(const Tiff& tiff, const TiffDirectory& gps, Findings* findings) {
  const auto bytes_of = [&](uint16_t tag) -> std::vector<uint8_t> {
    for (const TiffEntry& entry : gps.entries)
      if (entry.tag == tag && entry.size <= 24) return tiff.bytes(entry);
    return {};
  };
  // Of the place of the camera, and of what it looks at.
  for (const uint16_t first : {0x01, 0x13}) {
    const std::vector<uint8_t> down = bytes_of(first), latitude = bytes_of(first + 1),
                               left = bytes_of(first + 2), longitude = bytes_of(first + 3);
    const std::vector<uint8_t> altitude = first == 1 ? bytes_of(0x06) : std::vector<uint8_t>();
    // The Mi Sphere wrote the bytes of its rationals in the other order.
    for (const bool little : {tiff.little(), !tiff.little()}) {
      const std::optional<double> north = parse_rational_angle(latitude, little),
                                  east = parse_rational_angle(longitude, little);
      if (!north || !east) continue;
      Position position{*north, *east, std::nullopt};
      if (!down.empty() && (down[0] == 'S' || down[0] == 's'))
        position.latitude = -position.latitude;
      if (!left.empty() && (left[0] == 'W' || left[0] == 'w'))
        position.longitude = -position.longitude;
      if (altitude.size() == 8) {
        ByteReader reader(altitude);
        const double height = read_number(reader, type_rational, little);
        if (std::isfinite(height)) position.altitude = height;
      }
      if (is_position(position)) findings->position(position);
      // In the right order, the denominators are small numbers.
      ByteReader denominator(latitude);
      denominator.skip(4);
      const uint32_t value = little ? denominator.u32_little() : denominator.u32();
      if (value < 1 << 24) break;
    }
  }
}

}  // namespace sphere::media

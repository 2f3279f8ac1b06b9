// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes Exif like MADV's cameras: the directories and tags are those of a real photo of the
// firmware 1.3.107.115.5.18497, in its order.

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>

#include "gst/sphere/makers/madv_bytes.h"
#include "gst/sphere/makers/madv_format.h"
#include "gst/sphere/makers/madv_write.h"

namespace sphere::makers::madv {

namespace {

enum Type : uint16_t {
  type_byte = 1,
  type_ascii = 2,
  type_short = 3,
  type_long = 4,
  type_rational = 5,
  type_undefined = 7,
  type_signed_rational = 10,
};

struct Entry {
  uint16_t tag;
  Type type;
  uint32_t count;
  Bytes value;
  bool by_offset = false;  // the value of the tag is the offset of these bytes
};
using Directory = std::vector<Entry>;

Entry text(uint16_t tag, std::string_view words) {
  Bytes value(words.begin(), words.end());
  value.push_back(0);
  const auto count = static_cast<uint32_t>(value.size());
  return {tag, type_ascii, count, std::move(value)};
}
Entry number(uint16_t tag, Type type, uint32_t value) {
  Bytes bytes;
  put_little(bytes, value, type == type_short ? 2 : 4);
  return {tag, type, 1, std::move(bytes)};
}
Entry small(uint16_t tag, uint32_t value) { return number(tag, type_short, value); }
Entry large(uint16_t tag, uint32_t value) { return number(tag, type_long, value); }
Entry rationals(uint16_t tag, Bytes value) {
  const auto count = static_cast<uint32_t>(value.size() / 8);
  return {tag, type_rational, count, std::move(value)};
}
Entry rational(uint16_t tag, uint32_t value, uint32_t parts, Type type = type_rational) {
  Bytes bytes;
  put_rational(bytes, value, parts);
  return {tag, type, 1, std::move(bytes)};
}
Entry raw(uint16_t tag, Bytes value) {
  const auto count = static_cast<uint32_t>(value.size());
  return {tag, type_undefined, count, std::move(value)};
}
/// All four bytes of the value field with a count of one byte, as in real photos.
Entry field(uint16_t tag, const std::array<uint8_t, 4>& bytes) {
  return {tag, type_undefined, 1, Bytes(bytes.begin(), bytes.end())};
}

Entry smalls(uint16_t tag, std::initializer_list<uint32_t> values) {
  Bytes bytes;
  for (const uint32_t value : values) put_little(bytes, value, 2);
  return {tag, type_short, static_cast<uint32_t>(values.size()), std::move(bytes)};
}
Entry bytes(uint16_t tag, Bytes value) {
  const auto count = static_cast<uint32_t>(value.size());
  return {tag, type_byte, count, std::move(value)};
}
/// Bytes somewhere in the file, where the tag says.
Entry elsewhere(uint16_t tag, Bytes value) { return {tag, type_long, 1, std::move(value), true}; }

constexpr uint16_t tag_gps = 0x8825, tag_interoperability = 0xA005;

/// The directories, one after the other, then the values that don't fit into their entries. An
/// entry of one of `links` gets the offset of the directory with this index; the directory `next`
/// follows the first one.
struct Link {
  uint16_t tag;
  size_t directory;
};
Bytes lay_out(std::vector<Directory> directories, std::span<const Link> links, size_t next) {
  std::vector<size_t> offsets;
  size_t behind = 8;
  for (const Directory& directory : directories) {
    offsets.push_back(behind);
    behind += 2 + directory.size() * 12 + 4;
  }
  Bytes out = {'I', 'I', 42, 0}, values;
  put_little(out, 8, 4);
  for (size_t i = 0; i < directories.size(); ++i) {
    put_little(out, directories[i].size(), 2);
    for (Entry& entry : directories[i]) {
      for (const Link& link : links)
        if (link.tag == entry.tag && (i == 0 || entry.tag == tag_interoperability))
          entry = large(entry.tag, static_cast<uint32_t>(offsets[link.directory]));
      put_little(out, entry.tag, 2);
      put_little(out, entry.type, 2);
      put_little(out, entry.count, 4);
      if (entry.value.size() > 4 || entry.by_offset) {
        put_little(out, behind + values.size(), 4);
        append(values, entry.value);
        if (values.size() % 2) values.push_back(0);
      } else {
        append(out, entry.value);
        out.resize(out.size() + 4 - entry.value.size());
      }
    }
    put_little(out, i == 0 && next ? offsets[next] : 0, 4);
  }
  append(out, values);
  return out;
}

Directory gps_directory(const std::optional<Position>& position) {
  Directory gps = {{0, type_byte, 4, {2, 2, 0, 0}}};
  if (!position) return gps;
  gps.push_back(text(1, position->latitude < 0 ? "S" : "N"));
  gps.push_back(rationals(2, angle_bytes(position->latitude)));
  gps.push_back(text(3, position->longitude < 0 ? "W" : "E"));
  gps.push_back(rationals(4, angle_bytes(position->longitude)));
  if (position->altitude) {
    gps.push_back({5, type_byte, 1, {static_cast<uint8_t>(*position->altitude < 0)}});
    gps.push_back(rationals(6, altitude_bytes(*position->altitude)));
  }
  return gps;
}

/// The tags of Exif that a real photo has before the matrix. The values are those of a photo in
/// daylight.
Directory tags_before(const CaptureFacts& facts) {
  Bytes maker(64);
  constexpr std::string_view mark = "ABMA";
  std::copy(mark.begin(), mark.end(), maker.begin());
  return {
      rational(0x829A, 5546, 1000000),
      rational(0x829D, 200, 100),
      small(0x8822, 0),
      small(0x8827, 50),
      small(0x8830, 3),
      large(0x8833, 50),
      raw(0x9000, {'0', '2', '3', '0'}),
      text(0x9003, facts.date),
      text(0x9004, facts.date),
      raw(0x9101, {1, 2, 3, 0}),
      rational(0x9102, 0, 0),
      rational(0x9201, 0, 0, type_signed_rational),
      rational(0x9202, 0, 0),
      rational(0x9204,
               static_cast<uint32_t>(static_cast<int32_t>(std::lround(facts.exposure_bias * 28))),
               28, type_signed_rational),
      rational(0x9205, 0, 0),
      rational(0x9206, 0, 0),
      small(0x9207, 2),
      small(0x9208, 0),
      small(0x9209, 0),
      rational(0x920A, 0, 0),
      raw(0x927C, std::move(maker))};
}
/// Those between the matrix and the two fields with the marks, and after them.
Directory tags_between(const CaptureFacts& facts) {
  return {raw(0xA000, {0, 0, 0, 0}),
          small(0xA001, 66),
          large(0xA002, static_cast<uint32_t>(facts.width)),
          large(0xA003, static_cast<uint32_t>(facts.height)),
          large(tag_interoperability, 0),
          rational(0xA215, 0, 0),
          small(0xA217, 0)};
}
Directory tags_after() {
  return {small(0xA401, 0), small(0xA402, 0), small(0xA403, 0), rational(0xA404, 0, 0),
          small(0xA405, 0), small(0xA406, 0), small(0xA407, 0), small(0xA408, 99),
          small(0xA409, 0), small(0xA40A, 0), raw(0xA40B, {}),  small(0xA40C, 0)};
}

/// The tags of the picture of a sensor, for DNG 1.4.
Directory raw_tags(const RawPicture& picture) {
  Bytes samples;
  samples.reserve(picture.samples.size() * 2);
  for (const uint16_t sample : picture.samples) put_little(samples, sample, 2);
  const auto size = static_cast<uint32_t>(samples.size());
  // The samples are those of sRGB, without its curve: from XYZ to it, in 1/10000.
  constexpr std::array<int32_t, 9> from_xyz = {32405, -15371, -4985, -9693, 18760,
                                               416,   556,    -2040, 10572};
  Bytes matrix, neutral;
  for (const int32_t value : from_xyz) put_rational(matrix, static_cast<uint32_t>(value), 10000);
  for (int i = 0; i < 3; ++i) put_rational(neutral, 1, 1);
  return {large(0x00FE, 0),
          large(0x0100, static_cast<uint32_t>(picture.width)),
          large(0x0101, static_cast<uint32_t>(picture.height)),
          small(0x0102, 16),
          small(0x0103, 1),
          small(0x0106, 32803),
          elsewhere(0x0111, std::move(samples)),
          small(0x0115, 1),
          large(0x0116, static_cast<uint32_t>(picture.height)),
          large(0x0117, size),
          small(0x011C, 1),
          smalls(0x828D, {2, 2}),
          bytes(0x828E, {0, 1, 1, 2}),
          bytes(0xC612, {1, 4, 0, 0}),
          bytes(0xC613, {1, 1, 0, 0}),
          text(0xC614, "QJXJ01FJ"),
          small(0xC61A, 0),
          small(0xC61D, raw_white),
          {0xC621, type_signed_rational, static_cast<uint32_t>(from_xyz.size()), std::move(matrix)},
          rationals(0xC628, std::move(neutral)),
          small(0xC65A, 21)};
}

Bytes make_structure(const CameraData& data, bool with_table, const RawPicture* picture) {
  constexpr std::array<uint8_t, 4> none = {}, fisheye = {0, 0, 0x59, 0x54},
                                   has_table = {0, 0, 0, 0x59};
  const CaptureFacts* facts = data.facts ? &*data.facts : nullptr;
  const auto join = [](Directory& to, Directory more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  const auto resolution = [](Directory& of) {
    of.push_back(rational(0x011A, 72, 1));
    of.push_back(rational(0x011B, 72, 1));
    of.push_back(small(0x0128, 2));
  };

  Directory camera;
  if (facts) camera.push_back(text(0x010E, ""));
  camera.push_back(text(tag_make, make));
  camera.push_back(text(tag_model, "QJXJ01FJ"));
  if (facts) {
    resolution(camera);
    camera.push_back(text(0x0131, facts->device_id + "/" + facts->serial + ";" + facts->firmware));
    camera.push_back(text(0x0132, facts->date));
    camera.push_back(small(0x0213, 1));
  }
  camera.push_back(large(tag_exif, 0));
  if (facts) camera.push_back(large(tag_gps, 0));
  if (with_table && !data.lens_table.empty()) camera.push_back(raw(tag_table, data.lens_table));
  if (picture) {
    join(camera, raw_tags(*picture));
    std::ranges::stable_sort(camera, {}, &Entry::tag);
  }

  Directory exif;
  if (facts) join(exif, tags_before(*facts));
  if (!data.matrices.empty()) {
    Bytes value;
    put_matrix(value, data.matrices.front());
    exif.push_back(raw(tag_comment, std::move(value)));
  }
  if (facts) join(exif, tags_between(*facts));
  exif.push_back(field(tag_file_source, data.lens_table.empty() ? none : has_table));
  exif.push_back(field(tag_scene_type, data.stitched ? none : fisheye));
  if (facts) join(exif, tags_after());

  std::vector<Directory> directories = {std::move(camera), std::move(exif)};
  std::vector<Link> links = {{tag_exif, 1}};
  size_t next = 0;
  if (facts) {
    links.insert(links.end(), {{tag_interoperability, 2}, {tag_gps, 3}});
    directories.push_back({text(1, "R98"), raw(2, {'0', '1', '0', '0'})});
    directories.push_back(gps_directory(facts->position));
    if (!facts->thumbnail.empty()) {
      Directory thumbnail = {small(0x0103, 6)};
      resolution(thumbnail);
      thumbnail.push_back(elsewhere(0x0201, facts->thumbnail));
      thumbnail.push_back(large(0x0202, static_cast<uint32_t>(facts->thumbnail.size())));
      next = directories.size();
      directories.push_back(std::move(thumbnail));
    }
  }
  return lay_out(std::move(directories), links, next);
}

}  // namespace

Bytes make_tiff(const CameraData& data, bool with_table) {
  return make_structure(data, with_table, nullptr);
}

Bytes make_dng(const CameraData& data, const RawPicture& picture) {
  return make_structure(data, true, &picture);
}

Result<Bytes> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data) {
  if (file.size() < 2 || file[0] != 0xFF || file[1] != 0xD8) return invalid("not a JPEG");
  constexpr std::string_view mark("Exif\0\0", 6);
  const Bytes tiff = make_tiff(data, false);
  if (2 + mark.size() + tiff.size() > UINT16_MAX) return unsupported("the thumbnail is too large");
  Bytes out(file.begin(), file.begin() + 2);
  out.insert(out.end(), {0xFF, 0xE1});
  put_big(out, 2 + mark.size() + tiff.size(), 2);
  out.insert(out.end(), mark.begin(), mark.end());
  append(out, tiff);
  append(out, file.subspan(2));
  if (!data.lens_table.empty()) {
    append(out, data.lens_table);
    put_little(out, data.lens_table.size(), 4);
  }
  return out;
}

}  // namespace sphere::makers::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the records tell that Insta360's cameras append to their files.

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/makers/insta360.h"
#include "gst/sphere/makers/makers.h"

namespace sphere::makers {

namespace {

using media::Part;
using media::PartClass;
using media::RangeSource;
using media::Source;
using media::Traces;

constexpr uint64_t tail_size = 78, footer_size = 6, gps_size = 53;
constexpr int most_records = 1000;
// Bytes of a record that are searched for positions and names.
constexpr uint64_t most_read = 16 << 20;

enum Record : uint16_t {
  record_index = 0x0000,
  record_device = 0x0101,
  record_preview = 0x0200,
  record_motion = 0x0300,
  record_exposure = 0x0400,
  record_times = 0x0600,
  record_places = 0x0700,
};

double read_double(ByteReader& reader) {
  const uint64_t low = reader.u32_little();
  return std::bit_cast<double>(uint64_t{reader.u32_little()} << 32 | low);
}

void read_places(std::span<const uint8_t> bytes, Part* part, Traces* traces) {
  part->count = std::max<uint64_t>(1, bytes.size() / gps_size);
  for (uint64_t at = 0; at + gps_size <= bytes.size(); at += gps_size) {
    ByteReader reader(bytes.subspan(static_cast<size_t>(at)));
    reader.skip(11);
    const double latitude = read_double(reader);
    const bool south = reader.u8() == 'S';
    const double longitude = read_double(reader);
    const uint8_t side = reader.u8();
    const bool west = side == 'W' || side == 'O';
    if (!(std::abs(latitude) <= 90) || !(std::abs(longitude) <= 180)) continue;
    traces->add({south ? -latitude : latitude, west ? -longitude : longitude, std::nullopt});
  }
}

/// Tags of one byte with lengths of one byte.
void read_device(std::span<const uint8_t> bytes, Part* part, Traces* traces) {
  constexpr uint8_t serial_tag = 0x0a;
  ByteReader reader(bytes);
  while (reader.remaining() >= 2) {
    const uint8_t tag = reader.u8();
    const std::span<const uint8_t> value = reader.take(reader.u8());
    if (tag != serial_tag || value.empty()) continue;
    part->value.assign(value.begin(), value.end());
    traces->add_identity(part->value);
    part->value = printable(part->value);
  }
}

Part describe(uint16_t id, std::span<const uint8_t> bytes, Traces* traces) {
  Part part;
  part.path = "Insta360/" + std::to_string(id);
  switch (id) {
    case record_device:
      part.part_class = PartClass::identity;
      part.what = "serial number of the camera, and its lens";
      read_device(bytes, &part, traces);
      break;
    case record_places:
      part.part_class = PartClass::place;
      part.what = "positions";
      read_places(bytes, &part, traces);
      break;
    case record_motion:
      part.part_class = PartClass::stitching;
      part.what = "motion of the camera";
      break;
    case record_times:
      part.part_class = PartClass::time;
      part.what = "times";
      break;
    case record_preview:
      part.what = "small picture";
      break;
    default:
      part.what = "private data of the maker";
      break;
  }
  return part;
}

class Insta360Maker : public media::Maker {
 public:
  bool trailer(const Source& whole, uint64_t end, uint64_t* begin, std::vector<Part>* parts,
               Traces* traces) const override {
    const RangeSource source(whole, 0, end);
    const uint64_t length = insta360::trailer_length(source);
    if (length == 0) return false;
    *begin = end - length;
    uint64_t rest = end;
    // The first footer is a part of the tail.
    uint64_t footer = end - tail_size;
    for (int records = 0; records < most_records && footer > *begin; ++records) {
      uint8_t bytes[footer_size];
      if (!source.read_all(footer, bytes)) break;
      ByteReader reader(bytes);
      const uint16_t id = reader.u16_little();
      const uint64_t size = reader.u32_little();
      if (size > footer - *begin) break;
      std::vector<uint8_t> content(static_cast<size_t>(std::min(size, most_read)));
      if (!source.read_all(footer - size, content)) break;
      Part part = describe(id, content, traces);
      part.offset = footer - size;
      part.length = rest - part.offset;
      rest = part.offset;
      parts->push_back(std::move(part));
      if (footer - size < *begin + footer_size) break;
      footer = footer - size - footer_size;
    }
    if (rest > *begin)
      parts->push_back(
          {*begin, rest - *begin, "Insta360", PartClass::unknown, "private data of the maker", {}});
    return true;
  }
};

}  // namespace

const media::Maker& insta360_maker() {
  static const Insta360Maker maker;
  return maker;
}

}  // namespace sphere::makers

// SPDX-License-Identifier: LGPL-2.1-or-later
// SMPTE ST 336 (keys, lengths), MISB ST 0601 (items, checksum).

#include "plugins/privacy/klv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/consent/position.h"

namespace sphere::privacy {

namespace {

using media::PartClass;
using Bytes = std::vector<uint8_t>;

constexpr std::array<uint8_t, 16> local_set = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01,
                                               0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00};
constexpr uint32_t checksum_item = 1;

/// BER: one byte below 128, or the number of bytes that follow.
std::optional<size_t> read_length(ByteReader& reader) {
  const uint8_t first = reader.u8();
  if (first < 0x80) return reader.ok() ? std::optional<size_t>(first) : std::nullopt;
  const size_t count = first & 0x7f;
  if (count == 0 || count > 4) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) length = length << 8 | reader.u8();
  return reader.ok() ? std::optional(length) : std::nullopt;
}

void append_length(Bytes* to, size_t length) {
  if (length < 0x80) {
    to->push_back(static_cast<uint8_t>(length));
    return;
  }
  constexpr size_t bytes = 4;
  to->push_back(0x80 | bytes);
  for (size_t i = bytes; i-- > 0;) to->push_back(static_cast<uint8_t>(length >> (8 * i)));
}

/// BER-OID: seven bits a byte.
std::optional<uint32_t> read_tag(ByteReader& reader) {
  uint32_t tag = 0;
  for (int i = 0; i < 4; ++i) {
    const uint8_t byte = reader.u8();
    tag = tag << 7 | (byte & 0x7f);
    if ((byte & 0x80) == 0) return reader.ok() ? std::optional(tag) : std::nullopt;
  }
  return std::nullopt;
}

enum class Degrees { none, latitude, longitude };

/// Items of four bytes that are a latitude or a longitude.
Degrees degrees_of(uint32_t tag) {
  for (const uint32_t latitude : {13u, 23u, 40u, 67u, 82u, 84u, 86u, 88u}) {
    if (tag == latitude) return Degrees::latitude;
    if (tag == latitude + 1) return Degrees::longitude;
  }
  return Degrees::none;
}

PartClass class_of(uint32_t tag) {
  constexpr auto identities = std::to_array<uint32_t>({3, 4, 10, 59, 70});
  constexpr auto places = std::to_array<uint32_t>({5,  15, 21, 22, 25, 26, 27, 28, 29, 30,  31, 32,
                                                   33, 42, 56, 57, 64, 69, 75, 78, 96, 103, 104});
  if (degrees_of(tag) != Degrees::none) return PartClass::place;
  switch (tag) {
    case checksum_item:
    case 65:  // version of the standard
      return PartClass::useful;
    case 2:
    case 72:
      return PartClass::time;
    default:
      if (std::ranges::find(identities, tag) != identities.end()) return PartClass::identity;
      if (std::ranges::find(places, tag) != places.end()) return PartClass::place;
      return PartClass::unknown;
  }
}

/// The degrees, mapped to the whole range of a number of four bytes.
Bytes rounded(std::span<const uint8_t> value, Degrees kind, consent::Precision precision) {
  const auto number = static_cast<int32_t>(ByteReader(value).u32());
  if (number == std::numeric_limits<int32_t>::min()) return {value.begin(), value.end()};
  const double scale =
      (kind == Degrees::latitude ? 90.0 : 180.0) / std::numeric_limits<int32_t>::max();
  const Position exact{kind == Degrees::latitude ? number * scale : 0,
                       kind == Degrees::longitude ? number * scale : 0, std::nullopt};
  const Position coarse = consent::rounded(exact, precision);
  const double degrees = kind == Degrees::latitude ? coarse.latitude : coarse.longitude;
  const double most = std::numeric_limits<int32_t>::max();
  const auto out = static_cast<uint32_t>(
      static_cast<int32_t>(std::clamp(std::round(degrees / scale), -most, most)));
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(out >> shift));
  return bytes;
}

/// The items of a local set. Nothing if it is damaged. `all`: nothing was left out or changed.
std::optional<Bytes> allowed_items(std::span<const uint8_t> bytes, const Allowance& allowance,
                                   bool* all, bool* checksum) {
  const media::Policy policy = allowance.policy();
  ByteReader reader(bytes);
  Bytes out;
  while (reader.remaining() > 0) {
    const size_t begin = reader.position();
    const auto tag = read_tag(reader);
    const auto length = tag ? read_length(reader) : std::nullopt;
    if (!length || *length > reader.remaining()) return std::nullopt;
    const size_t value_at = reader.position();
    const auto value = reader.take(*length);
    if (*tag == checksum_item) {
      *checksum = true;
      continue;
    }
    const PartClass part_class = class_of(*tag);
    const Degrees degrees = degrees_of(*tag);
    const auto head = bytes.subspan(begin, value_at - begin);
    if (allowance.everything() || policy.allows(part_class)) {
      out.insert(out.end(), head.begin(), head.end());
      out.insert(out.end(), value.begin(), value.end());
      continue;
    }
    *all = false;
    constexpr size_t degrees_size = 4;
    if (!allowance.place || degrees == Degrees::none || value.size() != degrees_size) continue;
    const Bytes coarse = rounded(value, degrees, allowance.precision);
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), coarse.begin(), coarse.end());
  }
  return out;
}

/// The sum of all bytes, alternately high and low, up to the checksum's value.
uint16_t checksum_of(std::span<const uint8_t> packet) {
  uint16_t sum = 0;
  for (size_t i = 0; i < packet.size(); ++i)
    sum = static_cast<uint16_t>(sum + (packet[i] << (8 * ((i + 1) % 2))));
  return sum;
}

Bytes packet_of(Bytes items, bool checksum) {
  constexpr uint8_t checksum_size = 2;
  Bytes packet(local_set.begin(), local_set.end());
  append_length(&packet, items.size() + (checksum ? 2 + checksum_size : 0));
  packet.insert(packet.end(), items.begin(), items.end());
  if (!checksum) return packet;
  packet.insert(packet.end(), {uint8_t{checksum_item}, checksum_size});
  const uint16_t sum = checksum_of(packet);
  packet.insert(packet.end(), {static_cast<uint8_t>(sum >> 8), static_cast<uint8_t>(sum)});
  return packet;
}

}  // namespace

std::vector<uint8_t> allowed_klv(std::span<const uint8_t> bytes, const Allowance& allowance) {
  if (allowance.everything()) return {bytes.begin(), bytes.end()};
  ByteReader reader(bytes);
  Bytes out;
  while (reader.remaining() > 0) {
    const size_t begin = reader.position();
    const auto key = reader.take(local_set.size());
    const auto length = read_length(reader);
    if (!reader.ok() || !length || *length > reader.remaining()) return {};
    const auto content = reader.take(*length);
    // Sets that are not known may tell anything.
    if (!std::ranges::equal(key, local_set)) continue;
    bool all = true, checksum = false;
    auto items = allowed_items(content, allowance, &all, &checksum);
    if (!items) return {};
    if (all) {
      const auto whole = bytes.subspan(begin, reader.position() - begin);
      out.insert(out.end(), whole.begin(), whole.end());
    } else if (!items->empty()) {
      const Bytes packet = packet_of(std::move(*items), checksum);
      out.insert(out.end(), packet.begin(), packet.end());
    }
  }
  return out;
}

}  // namespace sphere::privacy

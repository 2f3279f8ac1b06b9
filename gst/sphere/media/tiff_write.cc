// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/tiff_write.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string_view>

#include "gst/sphere/media/place.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint16_t type_byte = 1, type_ascii = 2, type_long = 4, type_rational = 5;
constexpr uint16_t gps_tag = 0x8825;
// Millimetres.
constexpr uint32_t altitude_parts = 1000;
constexpr int64_t second_us = 1'000'000;

void append(Bytes* bytes, uint64_t value, int size, bool little) {
  for (int i = 0; i < size; ++i)
    bytes->push_back(static_cast<uint8_t>(value >> 8 * (little ? i : size - 1 - i)));
}

TiffValue text_value(uint16_t tag, std::string_view text) {
  TiffValue value{tag, type_ascii, static_cast<uint32_t>(text.size()) + 1, {}};
  value.bytes.assign(text.begin(), text.end());
  value.bytes.push_back(0);
  return value;
}

template <typename Rationals>
TiffValue rational_value(uint16_t tag, const Rationals& rationals, bool little) {
  TiffValue value{tag, type_rational, static_cast<uint32_t>(std::size(rationals)), {}};
  for (const Rational& rational : rationals) {
    append(&value.bytes, rational.numerator, 4, little);
    append(&value.bytes, rational.denominator, 4, little);
  }
  return value;
}

/// Bytes that are appended, and where they will be.
struct Appendix {
  uint64_t begin;
  bool little;
  Bytes bytes;

  uint32_t end() const { return static_cast<uint32_t>(begin + bytes.size()); }
  void align() {
    if (end() & 1) bytes.push_back(0);
  }
  /// Puts the value into its entry, or appends it.
  TiffEntry add(const TiffValue& value) {
    TiffEntry entry;
    entry.tag = value.tag;
    entry.type = value.type;
    entry.count = value.count;
    entry.size = value.bytes.size();
    if (entry.inside()) {
      std::ranges::copy(value.bytes, entry.field.begin());
      return entry;
    }
    align();
    Bytes field;
    append(&field, end(), 4, little);
    std::ranges::copy(field, entry.field.begin());
    bytes.insert(bytes.end(), value.bytes.begin(), value.bytes.end());
    return entry;
  }
  /// Returns where the directory is.
  uint32_t add(const std::vector<TiffEntry>& entries, uint32_t next) {
    align();
    const uint32_t here = end();
    const Bytes directory = directory_bytes(entries, little);
    bytes.insert(bytes.end(), directory.begin(), directory.end());
    append(&bytes, next, 4, little);
    return here;
  }
};

}  // namespace

std::vector<TiffValue> gps_values(const Position& position, std::optional<int64_t> time,
                                  bool little) {
  std::vector<TiffValue> values;
  values.push_back({0x00, type_byte, 4, {2, 3, 0, 0}});
  values.push_back(text_value(0x01, position.latitude < 0 ? "S" : "N"));
  values.push_back(rational_value(0x02, rational_angle(position.latitude), little));
  values.push_back(text_value(0x03, position.longitude < 0 ? "W" : "E"));
  values.push_back(rational_value(0x04, rational_angle(position.longitude), little));
  if (position.altitude) {
    const double parts = std::min(std::abs(*position.altitude) * altitude_parts, 4e9);
    const Rational height[] = {{static_cast<uint32_t>(std::lround(parts)), altitude_parts}};
    values.push_back({0x05, type_byte, 1, {static_cast<uint8_t>(*position.altitude < 0)}});
    values.push_back(rational_value(0x06, height, little));
  }
  std::tm date = {};
  const auto seconds = static_cast<std::time_t>(time ? *time / second_us : -1);
  const bool dated = time && *time >= 0 && gmtime_r(&seconds, &date) && date.tm_year + 1900 <= 9999;
  if (dated) {
    const auto part = static_cast<uint32_t>(*time % second_us);
    const auto second = static_cast<uint32_t>(date.tm_sec);
    const Rational clock[] = {{static_cast<uint32_t>(date.tm_hour), 1},
                              {static_cast<uint32_t>(date.tm_min), 1},
                              part ? Rational{second * static_cast<uint32_t>(second_us) + part,
                                              static_cast<uint32_t>(second_us)}
                                   : Rational{second, 1}};
    values.push_back(rational_value(0x07, clock, little));
  }
  values.push_back(text_value(0x12, "WGS-84"));
  if (dated) {
    char text[16];
    if (std::strftime(text, sizeof text, "%Y:%m:%d", &date) != 0)
      values.push_back(text_value(0x1d, text));
  }
  return values;
}

Bytes directory_bytes(const std::vector<TiffEntry>& entries, bool little) {
  Bytes bytes;
  append(&bytes, entries.size(), 2, little);
  for (const TiffEntry& entry : entries) {
    append(&bytes, entry.tag, 2, little);
    append(&bytes, entry.type, 2, little);
    append(&bytes, entry.count, 4, little);
    bytes.insert(bytes.end(), entry.field.begin(), entry.field.end());
  }
  return bytes;
}

std::vector<Edit> add_to_tiff(const Source& source, const Tiff& tiff,
                              const std::vector<TiffEntry>& kept,
                              const std::vector<TiffValue>& values,
                              const std::vector<TiffValue>& gps) {
  const bool little = tiff.little();
  const TiffDirectory old = tiff.directory(tiff.first());
  Appendix appendix{source.size(), little, {}};
  std::vector<TiffEntry> entries = kept;
  std::vector<TiffEntry> added;
  for (const TiffValue& value : values) added.push_back(appendix.add(value));
  if (!gps.empty()) {
    std::vector<TiffEntry> inner;
    for (const TiffValue& value : gps) inner.push_back(appendix.add(value));
    TiffValue pointer{gps_tag, type_long, 1, {}};
    append(&pointer.bytes, appendix.add(inner, 0), 4, little);
    added.push_back(appendix.add(pointer));
  }
  std::erase_if(entries, [&](const TiffEntry& entry) {
    return std::ranges::find(added, entry.tag, &TiffEntry::tag) != added.end();
  });
  entries.insert(entries.end(), added.begin(), added.end());
  std::ranges::stable_sort(entries, {}, &TiffEntry::tag);

  std::vector<Edit> edits;
  if (entries.size() <= old.entries.size()) {
    Bytes bytes = directory_bytes(entries, little);
    append(&bytes, old.next, 4, little);
    bytes.resize(static_cast<size_t>(old.length()));
    edits.push_back({old.offset, old.length(), std::move(bytes)});
  } else {
    Bytes offset;
    append(&offset, appendix.add(entries, old.next), 4, little);
    edits.push_back({4, 4, std::move(offset)});
    edits.push_back({old.offset, old.length(), {}, true});
  }
  if (!appendix.bytes.empty()) edits.push_back({source.size(), 0, std::move(appendix.bytes)});
  return edits;
}

}  // namespace sphere::media

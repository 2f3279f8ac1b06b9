// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/mpf.h"

#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

namespace {

constexpr uint16_t entries_tag = 0xb002;
// Of each picture: attributes, size, offset, and two numbers of others.
constexpr uint64_t entry_size = 16, size_offset = 4, place_offset = 8;

/// Adds to a number of 32 bits; false if there is no such number.
bool add(std::span<uint8_t> four, int64_t change, bool little) {
  int64_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= int64_t{four[i]} << 8 * (little ? i : 3 - i);
  value += change;
  if (value < 0 || value > UINT32_MAX) return false;
  for (size_t i = 0; i < 4; ++i) four[i] = static_cast<uint8_t>(value >> 8 * (little ? i : 3 - i));
  return true;
}

}  // namespace

bool move_pictures(std::span<uint8_t> tiff, int64_t longer, int64_t after) {
  const MemorySource source(tiff);
  const Result<Tiff> list = Tiff::open(source);
  const TiffEntry* entries = list ? list->find(entries_tag) : nullptr;
  if (!entries || entries->offset == 0) return false;
  for (uint64_t at = 0; at + entry_size <= entries->size; at += entry_size) {
    const std::span<uint8_t> entry =
        tiff.subspan(static_cast<size_t>(entries->offset + at), entry_size);
    // The first picture has no offset, the others have one.
    const std::span<uint8_t> number =
        at == 0 ? entry.subspan(size_offset, 4) : entry.subspan(place_offset, 4);
    if (!add(number, at == 0 ? longer : after, list->little())) return false;
  }
  return true;
}

}  // namespace sphere::media

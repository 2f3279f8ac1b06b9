// SPDX-License-Identifier: LGPL-2.1-or-later
// ITU-T H.264, D.1.3 and D.2.3.

#include "gst/sphere/media/picture_times.h"

#include <glib.h>

#include <array>

#include "gst/sphere/media/unit_bits.h"

namespace sphere::media {

namespace {

// How many time codes there can be, by how the picture is made of fields.
constexpr auto most_codes = std::to_array<int>({1, 1, 1, 2, 2, 3, 3, 2, 3});

/// Writes bits from the first one on.
class BitString {
 public:
  void put(uint32_t value, unsigned count) {
    for (; count > 0; --count) {
      if (used_ % 8 == 0) bytes_.push_back(0);
      if (value >> (count - 1) & 1) bytes_.back() |= static_cast<uint8_t>(0x80 >> used_ % 8);
      ++used_;
    }
  }
  bool is_aligned() const { return used_ % 8 == 0; }
  /// Up to a whole byte, as messages end.
  std::vector<uint8_t> finish() {
    if (!is_aligned()) put(1, 1);
    return std::move(bytes_);
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
};

std::string read_time_code(UnitBits* bits, unsigned offset_size) {
  bits->skip(2 + 1 + 5);
  const bool full = bits->flag();
  bits->skip(1 + 1);
  const uint32_t frames = bits->number(8);
  uint32_t seconds = 0, minutes = 0, hours = 0;
  if (full || bits->flag()) {
    seconds = bits->number(6);
    if (full || bits->flag()) {
      minutes = bits->number(6);
      if (full || bits->flag()) hours = bits->number(5);
    }
  }
  bits->skip(offset_size);
  char text[32];
  g_snprintf(text, sizeof text, "%02u:%02u:%02u:%02u", hours, minutes, seconds, frames);
  return text;
}

std::optional<PictureTimes> read(std::span<const uint8_t> payload, const PictureTiming& timing) {
  UnitBits bits(payload);
  BitString without;
  for (const unsigned count : {timing.removal_delay, timing.output_delay})
    without.put(bits.number(count), count);
  PictureTimes times;
  if (timing.structure) {
    const uint32_t structure = bits.number(4);
    if (structure >= most_codes.size()) return std::nullopt;
    without.put(structure, 4);
    for (int i = 0; i < most_codes[structure]; ++i) {
      without.put(0, 1);
      if (!bits.flag()) continue;
      const std::string code = read_time_code(&bits, timing.offset);
      if (!times.has_time_code) times.value = code;
      times.has_time_code = true;
    }
  }
  const bool whole = bits.position() == 8 * payload.size();
  if (!bits.ok() || (!whole && (bits.position() % 8 == 0 || !bits.at_stop() ||
                                bits.position() / 8 + 1 != payload.size())))
    return std::nullopt;
  times.without = without.finish();
  return times;
}

}  // namespace

std::optional<PictureTimes> read_picture_times(std::span<const uint8_t> payload,
                                               std::span<const PictureTiming> timings) {
  std::optional<PictureTimes> found;
  for (const PictureTiming& timing : timings) {
    std::optional<PictureTimes> times = read(payload, timing);
    if (!times) continue;
    if (!found) {
      found = std::move(times);
    } else if (found->without != times->without || found->has_time_code != times->has_time_code) {
      found->has_time_code |= times->has_time_code;
      found->without.clear();
    }
  }
  if (!found || !found->has_time_code) return found;
  // What is left must not be a time code for another parameter set.
  for (const PictureTiming& timing : timings) {
    const std::optional<PictureTimes> rest = read(found->without, timing);
    if (rest && rest->has_time_code) found->without.clear();
  }
  return found;
}

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/nal.h"

#include <algorithm>
#include <bit>

#include "gst/sphere/media/unit_bits.h"

namespace sphere::media {

PlainUnit without_emulation_prevention(std::span<const uint8_t> unit) {
  PlainUnit plain;
  plain.bytes.reserve(unit.size());
  plain.offsets.reserve(unit.size() + 1);
  size_t zeros = 0;
  for (size_t i = 0; i < unit.size(); ++i) {
    if (zeros >= 2 && unit[i] == 3) {
      zeros = 0;
      continue;
    }
    zeros = unit[i] == 0 ? zeros + 1 : 0;
    plain.bytes.push_back(unit[i]);
    plain.offsets.push_back(i);
  }
  plain.offsets.push_back(unit.size());
  return plain;
}

std::vector<uint8_t> with_emulation_prevention(std::span<const uint8_t> plain) {
  std::vector<uint8_t> unit;
  unit.reserve(plain.size() + plain.size() / 64 + 1);
  size_t zeros = 0;
  for (const uint8_t byte : plain) {
    if (zeros >= 2 && byte <= 3) {
      unit.push_back(3);
      zeros = 0;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    unit.push_back(byte);
  }
  return unit;
}

namespace {

// ITU-T H.264, 7.4.2: more are not allowed.
constexpr uint32_t most_groups = 7, most_buffers = 31, most_cycle = 255;
constexpr int64_t largest_offset = 12;
constexpr int sequence_set = 7, picture_set = 8;
// More parameter sets with different ones are a file that nobody made with good intentions.
constexpr size_t most_timings = 64;

using Bits = UnitBits;

void read_scaling_list(Bits* bits, int size) {
  int64_t last = 8, next = 8;
  for (int i = 0; i < size && bits->ok(); ++i) {
    if (next != 0) next = (last + bits->signed_golomb() + 256) & 255;
    if (next != 0) last = next;
  }
}

void read_scaling_lists(Bits* bits, int count) {
  constexpr int small = 6;
  for (int i = 0; i < count && bits->ok(); ++i)
    if (bits->flag()) read_scaling_list(bits, i < small ? 16 : 64);
}

/// Of a buffer that is described (annex E.1.2).
void read_hrd(Bits* bits, PictureTiming* timing) {
  const uint32_t count = bits->golomb();
  if (count > most_buffers) return bits->skip(UINT32_MAX);
  bits->skip(8);
  for (uint32_t i = 0; i <= count && bits->ok(); ++i) {
    bits->golomb();
    bits->golomb();
    bits->skip(1);
  }
  bits->skip(5);
  timing->removal_delay = bits->number(5) + 1;
  timing->output_delay = bits->number(5) + 1;
  timing->offset = bits->number(5);
}

/// What is known about how to show the pictures (annex E.1.1).
void read_vui(Bits* bits, PictureTiming* timing) {
  constexpr uint32_t own_aspect = 255;
  if (bits->flag() && bits->number(8) == own_aspect) bits->skip(32);
  if (bits->flag()) bits->skip(1);
  if (bits->flag()) {
    bits->skip(4);
    if (bits->flag()) bits->skip(24);
  }
  if (bits->flag()) {
    bits->golomb();
    bits->golomb();
  }
  if (bits->flag()) bits->skip(65);
  const bool nal = bits->flag();
  if (nal) read_hrd(bits, timing);
  const bool vcl = bits->flag();
  if (vcl) read_hrd(bits, timing);
  if (nal || vcl) bits->skip(1);
  timing->structure = bits->flag();
  if (!bits->flag()) return;
  bits->skip(1);
  for (int i = 0; i < 6; ++i) bits->golomb();
}

bool has_chroma_format(uint32_t profile) {
  static constexpr uint32_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                          118, 128, 134, 135, 138, 139};
  return std::ranges::find(profiles, profile) != std::end(profiles);
}

/// 7.3.2.1.1
void read_sequence_set(Bits* bits, PictureTiming* timing) {
  const uint32_t profile = bits->number(8);
  bits->skip(16);
  bits->golomb();
  if (has_chroma_format(profile)) {
    const uint32_t chroma = bits->golomb();
    if (chroma == 3) bits->skip(1);
    bits->golomb();
    bits->golomb();
    bits->skip(1);
    if (bits->flag()) read_scaling_lists(bits, chroma == 3 ? 12 : 8);
  }
  bits->golomb();
  const uint32_t order = bits->golomb();
  if (order == 0) bits->golomb();
  if (order == 1) {
    bits->skip(1);
    bits->golomb();
    bits->golomb();
    const uint32_t count = bits->golomb();
    if (count > most_cycle) return bits->skip(UINT32_MAX);
    for (uint32_t i = 0; i < count && bits->ok(); ++i) bits->golomb();
  }
  bits->golomb();
  bits->skip(1);
  bits->golomb();
  bits->golomb();
  if (!bits->flag()) bits->skip(1);
  bits->skip(1);
  if (bits->flag())
    for (int i = 0; i < 4; ++i) bits->golomb();
  if (bits->flag()) read_vui(bits, timing);
}

/// Which picture belongs to which group of slices (7.3.2.2).
void read_slice_groups(Bits* bits, uint32_t last_group) {
  const uint32_t type = bits->golomb();
  if (type == 0) {
    for (uint32_t i = 0; i <= last_group; ++i) bits->golomb();
  } else if (type == 2) {
    for (uint32_t i = 0; i < 2 * last_group; ++i) bits->golomb();
  } else if (type >= 3 && type <= 5) {
    bits->skip(1);
    bits->golomb();
  } else if (type == 6) {
    const uint32_t last = bits->golomb();
    const auto each = static_cast<unsigned>(std::bit_width(last_group));
    for (uint32_t i = 0; i <= last && bits->ok(); ++i) bits->skip(each);
  }
}

/// 7.3.2.2, without what the high profiles add.
void read_picture_set(Bits* bits) {
  bits->golomb();
  bits->golomb();
  bits->skip(2);
  const uint32_t last_group = bits->golomb();
  if (last_group > most_groups) return bits->skip(UINT32_MAX);
  if (last_group > 0) read_slice_groups(bits, last_group);
  bits->golomb();
  bits->golomb();
  bits->skip(3);
  for (int i = 0; i < 3; ++i) bits->golomb();
  bits->skip(3);
}

/// What the high profiles add. How many lists there are depends on the colours, which the sequence
/// tells: three planes of full size have four more.
Bits with_high_part(Bits bits, bool full_colours) {
  const bool large = bits.flag();
  if (bits.flag()) read_scaling_lists(&bits, 6 + (large ? full_colours ? 6 : 2 : 0));
  const int64_t offset = bits.signed_golomb();
  if (offset < -largest_offset || offset > largest_offset) bits.skip(UINT32_MAX);
  return bits;
}

}  // namespace

std::optional<size_t> h264_parameter_length(std::span<const uint8_t> unit) {
  const PlainUnit plain = without_emulation_prevention(unit);
  Bits bits(plain.bytes);
  const bool picture = (bits.number(8) & 31) == picture_set;
  PictureTiming timing;
  if (picture)
    read_picture_set(&bits);
  else
    read_sequence_set(&bits, &timing);
  if (!bits.ok()) return std::nullopt;
  if (picture && !bits.at_end()) {
    const Bits usual = with_high_part(bits, false), full = with_high_part(bits, true);
    if (usual.at_end())
      bits = usual;
    else if (full.at_stop())
      bits = full;
    else if (usual.at_stop())
      bits = usual;
  }
  // The bit that ends it may be in a byte of its own.
  const size_t bytes = std::min(bits.position() / 8 + 1, plain.bytes.size());
  return bits.at_stop() ? std::optional(plain.offsets[bytes - 1] + 1) : std::nullopt;
}

std::optional<PictureTiming> h264_picture_timing(std::span<const uint8_t> unit) {
  if (unit.empty() || (unit[0] & 31) != sequence_set) return std::nullopt;
  const PlainUnit plain = without_emulation_prevention(unit);
  Bits bits(plain.bytes);
  bits.skip(8);
  PictureTiming timing;
  read_sequence_set(&bits, &timing);
  return bits.ok() ? std::optional(timing) : std::nullopt;
}

void add_picture_timing(std::span<const uint8_t> unit, std::vector<PictureTiming>* timings) {
  const std::optional<PictureTiming> timing = h264_picture_timing(unit);
  if (timing && timings->size() < most_timings &&
      std::ranges::find(*timings, *timing) == timings->end())
    timings->push_back(*timing);
}

}  // namespace sphere::media

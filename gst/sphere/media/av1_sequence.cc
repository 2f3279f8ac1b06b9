// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/av1_sequence.h"

#include <algorithm>

#include "gst/sphere/media/unit_bits.h"

namespace sphere::media {

namespace {

/// AV1 Bitstream, 5.5.
class SequenceReader {
 public:
  explicit SequenceReader(UnitBits* bits) : bits_(*bits) {}

  void read() {
    profile_ = bits_.number(3);
    bits_.skip(1);
    const bool reduced = bits_.flag();
    if (reduced)
      bits_.skip(5);
    else
      read_operating_points();
    const unsigned width_bits = bits_.number(4) + 1, height_bits = bits_.number(4) + 1;
    bits_.skip(width_bits);
    bits_.skip(height_bits);
    if (!reduced && bits_.flag()) bits_.skip(4 + 3);
    bits_.skip(3);
    if (!reduced) read_tools();
    bits_.skip(3);
    read_colours();
    bits_.skip(1);
  }

 private:
  void read_timing() {
    bits_.skip(32);
    bits_.skip(32);
    // A number whose length is told by zeros.
    if (bits_.flag()) bits_.golomb();
    has_model_ = bits_.flag();
    if (!has_model_) return;
    delay_bits_ = bits_.number(5) + 1;
    bits_.skip(32);
    bits_.skip(5 + 5);
  }

  void read_operating_points() {
    if (bits_.flag()) read_timing();
    const bool has_delay = bits_.flag();
    const uint32_t last = bits_.number(5);
    for (uint32_t i = 0; i <= last && bits_.ok(); ++i) {
      constexpr uint32_t highest_of_one_tier = 7;
      bits_.skip(12);
      if (bits_.number(5) > highest_of_one_tier) bits_.skip(1);
      if (has_model_ && bits_.flag()) {
        bits_.skip(delay_bits_);
        bits_.skip(delay_bits_);
        bits_.skip(1);
      }
      if (has_delay && bits_.flag()) bits_.skip(4);
    }
  }

  void read_tools() {
    bits_.skip(4);
    const bool order = bits_.flag();
    if (order) bits_.skip(2);
    const bool chosen = bits_.flag();
    if ((chosen || bits_.flag()) && !bits_.flag()) bits_.skip(1);
    if (order) bits_.skip(3);
  }

  void read_colours() {
    constexpr uint32_t bt709 = 1, srgb = 13, identity = 0, unknown = 2;
    const bool deep = bits_.flag(), deepest = profile_ == 2 && deep && bits_.flag();
    const bool grey = profile_ != 1 && bits_.flag();
    uint32_t primaries = unknown, transfer = unknown, matrix = unknown;
    if (bits_.flag()) {
      primaries = bits_.number(8);
      transfer = bits_.number(8);
      matrix = bits_.number(8);
    }
    if (grey) return bits_.skip(1);
    if (primaries != bt709 || transfer != srgb || matrix != identity) {
      bits_.skip(1);
      bool half_columns = profile_ != 1, half_rows = profile_ == 0;
      if (deepest) {
        half_columns = bits_.flag();
        half_rows = half_columns && bits_.flag();
      }
      if (half_columns && half_rows) bits_.skip(2);
    }
    bits_.skip(1);
  }

  UnitBits& bits_;
  uint32_t profile_ = 0;
  bool has_model_ = false;
  unsigned delay_bits_ = 0;
};

}  // namespace

std::optional<size_t> av1_sequence_length(std::span<const uint8_t> content) {
  UnitBits bits(content);
  SequenceReader(&bits).read();
  if (!bits.at_stop()) return std::nullopt;
  return std::min(bits.position() / 8 + 1, content.size());
}

}  // namespace sphere::media

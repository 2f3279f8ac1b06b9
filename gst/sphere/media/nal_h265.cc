// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the parameter sets of H.265 end (ITU-T H.265, 7.3.2).

#include <algorithm>

#include "gst/sphere/media/nal.h"
#include "gst/sphere/media/unit_bits.h"

namespace sphere::media {

namespace {

enum UnitType { video_set = 32, sequence_set = 33, picture_set = 34 };
// More are not allowed (7.4.3, E.3.2).
constexpr uint32_t most_buffers = 31, most_reference_sets = 64, most_references = 16,
                   most_long_terms = 32, most_layer_sets = 1023, most_tiles = 1024,
                   most_chroma_offsets = 5, most_poc_bits = 16;

class SetReader {
 public:
  explicit SetReader(UnitBits* bits) : bits_(*bits) {}

  /// False if it can't be told where the set ends.
  bool read() {
    bits_.skip(1);
    const uint32_t type = bits_.number(6), layer = bits_.number(6);
    bits_.skip(3);
    if (layer != 0) return false;
    if (type == video_set) return read_video_set();
    if (type == sequence_set) return read_sequence_set();
    return type == picture_set && read_picture_set();
  }

 private:
  bool flag() { return bits_.flag(); }
  void flags(unsigned count) { bits_.skip(count); }
  uint32_t golomb() { return bits_.golomb(); }
  void golombs(uint32_t count) {
    for (uint32_t i = 0; i < count && bits_.ok(); ++i) golomb();
  }
  /// A number with a limit. Past it nothing can be read any more.
  uint32_t count(uint32_t most) {
    const uint32_t value = golomb();
    if (value > most) bits_.skip(UINT32_MAX);
    return value <= most ? value : 0;
  }

  void read_profile(uint32_t sub_layers) {
    constexpr unsigned profile = 88, level = 8, all = 8;
    bits_.skip(profile + level);
    bool present[all][2] = {};
    for (uint32_t i = 0; i < sub_layers; ++i)
      for (bool& each : present[i]) each = flag();
    if (sub_layers > 0) bits_.skip(2 * (all - sub_layers));
    for (uint32_t i = 0; i < sub_layers; ++i) {
      if (present[i][0]) bits_.skip(profile);
      if (present[i][1]) bits_.skip(level);
    }
  }
  void read_orders(uint32_t sub_layers) {
    const bool each = flag();
    golombs(3 * (each ? sub_layers + 1 : 1));
  }

  void read_hrd(bool common, uint32_t sub_layers) {
    bool nal = false, vcl = false, parts = false;
    if (common) {
      nal = flag();
      vcl = flag();
      if (nal || vcl) {
        parts = flag();
        if (parts) bits_.skip(8 + 5 + 1 + 5);
        bits_.skip(4 + 4);
        if (parts) bits_.skip(4);
        bits_.skip(5 + 5 + 5);
      }
    }
    for (uint32_t i = 0; i <= sub_layers && bits_.ok(); ++i) {
      const bool fixed = flag();
      bool low_delay = false;
      if (fixed || flag())
        golomb();
      else
        low_delay = flag();
      const uint32_t buffers = low_delay ? 0 : count(most_buffers);
      for (const bool each : {nal, vcl})
        for (uint32_t k = 0; each && k <= buffers && bits_.ok(); ++k) {
          golombs(parts ? 4 : 2);
          flags(1);
        }
    }
  }
  void read_timing() {
    bits_.skip(32);
    bits_.skip(32);
    if (flag()) golomb();
  }

  bool read_video_set() {
    bits_.skip(4 + 1 + 1 + 6);
    const uint32_t sub_layers = bits_.number(3);
    bits_.skip(1 + 16);
    if (sub_layers > 6) return false;
    read_profile(sub_layers);
    read_orders(sub_layers);
    const uint32_t layers = bits_.number(6), sets = count(most_layer_sets);
    for (uint32_t i = 0; i < sets && bits_.ok(); ++i) flags(layers + 1);
    if (flag()) {
      read_timing();
      const uint32_t models = count(most_layer_sets + 1);
      for (uint32_t i = 0; i < models && bits_.ok(); ++i) {
        golomb();
        const bool common = i == 0 || flag();
        // Those that are not written are as before.
        if (!common) return false;
        read_hrd(common, sub_layers);
      }
    }
    return !flag();
  }

  void read_scaling_lists() {
    for (int size = 0; size < 4 && bits_.ok(); ++size)
      for (int matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
        if (!flag()) {
          golomb();
          continue;
        }
        if (size > 1) golomb();
        golombs(std::min(64u, 1u << (4 + 2 * size)));
      }
  }

  /// Returns how many pictures are in the set.
  uint32_t read_reference_set(bool first, uint32_t before) {
    if (!first && flag()) {
      flags(1);
      golomb();
      uint32_t pictures = 0;
      for (uint32_t i = 0; i <= before && bits_.ok(); ++i)
        if (flag() || flag()) ++pictures;
      return pictures;
    }
    const uint32_t past = count(most_references), future = count(most_references);
    for (uint32_t i = 0; i < past + future && bits_.ok(); ++i) {
      golomb();
      flags(1);
    }
    return past + future;
  }

  void read_vui(uint32_t sub_layers) {
    constexpr uint32_t own_aspect = 255;
    if (flag() && bits_.number(8) == own_aspect) bits_.skip(32);
    if (flag()) flags(1);
    if (flag()) {
      bits_.skip(3 + 1);
      if (flag()) bits_.skip(24);
    }
    if (flag()) golombs(2);
    flags(3);
    if (flag()) golombs(4);
    if (flag()) {
      read_timing();
      if (flag()) read_hrd(true, sub_layers);
    }
    if (flag()) {
      flags(3);
      golombs(5);
    }
  }

  bool read_sequence_set() {
    bits_.skip(4);
    const uint32_t sub_layers = bits_.number(3);
    flags(1);
    if (sub_layers > 6) return false;
    read_profile(sub_layers);
    golomb();
    if (golomb() == 3) flags(1);
    golombs(2);
    if (flag()) golombs(4);
    golombs(2);
    const uint32_t poc_bits = 4 + count(most_poc_bits - 4);
    read_orders(sub_layers);
    golombs(6);
    if (flag() && flag()) read_scaling_lists();
    flags(2);
    if (flag()) {
      bits_.skip(4 + 4);
      golombs(2);
      flags(1);
    }
    const uint32_t sets = count(most_reference_sets);
    uint32_t pictures = 0;
    for (uint32_t i = 0; i < sets && bits_.ok(); ++i)
      pictures = read_reference_set(i == 0, pictures);
    if (flag()) {
      const uint32_t long_terms = count(most_long_terms);
      for (uint32_t i = 0; i < long_terms && bits_.ok(); ++i) bits_.skip(poc_bits + 1);
    }
    flags(2);
    if (flag()) read_vui(sub_layers);
    if (!flag()) return true;
    const bool range = flag();
    // Of layers, depth, screens, and what is not known yet.
    if (bits_.number(7) != 0) return false;
    if (range) flags(9);
    return true;
  }

  bool read_picture_set() {
    golombs(2);
    flags(2);
    bits_.skip(3);
    flags(2);
    golombs(3);
    flags(1);
    const bool skips_transform = flag();
    if (flag()) golomb();
    golombs(2);
    flags(4);
    const bool tiles = flag();
    flags(1);
    if (tiles) {
      const uint32_t columns = count(most_tiles), rows = count(most_tiles);
      if (!flag()) golombs(columns + rows);
      flags(1);
    }
    flags(1);
    if (flag()) {
      flags(1);
      if (!flag()) golombs(2);
    }
    if (flag()) read_scaling_lists();
    flags(1);
    golomb();
    flags(1);
    if (!flag()) return true;
    const bool range = flag();
    if (bits_.number(7) != 0) return false;
    if (range) {
      if (skips_transform) golomb();
      flags(1);
      if (flag()) {
        golomb();
        golombs(2 * (count(most_chroma_offsets) + 1));
      }
      golombs(2);
    }
    return true;
  }

  UnitBits& bits_;
};

}  // namespace

std::optional<size_t> h265_parameter_length(std::span<const uint8_t> unit) {
  const PlainUnit plain = without_emulation_prevention(unit);
  UnitBits bits(plain.bytes);
  if (!SetReader(&bits).read() || !bits.at_stop()) return std::nullopt;
  const size_t bytes = std::min(bits.position() / 8 + 1, plain.bytes.size());
  return plain.offsets[bytes - 1] + 1;
}

}  // namespace sphere::media

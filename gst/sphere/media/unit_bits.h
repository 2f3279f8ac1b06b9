// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the bits of a unit of H.264 or H.265, without emulation prevention bytes.

#pragma once

#include <gst/base/gstbitreader.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sphere::media {

/// Bits of a unit. After the first step past the end, everything reads as zero and ok() stays
/// false.
class UnitBits {
 public:
  explicit UnitBits(std::span<const uint8_t> bytes) : bytes_(bytes) {
    gst_bit_reader_init(&reader_, bytes.data(), static_cast<guint>(bytes.size()));
  }

  bool ok() const { return ok_; }
  size_t position() const { return gst_bit_reader_get_pos(&reader_); }
  void skip(unsigned count) { ok_ = ok_ && gst_bit_reader_skip(&reader_, count); }
  uint32_t number(unsigned count) {
    guint32 value = 0;
    ok_ = ok_ && gst_bit_reader_get_bits_uint32(&reader_, &value, count);
    return ok_ ? value : 0;
  }
  bool flag() { return number(1) != 0; }
  /// ue(v): Exp-Golomb.
  uint32_t golomb() {
    unsigned zeros = 0;
    while (ok_ && !flag() && zeros < 32) ++zeros;
    if (zeros == 32) ok_ = false;
    return zeros == 0 || !ok_ ? 0 : (1u << zeros) - 1 + number(zeros);
  }
  int64_t signed_golomb() {
    const int64_t value = golomb();
    return value % 2 ? (value + 1) / 2 : -value / 2;
  }

  /// Whether what ends a unit is next: one bit, and zeros up to the end of its byte.
  bool at_stop() const {
    if (!ok_ || gst_bit_reader_get_remaining(&reader_) == 0) return false;
    UnitBits rest = *this;
    const unsigned in_byte = 8 - static_cast<unsigned>(position() % 8);
    return rest.number(in_byte) == 1u << (in_byte - 1);
  }
  /// The same, and nothing but zeros in the bytes after it.
  bool at_end() const {
    const auto rest = bytes_.subspan(std::min(bytes_.size(), position() / 8 + 1));
    return at_stop() && std::ranges::all_of(rest, [](uint8_t byte) { return byte == 0; });
  }

 private:
  std::span<const uint8_t> bytes_;
  GstBitReader reader_{};
  bool ok_ = true;
};

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading bytes that nobody vouches for: every step is checked, and no size in the bytes is
// believed before the bytes it speaks of are there.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sphere {

/// Reads forward over some bytes. After the first step past the end everything reads as zero and
/// ok() is false for good, so that a parser needs one check at the end of each structure.
class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }
  size_t remaining() const { return ok_ ? bytes_.size() - position_ : 0; }

  /// The next bytes, or none at all where fewer are left.
  std::span<const uint8_t> take(size_t count) {
    if (!ok_ || count > bytes_.size() - position_) {
      ok_ = false;
      return {};
    }
    const std::span<const uint8_t> taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  void skip(size_t count) { take(count); }
  /// Goes to a place counted from the first byte.
  void seek(size_t position) {
    if (!ok_ || position > bytes_.size())
      ok_ = false;
    else
      position_ = position;
  }

  uint8_t u8() { return static_cast<uint8_t>(big(1)); }
  uint16_t u16() { return static_cast<uint16_t>(big(2)); }
  uint32_t u24() { return static_cast<uint32_t>(big(3)); }
  uint32_t u32() { return static_cast<uint32_t>(big(4)); }
  uint64_t u64() { return big(8); }
  uint16_t u16_little() { return static_cast<uint16_t>(little(2)); }
  uint32_t u32_little() { return static_cast<uint32_t>(little(4)); }

  /// Whether these are the next bytes; they are taken if so.
  bool starts_with(std::string_view mark) {
    if (!ok_ || remaining() < mark.size() ||
        std::memcmp(bytes_.data() + position_, mark.data(), mark.size()) != 0)
      return false;
    position_ += mark.size();
    return true;
  }

 private:
  uint64_t big(size_t count) {
    uint64_t value = 0;
    for (const uint8_t byte : take(count)) value = value << 8 | byte;
    return value;
  }
  uint64_t little(size_t count) {
    uint64_t value = 0;
    int shift = 0;
    for (const uint8_t byte : take(count)) {
      value |= static_cast<uint64_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace sphere

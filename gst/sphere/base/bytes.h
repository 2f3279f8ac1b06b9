// SPDX-License-Identifier: LGPL-2.1-or-later Reads bytes from untrusted sources. Every step is
// checked, and a size in the bytes is used only if there are that many bytes.

#pragma once

#include <gst/base/gstbytereader.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sphere {

/// A GstByteReader with one more rule: after the first step past the end, everything reads as zero
/// and ok() stays false. A parser needs only one check at the end of each structure.
class ByteReader {
 public:
  /// Bytes after 4 GiB are ignored, because of GstByteReader's counter.
  explicit ByteReader(std::span<const uint8_t> bytes) {
    gst_byte_reader_init(&reader_, bytes.data(),
                         static_cast<guint>(std::min<size_t>(bytes.size(), G_MAXUINT)));
  }

  bool ok() const { return ok_; }
  size_t position() const { return gst_byte_reader_get_pos(&reader_); }
  size_t remaining() const { return ok_ ? gst_byte_reader_get_remaining(&reader_) : 0; }

  /// The next bytes; empty if fewer are left.
  std::span<const uint8_t> take(size_t count) {
    const guint8* data = nullptr;
    ok_ = ok_ && count <= remaining() &&
          gst_byte_reader_get_data(&reader_, static_cast<guint>(count), &data);
    return ok_ ? std::span(data, count) : std::span<const uint8_t>();
  }
  void skip(size_t count) { take(count); }
  /// Goes to an offset from the first byte.
  void seek(size_t offset) {
    ok_ = ok_ && offset <= gst_byte_reader_get_size(&reader_) &&
          gst_byte_reader_set_pos(&reader_, static_cast<guint>(offset));
  }

  uint8_t u8() {
    guint8 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint8(&reader_, &value);
    return value;
  }
  uint16_t u16() {
    guint16 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint16_be(&reader_, &value);
    return value;
  }
  uint32_t u24() {
    guint32 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint24_be(&reader_, &value);
    return value;
  }
  uint32_t u32() {
    guint32 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint32_be(&reader_, &value);
    return value;
  }
  uint64_t u64() {
    guint64 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint64_be(&reader_, &value);
    return value;
  }
  uint16_t u16_little() {
    guint16 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint16_le(&reader_, &value);
    return value;
  }
  uint32_t u32_little() {
    guint32 value = 0;
    ok_ = ok_ && gst_byte_reader_get_uint32_le(&reader_, &value);
    return value;
  }

  /// Whether these are the next bytes. If they are, they are skipped.
  bool starts_with(std::string_view mark) {
    const guint8* data = nullptr;
    if (remaining() < mark.size() ||
        !gst_byte_reader_peek_data(&reader_, static_cast<guint>(mark.size()), &data) ||
        std::memcmp(data, mark.data(), mark.size()) != 0)
      return false;
    skip(mark.size());
    return true;
  }

 private:
  GstByteReader reader_{};
  bool ok_ = true;
};

}  // namespace sphere

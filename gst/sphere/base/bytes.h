// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads bytes from untrusted sources. Every step is checked, and a size in the bytes is used only
// if there are that many bytes.

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

  uint8_t u8() { return number<guint8>(gst_byte_reader_get_uint8); }
  uint16_t u16() { return number<guint16>(gst_byte_reader_get_uint16_be); }
  uint32_t u24() { return number<guint32>(gst_byte_reader_get_uint24_be); }
  uint32_t u32() { return number<guint32>(gst_byte_reader_get_uint32_be); }
  uint64_t u64() { return number<guint64>(gst_byte_reader_get_uint64_be); }
  uint16_t u16_little() { return number<guint16>(gst_byte_reader_get_uint16_le); }
  uint32_t u32_little() { return number<guint32>(gst_byte_reader_get_uint32_le); }

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
  template <class T>
  T number(gboolean (*get)(GstByteReader*, T*)) {
    T value = 0;
    ok_ = ok_ && get(&reader_, &value);
    return value;
  }

  GstByteReader reader_{};
  bool ok_ = true;
};

}  // namespace sphere

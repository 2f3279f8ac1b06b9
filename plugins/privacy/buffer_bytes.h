// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a buffer, mapped or copied.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sphere::privacy {

/// Maps the bytes of a buffer for reading while this object exists.
class MappedBytes {
 public:
  explicit MappedBytes(GstBuffer* buffer) : buffer_(buffer) {
    mapped_ = gst_buffer_map(buffer, &map_, GST_MAP_READ);
  }
  ~MappedBytes() {
    if (mapped_) gst_buffer_unmap(buffer_, &map_);
  }
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;
  explicit operator bool() const { return mapped_; }
  /// None if they can't be read.
  std::span<const uint8_t> bytes() const { return {map_.data, map_.size}; }

 private:
  GstBuffer* const buffer_;
  GstMapInfo map_ = GST_MAP_INFO_INIT;
  bool mapped_;
};

/// Null has none.
inline std::vector<uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<uint8_t> bytes(buffer ? gst_buffer_get_size(buffer) : 0);
  if (!bytes.empty()) bytes.resize(gst_buffer_extract(buffer, 0, bytes.data(), bytes.size()));
  return bytes;
}

/// Null where it is no buffer.
inline GstBuffer* buffer_in(const GValue* value) {
  return value && GST_VALUE_HOLDS_BUFFER(value) ? gst_value_get_buffer(value) : nullptr;
}

}  // namespace sphere::privacy

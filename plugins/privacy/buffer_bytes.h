// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a buffer, copied.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <vector>

namespace sphere::privacy {

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

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/insta360.h"

#include <string_view>

#include "gst/sphere/base/bytes.h"

namespace sphere::makers::insta360 {

namespace {

// The last bytes of the file: the head of the last record, the length of the whole, a mark.
constexpr size_t tail_size = 78, length_offset = 38, mark_offset = 46;
constexpr std::string_view mark = "8db42d694ccc418790edff439fe026bf";

/// Newer cameras put it all into a box, whose head stands before it.
uint64_t box_head_before(const media::Source& source, uint64_t begin) {
  uint8_t type[4];
  for (const uint64_t head : {8, 16})
    if (begin >= head && source.read_all(begin - head + 4, type) &&
        ByteReader(type).starts_with("inst"))
      return head;
  return 0;
}

}  // namespace

uint64_t trailer_length(const media::Source& source) {
  uint8_t tail[tail_size];
  if (source.size() < sizeof tail || !source.read_all(source.size() - sizeof tail, tail)) return 0;
  ByteReader marked(tail);
  marked.seek(mark_offset);
  if (!marked.starts_with(mark)) return 0;
  ByteReader reader(tail);
  reader.seek(length_offset);
  const uint64_t length = reader.u32_little();
  if (length < sizeof tail || length >= source.size()) return 0;
  return length + box_head_before(source, source.size() - length);
}

std::string other_lens_path(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  const size_t number = path.rfind("_00_");
  if (number == std::string::npos || number < name || !path.ends_with(".insv")) return {};
  std::string other = path;
  return other.replace(number, 4, "_10_");
}

}  // namespace sphere::makers::insta360

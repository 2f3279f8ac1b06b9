// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/colour_profile.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

namespace {

constexpr size_t header_size = 128, signature_at = 36, entry_size = 12;
// Real profiles have some twenty.
constexpr uint32_t most_tags = 256;

}  // namespace

bool is_colour_profile(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const size_t size = reader.u32();
  reader.skip(signature_at - 4);
  if (!reader.starts_with("acsp")) return false;
  reader.skip(header_size - reader.position());
  const uint32_t count = reader.u32();
  if (!reader.ok() || size > bytes.size() || count > most_tags) return false;
  const size_t list_end = reader.position() + count * entry_size;
  std::vector<std::pair<size_t, size_t>> used = {{0, list_end}};
  for (uint32_t i = 0; i < count; ++i) {
    reader.skip(4);
    const size_t offset = reader.u32(), length = reader.u32();
    if (!reader.ok() || offset < list_end || offset > size || length > size - offset) return false;
    used.emplace_back(offset, offset + length);
  }
  used.emplace_back(bytes.size(), bytes.size());
  std::ranges::sort(used);
  size_t end = 0;
  for (const auto& [begin, after] : used) {
    if (begin > end &&
        std::ranges::any_of(bytes.subspan(end, begin - end), [](uint8_t byte) { return byte; }))
      return false;
    end = std::max(end, after);
  }
  return end == bytes.size();
}

}  // namespace sphere::media

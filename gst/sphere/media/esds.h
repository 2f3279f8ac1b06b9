// SPDX-License-Identifier: LGPL-2.1-or-later
// The `esds` box of MP4, which tells which codec a track has: the names `mp4v` and `mp4a` of its
// entry can mean many.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sphere::media {

// Object types (https://mp4ra.org/registered-types/object-types).
namespace object_type {
inline constexpr uint8_t mpeg4_visual = 0x20, mpeg4_aac = 0x40, mpeg2_visual_first = 0x60,
                         mpeg2_visual_last = 0x65, mpeg2_aac_first = 0x66, mpeg2_aac_last = 0x68,
                         mpeg2_sound = 0x69, mpeg1_visual = 0x6a, mpeg1_sound = 0x6b, jpeg = 0x6c,
                         ac3 = 0xa5, eac3 = 0xa6, dts_first = 0xa9, dts_last = 0xac, opus = 0xad,
                         png = 0x6d, vorbis = 0xdd;
constexpr bool is_aac(uint8_t type) {
  return type == mpeg4_aac || (type >= mpeg2_aac_first && type <= mpeg2_aac_last);
}
}  // namespace object_type

struct CodecConfig {
  uint8_t object_type = 0;
  std::span<const uint8_t> specific;  ///< for the decoder; lies in the content of the box
  /// Descriptors that no usual file has, and the address of another stream.
  std::vector<std::span<const uint8_t>> more;
};

/// From the content of the box (ISO/IEC 14496-1, 7.2.6). Nothing if it is damaged.
std::optional<CodecConfig> read_esds(std::span<const uint8_t> content);

}  // namespace sphere::media

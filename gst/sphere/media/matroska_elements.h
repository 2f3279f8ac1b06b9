// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements of a Matroska file tell, outside of its clusters.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/media/part.h"

namespace sphere::media {

struct MatroskaRule {
  uint32_t id;
  const char* name;
  PartClass part_class;
  bool master;  ///< has children, which are examined one by one
  const char* what;
};

/// Null: an element that is not known.
const MatroskaRule* matroska_rule(uint32_t id);

/// What a tag with this name tells.
PartClass matroska_tag_class(std::string_view name);

/// Whether an element that is known to be useful has a content of its own form, of which up to
/// `longest_plain` + 1 bytes are given.
inline constexpr size_t longest_plain = 64;
bool is_plain_content(uint32_t id, std::span<const uint8_t> content);
/// Likewise the text of a tag that is useful.
bool is_plain_tag(std::string_view name, std::string_view text);

/// How the pictures or the sound of a codec are examined.
enum class CodecData {
  none,       ///< has no place for other data
  h264,       ///< SEI messages
  h265,       ///< SEI messages
  av1,        ///< metadata units
  jpeg,       ///< segments
  mpeg2,      ///< user data of MPEG-1 and 2
  mpeg4,      ///< user data
  dv,         ///< records of the tape
  png,        ///< chunks
  prores,     ///< the name of the encoder
  flac,       ///< blocks in the private data
  vorbis,     ///< comments in the private data
  not_known,  ///< can't be examined
};
CodecData matroska_codec_data(std::string_view codec);
/// Bytes that a decoder may need before the first picture or sound, if `CodecData` is `none`.
size_t longest_private_data(std::string_view codec);
/// Of pictures as Windows names them, by the four letters in their description.
CodecData windows_codec_data(std::string_view letters);
/// The codec that says so, and the bytes of the description.
inline constexpr std::string_view windows_codec = "V_MS/VFW/FOURCC";
inline constexpr size_t windows_head = 40;

}  // namespace sphere::media

// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements of Matroska and WebM files (EBML, RFC 8794).

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct Element {
  uint32_t id = 0;
  uint64_t begin = 0;    ///< offset of its first byte
  uint64_t content = 0;  ///< offset of the content
  uint64_t end = 0;
  bool unknown_size = false;
  uint64_t size() const { return end - content; }
  uint64_t length() const { return end - begin; }
};

/// Ids of elements, with their markers.
namespace ebml_id {
enum : uint32_t {
  header = 0x1A45DFA3,
  doc_type = 0x4282,
  segment = 0x18538067,
  void_ = 0xEC,
  crc32 = 0xBF,
  seek_head = 0x114D9B74,
  seek = 0x4DBB,
  seek_id = 0x53AB,
  seek_position = 0x53AC,
  info = 0x1549A966,
  tracks = 0x1654AE6B,
  track = 0xAE,
  track_number = 0xD7,
  track_uid = 0x73C5,
  track_type = 0x83,
  codec = 0x86,
  codec_private = 0x63A2,
  video = 0xE0,
  width = 0xB0,
  height = 0xBA,
  stereo_mode = 0x53B8,
  projection = 0x7670,
  projection_type = 0x7671,
  projection_private = 0x7672,
  projection_yaw = 0x7673,
  projection_pitch = 0x7674,
  projection_roll = 0x7675,
  content_encodings = 0x6D80,
  content_encryption = 0x5035,
  cluster = 0x1F43B675,
  cluster_position = 0xA7,
  simple_block = 0xA3,
  block_group = 0xA0,
  block = 0xA1,
  block_additions = 0x75A1,
  block_more = 0xA6,
  block_add_id = 0xEE,
  block_additional = 0xA5,
  alpha_mode = 0x53C0,
  encrypted_block = 0xAF,
  cues = 0x1C53BB6B,
  cue_point = 0xBB,
  cue_track_positions = 0xB7,
  cue_cluster_position = 0xF1,
  chapters = 0x1043A770,
  attachments = 0x1941A469,
  attached_file = 0x61A7,
  file_name = 0x466E,
  tags = 0x1254C367,
  tag = 0x7373,
  targets = 0x63C0,
  tag_track_uid = 0x63C5,
  simple_tag = 0x67C8,
  tag_name = 0x45A3,
  tag_string = 0x4487,
};
}  // namespace ebml_id

/// Whether elements of this id are in the segment itself, and end a cluster of unknown size.
bool is_top_level(uint32_t id);

class EbmlReader {
 public:
  /// The source must exist longer than this object.
  explicit EbmlReader(const Source& source);

  /// The element that begins there. It must end at `end` at the latest.
  Status element(uint64_t position, uint64_t end, Element* element);

  using Visit = std::function<Status(const Element&)>;
  /// Calls a function for each child. A cluster of unknown size is passed with its real end.
  Status children(const Element& parent, const Visit& visit);

  /// 0 if it is longer than 8 bytes.
  uint64_t number(const Element& element);
  /// Up to the first zero.
  std::string text(const Element& element);
  /// The number of the track at the beginning of a block.
  Status block_track(const Element& block, uint64_t* track);
  /// The offset after the last byte that was read as a number.
  uint64_t position() const { return window_.position(); }

 private:
  Status variable_number(bool keep_marker, uint64_t* value, bool* unknown = nullptr);
  Status find_end(Element* cluster);

  const Source& source_;
  Window window_;
  uint64_t elements_ = 0;
};

/// The bytes of an element with this content. `size_bytes` 0: as few bytes for the size as
/// possible.
std::vector<uint8_t> ebml_element(uint32_t id, const std::vector<uint8_t>& content,
                                  int size_bytes = 0);
/// A whole number of `bytes` bytes; 0: as few as possible.
std::vector<uint8_t> ebml_number(uint64_t value, int bytes = 0);
/// The size of an element, in at least `bytes` bytes.
std::vector<uint8_t> ebml_size(uint64_t size, int bytes);
/// The head of an element Void of this length, which is at least 2 bytes.
std::vector<uint8_t> ebml_void_head(uint64_t length);

}  // namespace sphere::media

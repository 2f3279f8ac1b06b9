// SPDX-License-Identifier: LGPL-2.1-or-later
// Constants and functions for both the reader and the writer of MADV's files.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/geometry/vec.h"
#include "gst/sphere/media/box.h"

namespace sphere::makers::madv {

using media::Box;
using media::box_at;
using media::find_box;
using media::MemorySource;
using media::Next;

inline constexpr size_t matrix_size = 9 * sizeof(float);

// Tags of Exif and DNG.
enum Tag : uint16_t {
  tag_make = 0x010F,
  tag_model = 0x0110,
  tag_exif = 0x8769,
  tag_table = 0x9009,
  tag_comment = 0x9286,
  tag_file_source = 0xA300,
  tag_scene_type = 0xA301,
  tag_lens = 0xA435,
};

// Of UserComment: the matrix, and the matrix with the values that older software adds.
inline constexpr size_t comment_sizes[] = {matrix_size, matrix_size + 8 * sizeof(float)};

// Bytes; no table is larger.
inline constexpr uint64_t largest_lens_table = 64 << 20;

inline constexpr std::string_view make = "MADV";
// Beginnings of model names that were found in files.
inline constexpr std::string_view model_marks[] = {"MJXJ", "QJXJ"};

/// Whether the camera is one whose tags have the meanings that are known. In the files of others,
/// they have other meanings.
inline bool is_camera(std::string_view maker, std::string_view model) {
  return maker.starts_with(make) && std::ranges::any_of(model_marks, [&](std::string_view mark) {
           return model.starts_with(mark);
         });
}

/// Whether bytes begin like a lens table, with the offset of its first picture. Other cameras use
/// the same tag for other data.
inline bool begins_as_table(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  reader.seek(reader.u32_little());
  return reader.starts_with("\x89PNG");
}

/// The length of the lens table at the end of a photo that ends at `end`, without the four bytes of
/// its length that follow it; 0 if there is none. The picture ends at `begin`.
inline uint64_t appended_table(const media::Source& source, uint64_t begin, uint64_t end) {
  uint8_t bytes[4];
  if (begin > end || end - begin < sizeof bytes || !source.read_all(end - sizeof bytes, bytes))
    return 0;
  const uint64_t length = ByteReader(bytes).u32_little();
  return length <= end - begin - sizeof bytes && length <= largest_lens_table ? length : 0;
}

/// Converts from the axes of the camera's matrices to those of this project, and back: negates the
/// first two rows. A level camera writes about diag(-1, -1, 1). docs/format-madv.md tells how this
/// is known.
inline Mat3 change_axes(Mat3 matrix) {
  for (int i = 0; i < 2; ++i) matrix.row[i] = -1 * matrix.row[i];
  return matrix;
}

}  // namespace sphere::makers::madv

// SPDX-License-Identifier: LGPL-2.1-or-later Constants and functions for both the reader and the
// writer of MADV's files.

#pragma once

#include <cstddef>
#include <cstdint>

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
};

inline constexpr const char* make = "MADV";

/// Converts from the axes of the camera's matrices to those of this project, and back: negates the
/// first two rows. A level camera writes about diag(-1, -1, 1). docs/format-madv.md tells how this
/// is known.
inline Mat3 change_axes(Mat3 matrix) {
  for (int i = 0; i < 2; ++i) matrix.row[i] = -1 * matrix.row[i];
  return matrix;
}

}  // namespace sphere::makers::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the reader and the writer of MADV's files have in common.

#pragma once

#include <cstddef>
#include <cstdint>

#include "gst/sphere/media/box.h"

namespace sphere::makers::madv {

using media::Box;
using media::box_at;
using media::find_box;
using media::MemorySource;
using media::Next;

inline constexpr size_t matrix_size = 9 * sizeof(float);

// Of Exif and DNG.
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

}  // namespace sphere::makers::madv

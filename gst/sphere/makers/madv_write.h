// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes files like MADV's cameras, for emulated cameras and for tests. It is not in the library.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/makers/madv.h"

namespace sphere::makers::madv {

/// The nine numbers that a camera in this orientation writes. The orientation is camera to world,
/// in the axes of this project.
Matrix camera_matrix_of(const Mat3& camera_to_world);

/// The data to write.
struct CameraData {
  std::vector<uint8_t> lens_table;  ///< empty: none
  std::vector<Matrix> matrices;     ///< one for each picture; empty: none
  bool stitched = false;            ///< whether a photo is marked as stitched
  uint32_t copies_of_first = 0;     ///< number of records that `fltr` puts before a video's track
};

/// A `madv` box. The track is filled with zeros up to this many entries, like a camera's. `more`
/// has whole boxes that are put before those of the data.
std::vector<uint8_t> make_box(const CameraData& data, size_t track_room = 0,
                              std::span<const uint8_t> more = {});

/// Adds a box to the user data of a file that is not fragmented. The muxer's tags are removed;
/// everything else stays at its offset.
Result<std::vector<uint8_t>> add_to_video(std::span<const uint8_t> file,
                                          std::span<const uint8_t> box);

/// A TIFF structure with the camera's mark and the first matrix, and, if `with_table` is set, with
/// the table as in a DNG.
std::vector<uint8_t> make_tiff(const CameraData& data, bool with_table);

/// Adds an Exif segment to a JPEG, and the table after the picture.
Result<std::vector<uint8_t>> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data);

}  // namespace sphere::makers::madv

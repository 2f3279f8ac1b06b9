// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes files as MADV's cameras do, for cameras in software and for tests. Not in the library.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/makers/madv.h"

namespace sphere::makers::madv {

/// The nine numbers that a camera writes that is held like this, camera to world in the axes of
/// this project.
Matrix camera_matrix_of(const Mat3& camera_to_world);

/// What is to be written.
struct CameraData {
  std::vector<uint8_t> lens_table;  ///< empty: none
  std::vector<Matrix> matrices;     ///< one a picture; empty: none
  bool stitched = false;            ///< a photo is marked as stitched
  uint32_t copies_of_first = 0;     ///< records that `fltr` puts in front of a video's track
};

/// A `madv` box. The track is followed by zeros up to so many entries, as a camera leaves it;
/// `more` are whole boxes that stand before those of the data.
std::vector<uint8_t> make_box(const CameraData& data, size_t track_room = 0,
                              std::span<const uint8_t> more = {});

/// Puts a box into the user data of a file that is not fragmented. A muxer's tags go, all else
/// stays where it is.
Result<std::vector<uint8_t>> add_to_video(std::span<const uint8_t> file,
                                          std::span<const uint8_t> box);

/// A TIFF structure with the camera's mark and the first matrix, and with the table where asked
/// for, as a DNG has it.
std::vector<uint8_t> make_tiff(const CameraData& data, bool with_table);

/// Puts an Exif segment and, after the picture, the table into a JPEG.
Result<std::vector<uint8_t>> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data);

}  // namespace sphere::makers::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// What a Mi Sphere leaves in its own files so that they can be stitched: the table of its two
// lenses and how it was held. docs/format-madv.md has the forms, and which parts are a
// reconstruction.
//
// Beside these stand its position and its serial number. Nothing here reads or keeps them.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Nine numbers, row by row, as the file has them: nothing is said of whether they are a rotation.
using MatrixEntry = std::array<float, 9>;

/// Bytes; no table is larger.
inline constexpr size_t largest_lens_table = 64 << 20;
/// Entries: nine hours of pictures at 30 a second.
inline constexpr size_t longest_track = 1 << 20;

struct CameraData {
  std::vector<uint8_t> table;         ///< the lens table as it is; empty: there is none
  std::vector<MatrixEntry> matrices;  ///< one a picture; empty: there are none
  /// The camera's own mark on a photo that is one sphere already.
  bool stitched = false;
  /// What was there and can't be used, each a sentence without a stop.
  std::vector<std::string> problems;

  bool empty() const { return table.empty() && matrices.empty() && problems.empty(); }
};

/// Reads a box: `madv` with all that is in it, or one of those of its boxes that count here. Puts
/// what it finds into `data`; false, with nothing done, when it is another kind of box.
bool read_camera_box(std::span<const uint8_t> box, CameraData* data);

/// Looks through an MP4 or MOV file.
CameraData camera_data_of_video(const Source& source);
/// Looks through a JPEG that check_jpeg() found to be whole.
CameraData camera_data_of_jpeg(const Source& source, const JpegInfo& jpeg);
/// Looks through a DNG, or any other TIFF.
Result<CameraData> camera_data_of_dng(const Source& source);
/// Looks through a video, a JPEG or a DNG, whichever it is; nothing is found in any other file.
Result<CameraData> camera_data_of(const Source& source);

// --- writing, for tests and for cameras in software ---------------------------------------------

/// A `madv` box. The track is followed by zeros up to so many entries, as a camera leaves it;
/// `more` are whole boxes that stand before those of the data.
std::vector<uint8_t> make_camera_box(const CameraData& data, size_t track_room = 0,
                                     std::span<const uint8_t> more = {});

/// Puts a box into the user data of a file that is not fragmented. A muxer's tags go, all else
/// stays where it is.
Result<std::vector<uint8_t>> add_to_video(std::span<const uint8_t> file,
                                          std::span<const uint8_t> box);

/// A TIFF structure with the camera's mark and the first matrix, and with the table where asked
/// for, as a DNG has it.
std::vector<uint8_t> make_camera_tiff(const CameraData& data, bool with_table);

/// Puts an Exif segment and, after the picture, the table into a JPEG.
Result<std::vector<uint8_t>> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data);

}  // namespace sphere::media

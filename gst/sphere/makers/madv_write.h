// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes files like MADV's cameras, for emulated cameras and for tests. It is not in the library.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/makers/madv.h"
#include "gst/sphere/media/source.h"

namespace sphere::makers::madv {

/// The nine numbers that a camera in this orientation writes. The orientation is camera to world,
/// in the axes of this project.
Matrix camera_matrix_of(const Mat3& camera_to_world);

/// What a camera writes about itself and the moment, in addition to what stitching needs.
struct CaptureFacts {
  std::string device_id, serial, firmware;  ///< of the camera
  std::string date;                         ///< "2021:10:31 15:17:54", on the camera's clock
  int width = 0, height = 0;                ///< of a photo
  int video_resolution = 0;                 ///< of a video: the value of the camera's setting
  std::optional<Position> position;         ///< if the camera was told one
  double exposure_bias = 0;                 ///< of a photo, EV
  std::vector<uint8_t> thumbnail;           ///< of a photo: a JPEG; empty: none
};

/// The data to write.
struct CameraData {
  std::vector<uint8_t> lens_table;  ///< empty: none
  std::vector<Matrix> matrices;     ///< one for each picture; empty: none
  bool stitched = false;            ///< whether a photo is marked as stitched
  uint32_t copies_of_first = 0;     ///< number of records that `fltr` puts before a video's track
  std::optional<CaptureFacts> facts = {};
};

/// A `madv` box: `caif` and `gpsx` with the facts, if there are some, `fltr`, `lutz` and `tlyd`.
/// The track is filled with zeros up to this many entries, like a camera's. `more` has whole boxes
/// that are put before those of the data.
std::vector<uint8_t> make_box(const CameraData& data, size_t track_room = 0,
                              std::span<const uint8_t> more = {});

/// Bytes that are written at an offset of a file, which may be its end.
struct FileChange {
  uint64_t offset = 0;
  std::vector<uint8_t> bytes;
};
/// The changes that add a box to the user data of a file that is not fragmented. The muxer's tags
/// are removed; everything else stays at its offset.
Result<std::vector<FileChange>> video_changes(const media::Source& file,
                                              std::span<const uint8_t> box);
/// The same for a file in memory.
Result<std::vector<uint8_t>> add_to_video(std::span<const uint8_t> file,
                                          std::span<const uint8_t> box);

/// A TIFF structure with the camera's mark and the first matrix, and, if `with_table` is set, with
/// the table as in a DNG. With facts, it has the tags of a real photo and its thumbnail, and a GPS
/// directory that has only its version if there is no position.
std::vector<uint8_t> make_tiff(const CameraData& data, bool with_table);

/// The samples of a sensor: red, green in even rows, green, blue in odd ones; 0 to raw_white.
struct RawPicture {
  int width = 0, height = 0;
  std::vector<uint16_t> samples;
};
inline constexpr int raw_white = 4095;
/// A DNG with these samples, not compressed, and what make_tiff() writes. The camera's own form is
/// not known beyond its tags; this is what the specification of DNG requires.
std::vector<uint8_t> make_dng(const CameraData& data, const RawPicture& raw);

/// Adds an Exif segment to a JPEG, and the table after the picture.
Result<std::vector<uint8_t>> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data);

}  // namespace sphere::makers::madv

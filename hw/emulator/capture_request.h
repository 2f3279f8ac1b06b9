// SPDX-License-Identifier: LGPL-2.1-or-later
// What an emulated camera is to photograph or to record.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "gst/sphere/base/position.h"

namespace sphere::emulator {

/// Which of the two fisheyes that are side by side in a picture.
enum class Half { both, left, right };

/// A photo or a recording to make, with what is written into its file.
struct CaptureRequest {
  std::string path;                  ///< of the file on the card
  int width = 0, height = 0;         ///< of the picture; 0: those of the scene
  bool stitched = false;             ///< a photo that the camera has stitched itself
  std::string date;                  ///< "2021:10:31 15:17:54"; empty: by the clock of this machine
  std::optional<Position> position;  ///< if the camera was told one
  double exposure = 0;               ///< EV, brighter than the scene; negative: darker
  Half half = Half::both;            ///< with one lens alone, the picture is a square

  std::string raw_path;  ///< of the raw picture beside a photo; empty: none

  // Of recordings.
  int resolution = 0;  ///< the camera's own number of the resolution
  int rate = 30;       ///< pictures per second: 30 (29.97), 60 or 120
  /// A time-lapse: the time between two of its pictures; 0: none.
  std::chrono::milliseconds interval{0};
  int slowness = 1;        ///< so many times as long as what was recorded
  std::string small_path;  ///< of the small copy; empty: none
  /// After this time, the file is closed and the next one begun; 0: never.
  std::chrono::milliseconds segment{0};
  /// Writes the paths of the next file, and its date if it has one.
  std::function<void(CaptureRequest&)> next;
  /// Loop recording: of the files of one recording, so many are kept; 0: all.
  size_t most_segments = 0;
};

}  // namespace sphere::emulator

// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of an emulated Mi Sphere: what a camera of
// this family writes into them, and their sizes and names.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hw/emulator/capture.h"
#include "hw/emulator/card.h"
#include "hw/madv/emulator/control.h"

namespace sphere::madv_emulator {

/// Photos with MADV's Exif and the table after the picture, videos with a `madv` box, of a camera
/// that was held level. The sister camera adds nothing.
emulator::FileForms file_forms(const ControlSettings& settings);

/// What a camera with these settings takes.
struct ShotSettings {
  int resolution = 0;                 ///< the value of photo-resolution or video-resolution
  std::vector<std::string> position;  ///< as the client has sent it: lat, lon, alt; empty: none
  int exposure = 0;                   ///< EV/2
  std::optional<int> lens;            ///< one alone: 0 the front one, 1 the rear one
  // Of videos.
  std::chrono::milliseconds interval{0};  ///< between the pictures of a time-lapse; 0: none
  int slowness = 1;
  bool loop = false;
  std::chrono::milliseconds segment{0};  ///< 0: one file
};
emulator::CaptureRequest photo_request(const ShotSettings& settings, std::string path);
/// `next_path` returns the path of each further file.
emulator::CaptureRequest video_request(const ShotSettings& settings, std::string path,
                                       std::function<std::string()> next_path);

/// The same for the sister camera, whose settings have words: "12MP 4000x3000 4:3",
/// "1080(1920x1080) 60FPS".
emulator::CaptureRequest sister_request(const std::string& words, std::string path);

/// The path of a video's small copy: "...AB.MP4" for "...AA.MP4". Empty for other names.
std::string small_copy(const std::string& path);

/// The bytes of the thumbnail of a file on the card: type "thumb" a JPEG, "idr" the first picture
/// of a video as H.264. Empty if the file has none.
std::optional<std::string> file_thumbnail(const emulator::Card& card, const std::string& path,
                                          const std::string& type);

}  // namespace sphere::madv_emulator

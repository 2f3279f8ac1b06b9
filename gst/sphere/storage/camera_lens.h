// SPDX-License-Identifier: LGPL-2.1-or-later
// The lenses that were found in the files of a camera, for the next file of the same camera: one
// profile for each camera and form of its pictures, in the XDG data folder. Kept and read only
// while the user's own ledger gives `device` for `bind`.

#pragma once

#include <optional>
#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::storage {

/// Whose lenses they are. None of it is stored, only a hash.
struct CameraLensKey {
  std::string model;   ///< maker and model, as the file has them
  std::string serial;  ///< "": the file tells none; then all cameras of the model share the lenses
  std::string form;    ///< of the pictures, such as "photo 2:1": a camera may cut its videos
};

/// How the names of the files of a camera with this serial number begin.
std::string camera_lens_prefix(const std::string& serial);
/// Stores the text of a profile. Returns false, and stores nothing, without consent.
Result<bool> write_camera_lens(const CameraLensKey& key, const std::string& profile);
/// The text that was stored; nothing without consent.
std::optional<std::string> read_camera_lens(const CameraLensKey& key);

}  // namespace sphere::storage

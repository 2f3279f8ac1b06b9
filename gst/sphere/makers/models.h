// SPDX-License-Identifier: LGPL-2.1-or-later
// Which lens profile belongs to a camera model, by the names that files have.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::makers {

/// What a file says of the camera that took it.
struct CameraName {
  std::string make, model;
  std::string serial;  ///< "": not told, or not asked for
};

/// The profile of the model; "" where none is known. A model's name alone is enough where no other
/// maker has it.
std::string profile_of_model(std::string_view make, std::string_view model);

/// By Make and Model of Exif.
std::string profile_of_exif(const media::Tiff& tiff);

/// By the maker's and model's name in an MP4 or MOV file: those of its user data, or QuickTime's
/// keys.
std::string profile_of_video(const media::Source& source);

/// The camera that a file names, with its serial number. Call this only where the person gave
/// `device` for `bind`.
CameraName identify_camera(const media::Source& source);

}  // namespace sphere::makers

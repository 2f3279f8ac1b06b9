// SPDX-License-Identifier: LGPL-2.1-or-later
// Which lens profile belongs to a camera model, by the names that files have.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::makers {

/// The profile of the model; "" where none is known. A model's name alone is enough where no other
/// maker has it.
std::string profile_of_model(std::string_view make, std::string_view model);

/// By Make and Model of Exif.
std::string profile_of_exif(const media::Tiff& tiff);

/// By the maker's and model's name in the user data of an MP4 or MOV file.
std::string profile_of_video(const media::Source& source);

}  // namespace sphere::makers

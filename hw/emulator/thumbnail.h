// SPDX-License-Identifier: LGPL-2.1-or-later
// The small pictures that a camera sends of its files.

#pragma once

#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::emulator {

/// The JPEG thumbnail in the Exif of a photo.
Result<std::string> photo_thumbnail(const media::Source& photo);

/// The first picture of a video as a byte stream of H.264 (Annex B), with the parameter sets before
/// it. Only of videos that begin with a key frame, as those of cameras do.
Result<std::string> first_picture(const media::Source& video);

}  // namespace sphere::emulator

// SPDX-License-Identifier: LGPL-2.1-or-later
// The brightness of a photo, or of some pictures of a video, for what looks for the lenses in them.

#pragma once

#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/calibrate.h"

namespace sphere::tool {

/// A photo, or at most `most` pictures that lie evenly spread over a video, each at a key frame.
/// Refuses a file of which none can be decoded within a minute.
Result<std::vector<GreyPicture>> read_lens_pictures(const std::string& path, int most);

}  // namespace sphere::tool

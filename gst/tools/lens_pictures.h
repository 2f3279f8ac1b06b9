// SPDX-License-Identifier: LGPL-2.1-or-later
// The brightness of a photo, or of some pictures of a video, for what looks for the lenses in them.

#pragma once

#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/calibrate.h"

namespace sphere::tool {

/// A photo, or at most `most` pictures that lie evenly spread over a video, each at a key frame.
/// `track`: the number of the video track, in MP4 and MOV; -1: any. Refuses a file of which none
/// can be decoded within a minute.
Result<std::vector<GreyPicture>> read_lens_pictures(const std::string& path, int most,
                                                    int track = -1);

}  // namespace sphere::tool

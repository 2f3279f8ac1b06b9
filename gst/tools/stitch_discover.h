// SPDX-License-Identifier: LGPL-2.1-or-later
// What GStreamer's own demuxers find in a video for which gst-sphere has no reader.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/tools/stitch_input.h"

namespace sphere::tool {

/// Fills in codec, size, tracks, and how many pictures there are about.
Status discover_video(int descriptor, VideoInfo* video);

}  // namespace sphere::tool

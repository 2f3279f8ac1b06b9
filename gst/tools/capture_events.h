// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells a stitcher what a file says of its lenses and of how the camera was held.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/makers/capture.h"

namespace sphere::tool {

/// Before its first picture, because a demuxer hands on nothing of a photo, nor of every video.
void tell_stitcher(GstElement* stitcher, const makers::CaptureInfo& capture);

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later
// A demuxer sends the camera's own boxes of a file downstream as a tag.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/makers/capture.h"

namespace sphere {

/// Removes raw boxes of the file from a tag event, and writes lens and orientation to `info`.
/// Returns the event without them, or null if nothing is left. A camera's box also contains its
/// position and serial number: it is not passed on, stored or logged. Other raw boxes are removed,
/// too, because they describe the file, not the stitched picture.
GstEvent* take_camera_tags(GstEvent* event, makers::CaptureInfo* info);

}  // namespace sphere

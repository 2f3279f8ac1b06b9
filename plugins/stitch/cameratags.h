// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's own boxes on their way through the stream: a demuxer hands them on as a tag.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/makers/capture.h"

namespace sphere {

/// Takes raw boxes of the file out of a tag event, and puts what counts of them into `info`.
/// Returns the event that may go on, or null when nothing is left of it. A camera's box has its
/// position and its serial number too, so none of it is passed on, kept or logged, and no other raw
/// box either: they speak of a file that the stitched picture is not.
GstEvent* take_camera_tags(GstEvent* event, makers::CaptureInfo* info);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// How elements that draw pictures of another size and projection negotiate, and which metas they
// pass on. The functions are those of a GstBaseTransform.

#pragma once

#include <gst/base/gstbasetransform.h>

#include "gst/sphere/geometry/projection.h"

namespace sphere {

/// For transform_caps: the caps of the other side, for either side. They are the same except for
/// size, pixel aspect ratio and views.
GstCaps* caps_of_other_side(GstBaseTransform* transform, GstPadDirection direction, GstCaps* caps,
                            GstCaps* filter);

/// Changes the answer to a caps query on the sink pad. GstBaseTransform puts the size of downstream
/// first, to be able to pass buffers through, but the input has another size.
void leave_size_open(GstQuery* query);

/// Fixates the caps of the output to a size with about as much detail as the input has, if they
/// allow it. For whole spheres it sets the pixel aspect ratio, so that any size shows the sphere
/// undistorted. Takes `output`.
GstCaps* fixate_output(const GstCaps* input, GstCaps* output, Projection projection);

/// Whether a meta is also true of the picture that is drawn: it is if it depends neither on the
/// size of the picture nor on positions in it.
bool stays_true_of_warped(const GstMeta* meta);

/// For before_transform: applies the values of a GstController, by stream time.
void sync_to_stream_time(GstBaseTransform* transform, GstBuffer* buffer);

}  // namespace sphere

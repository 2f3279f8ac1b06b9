// SPDX-License-Identifier: LGPL-2.1-or-later
// An element for `sphere stitch` alone that puts the pictures of two lenses beside each other.

#pragma once

#include <gst/gst.h>

namespace sphere::tool {

/// Has the sink pads "left" and "right" and the source pad "src". It takes the two pictures that
/// were taken at the same time, within half the time that a picture is shown, and drops one that
/// has no partner. It ends when either side ends. Both sides must have the same format and size.
GstElement* make_pair_joiner();

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later
// Lets a stream that is not live pass as fast as it was taken.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/result.h"

namespace sphere::live {

/// An element, floating. After a flush, the first buffer passes at once, and the others at their
/// distance from it, also if the pipeline does not begin its running time anew: it does so only for
/// sinks that change their state for a flush.
Result<GstElement*> make_pacing();

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later
// What each source pad of spherecamsrc answers: a live stream can't seek.

#pragma once

#include <gst/gst.h>

namespace sphere::camera {

/// rtspsrc would flush itself for a seek, and wait for what downstream holds, which is not flushed:
/// StreamSplicer keeps flushes back, because the stream goes on.
void refuse_seeks(GstPad* pad);

/// Answers a query about seeking. FALSE: it is another query.
bool answer_about_seeking(GstQuery* query);

}  // namespace sphere::camera

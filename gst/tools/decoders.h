// SPDX-License-Identifier: LGPL-2.1-or-later
// Which decoders a command takes.

#pragma once

#include <gst/gst.h>

namespace sphere::tool {

/// Decoders in hardware differ from machine to machine, and some give memory that only their own
/// kind can read. From now on this decodebin takes them only where there is no other.
void prefer_software(GstElement* decodebin);

}  // namespace sphere::tool

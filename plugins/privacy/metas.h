// SPDX-License-Identifier: LGPL-2.1-or-later
// What is attached to buffers.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

#include "gst/sphere/base/gobject.h"
#include "plugins/privacy/allowance.h"

namespace sphere::privacy {

/// The buffer without metas that are not allowed: all but those that are known to say nothing but
/// how pictures and sound are laid out, and wall-clock times and time codes, which are the time of
/// capture.
BufferRef with_allowed_metas(BufferRef buffer, const Allowance& allowance);

/// The wall-clock time that a buffer has, microseconds since 1970 UTC.
std::optional<int64_t> capture_time_of(GstBuffer* buffer);

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts an Error to a GError for the C API.

#pragma once

#include "gst/sphere/base/gstsphereerror.h"
#include "gst/sphere/base/result.h"

namespace sphere {

/// Sets `error`, which may be null.
void set_gerror(GError** error, const Error& reason);

}  // namespace sphere

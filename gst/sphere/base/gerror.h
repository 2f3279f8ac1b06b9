// SPDX-License-Identifier: LGPL-2.1-or-later
// How the C API says why something could not be done.

#pragma once

#include "gst/sphere/base/gstsphereerror.h"
#include "gst/sphere/base/result.h"

namespace sphere {

/// Sets `error`, which may be null, to the reason.
void set_gerror(GError** error, const Error& reason);

}  // namespace sphere

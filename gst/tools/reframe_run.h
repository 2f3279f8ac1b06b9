// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the photo or the film that `sphere reframe` was asked for.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/tools/reframe_options.h"

namespace sphere::tool {

/// Prints the result, or the error of the options themselves. Returns the exit status.
int run_reframe(const Status& parsed, const ReframeOptions& options);

}  // namespace sphere::tool

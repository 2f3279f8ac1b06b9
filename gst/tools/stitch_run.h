// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs `sphere stitch`, and the commands that draw something else from the same files.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

/// Does what the options say and prints the result, or the error of the options themselves.
/// `command` is the name of the subcommand. Returns the exit status.
int run_stitch(const char* command, const Status& parsed, const StitchOptions& options);

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later
// Looks through the pictures of a file for what `sphere reframe` shall look at.

#pragma once

#include "gst/sphere/base/result.h"
#include "gst/tools/auto_view.h"

namespace sphere::tool {

/// As find_view(), where something is to be found.
Status search_view(const StitchInput& input, const AutoSearch& search, StitchOptions* options,
                   MessagePrinter* printer);

}  // namespace sphere::tool

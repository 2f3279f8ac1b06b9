// SPDX-License-Identifier: LGPL-2.1-or-later
// The last step of `sphere stitch`: marks the result as 360, and takes out what was not given.

#pragma once

#include <string>

#include "gst/sphere/base/result.h"
#include "gst/tools/media_edit.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

/// Reads what the pipeline has written and writes the file that OUT shall be. A position of IN goes
/// into it if location is given for geotag in the person's own ledger, rounded as it was given.
Result<OutputFile> finish_stitched(const OutputFile& written, const StitchOptions& options,
                                   const WorkProgress& progress);

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/reframe_run.h"

#include "gst/tools/stitch_run.h"

namespace sphere::tool {

int run_reframe(const Status& parsed, const ReframeOptions& options) {
  return run_stitch("reframe", parsed,
                    options.clips.empty() ? options.common : options.clips.front().view);
}

}  // namespace sphere::tool

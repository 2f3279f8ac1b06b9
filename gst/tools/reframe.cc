// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere reframe: a flat photo or film of what is looked at in 360 ones.

#include "gst/tools/command.h"
#include "gst/tools/reframe_options.h"
#include "gst/tools/reframe_run.h"

namespace sphere::tool {

namespace {

int run(int argc, char** argv) {
  ReframeOptions options;
  const Status parsed = parse_reframe_options(argc, argv, &options);
  return run_reframe(parsed, options);
}

const Registration registration({"reframe", "make a flat film of what is looked at", run});

}  // namespace

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere view` was asked for.

#pragma once

#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::tool {

struct ViewOptions {
  std::string input, output, lens, sink = "autovideosink";
  /// How the 360 picture is stored; empty: as the file says.
  std::string stored;
  int width = 1280, height = 720;
  bool clobber = true, audio = true, quiet = false;
};

/// What the keys do, as lines for a terminal.
extern const char* const view_keys;

/// From the command line. Fills `options` as far as it gets.
Status parse_view_options(int argc, char** argv, ViewOptions* options);

}  // namespace sphere::tool

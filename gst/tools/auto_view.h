// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere reframe` finds out by itself: where a thing goes that it follows, and where up is.

#pragma once

#include <glib.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/command.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

/// "X,Y@TIME": pixels, or with "deg" behind each, yaw and pitch.
Result<FollowTarget> parse_follow(const std::string& typed);

class AutoViewOption {
 public:
  AutoViewOption() = default;
  ~AutoViewOption();
  AutoViewOption(const AutoViewOption&) = delete;
  AutoViewOption& operator=(const AutoViewOption&) = delete;

  /// They point into this object.
  std::vector<GOptionEntry> entries();
  /// Adds what was typed to `options`, which have all others already.
  Status parse(StitchOptions* options) const;

 private:
  char* follow_ = nullptr;
  char* save_ = nullptr;
  double size_ = no_number;
};

struct AutoSearch {
  std::optional<double> until;    ///< seconds of IN, after which nothing is shown
  std::function<bool()> stopped;  ///< asked with each picture; or null
};

/// Looks through IN and writes what was found into the options: keyframes, or angles. What is worth
/// knowing is told to the printer. To be called when the lenses of fisheyes are known.
Status find_view(const StitchInput& input, const AutoSearch& search, StitchOptions* options,
                 MessagePrinter* printer);

}  // namespace sphere::tool

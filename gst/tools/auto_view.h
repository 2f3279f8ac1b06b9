// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere reframe` looks at by itself: it follows something, or makes the horizon level.

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

/// What --follow names: a place in the picture at a time.
struct FollowTarget {
  double x = 0, y = 0;
  bool in_degrees = false;  ///< yaw and pitch; else pixels of IN
  double time = 0;          ///< seconds
};

/// "X,Y@T": pixels, or with "deg" behind each, degrees; T in seconds or as M:S or H:M:S.
Result<FollowTarget> parse_follow(const std::string& typed);

struct AutoView {
  std::optional<FollowTarget> follow;
  double size = 0;           ///< of what is followed, degrees; 0: as usual
  std::string save;          ///< the file for the keyframes; "": none
  bool find_level = false;   ///< --level horizon was typed
  bool wanted() const { return follow || find_level; }
};

class AutoViewOption {
 public:
  AutoViewOption() = default;
  ~AutoViewOption();
  AutoViewOption(const AutoViewOption&) = delete;
  AutoViewOption& operator=(const AutoViewOption&) = delete;

  /// They point into this object.
  std::vector<GOptionEntry> entries();
  /// `options` is what the other options say. An error: they don't go together.
  Result<AutoView> parse(const StitchOptions& options) const;

 private:
  char* follow_ = nullptr;
  char* save_ = nullptr;
  double size_ = 0;
};

/// Looks through IN and writes what was found into the options: keyframes, or angles. What is worth
/// knowing is told to the printer. To be called when the lenses of fisheyes are known.
Status find_view(const AutoView& wanted, const StitchInput& input, StitchOptions* options,
                 MessagePrinter* printer);

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere reframe` was asked for.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/time_option.h"
#include "gst/tools/voice.h"

namespace sphere::tool {

inline constexpr double slowest_speed = 0.05, fastest_speed = 20;

/// A part of a file, and what is looked at in it.
struct ReframeClip {
  /// IN, its lenses and the view. What concerns OUT is the same in all clips.
  StitchOptions view;
  double from = 0;           ///< seconds of IN
  std::optional<double> to;  ///< nothing: the end of IN
  double speed = 1;          ///< of the film; that of keyframes comes on top
};

struct ReframeOptions {
  /// OUT, how it is encoded, and how messages are printed; also of a command line that is wrong.
  StitchOptions common;
  std::vector<ReframeClip> clips;  ///< in the order of the film; at least one
  std::optional<FrameRate> fps;    ///< nothing: as the clips have it
  VoiceChoice voice;
};

/// From the command line; every value is within its range afterwards. Fills `options` as far as it
/// gets, so that a complaint can be made in the form asked for.
Status parse_reframe_options(int argc, char** argv, ReframeOptions* options);

}  // namespace sphere::tool

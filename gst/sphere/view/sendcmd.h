// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyframes as commands for ffmpeg's filter v360, in the form of its filter sendcmd. VR-reversal, a
// script for mpv, records what was looked at in the same form.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// What the forms of other programs do not tell by themselves.
struct ViewFrame {
  int width = 1920, height = 1080;  ///< of the view
  int rate_numerator = 30, rate_denominator = 1;
  std::string video;  ///< the name of the 360 video; "": none
};

/// The longest distance between a view and what is written for it, degrees.
inline constexpr double export_tolerance = 0.05;

/// The commands for the `v360` filter of a file. Its option `reset_rot` has to be 1; a comment in
/// the text says how it is used.
Result<std::string> sendcmd_text(const ViewPath& path, const ViewFrame& frame);
/// `name` is the name of the text in errors, which tell the line.
Result<ViewPath> parse_sendcmd(std::string_view text, const std::string& name,
                               const ViewFrame& frame);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyframes of projects of MLT, the library of Shotcut and Kdenlive: those of the filter "360:
// Equirectangular to Rectilinear" (frei0r.bigsh0t_eq_to_rect), whose angles have the signs of this
// project.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"
#include "gst/sphere/view/sendcmd.h"

namespace sphere {

/// A project with one video and the filter.
Result<std::string> mlt_text(const ViewPath& path, const ViewFrame& frame);
/// The first such filter of a project.
Result<ViewPath> parse_mlt(std::string_view text, const std::string& name);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads lenses from the files of calibration programs: OpenCV's FileStorage (YAML, XML) with the
// cameras of cv::fisheye, Kalibr's camera chain (YAML), Basalt's calibration (JSON).
// docs/lens-profiles.md tells which values are read.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a text begins like one of these files.
bool looks_like_calibration(std::string_view text);

/// `name` is the pair's name, and is used in error messages.
Result<LensPair> parse_calibration(std::string_view text, const std::string& name);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// What calibration programs write as lenses: OpenCV's FileStorage (YAML, XML) with the cameras of
// cv::fisheye, Kalibr's camera chain (YAML), Basalt's calibration (JSON). docs/lens-profiles.md
// says what of them is read.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a text begins as one of these files does.
bool looks_like_calibration(std::string_view text);

/// `name` is what complaints and the pair are called.
Result<LensPair> parse_calibration(std::string_view text, const std::string& name);

}  // namespace sphere

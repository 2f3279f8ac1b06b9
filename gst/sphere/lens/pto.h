// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads lenses from project files of Hugin and PanoTools: the two images of a .pto are the pair.
// docs/lens-profiles.md tells which values are read.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a text has a line that describes an image, like a project file.
bool looks_like_pto(std::string_view text);

/// `name` is the pair's name, and is used in error messages.
Result<LensPair> parse_pto(std::string_view text, const std::string& name);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// Hugin's and PanoTools' project files as lenses: the two images of a .pto are the pair.
// docs/lens-profiles.md says what of them is read.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a text has a line that describes an image, as a project file has it.
bool looks_like_pto(std::string_view text);

/// `name` is what complaints and the pair are called.
Result<LensPair> parse_pto(std::string_view text, const std::string& name);

}  // namespace sphere

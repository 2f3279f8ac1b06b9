// SPDX-License-Identifier: LGPL-2.1-or-later
// The lenses that a camera's own recording or photo lends. Which forms of files these are is known
// above, in makers/, where both functions are; this folder knows no other file than its own.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a file that begins like this is a recording or a photo rather than a lens file.
bool is_recording(std::span<const uint8_t> head);

/// The lenses that took what is in this file, by the table that the camera left in it.
Result<LensPair> lens_of_recording(const std::string& path);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// The lenses from a camera's own recording or photo. Both functions are in makers/, which has the
// formats of these files; this folder has only the formats of lens files.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// Whether a file that begins with these bytes is a recording or a photo, not a lens file.
bool is_recording(std::span<const uint8_t> head);

/// The lenses with which this file was taken, from the camera's table in it.
Result<LensPair> lens_of_recording(const std::string& path);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// What a film is made of, as a text: parts of another text can't be used for it.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gst/tools/reframe_options.h"

namespace sphere::tool {

struct FilmClip;

/// Has everything that the pictures of a film depend on: the files as they are now, the views, the
/// encoder, and this version of gst-sphere.
std::string describe_job(const ReframeOptions& options,
                         const std::vector<std::unique_ptr<FilmClip>>& clips,
                         const FrameRate& rate);

}  // namespace sphere::tool

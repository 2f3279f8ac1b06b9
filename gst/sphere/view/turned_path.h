// SPDX-License-Identifier: LGPL-2.1-or-later
// The same views in a picture whose axes are turned.

#pragma once

#include <functional>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// Keyframes for a picture that is turned against the one for which `path` was made: `turn` gives,
/// at a time in seconds, the rotation from the axes of that one to those of this one. The views are
/// nowhere further than a tenth of a degree from what is right, from time 0 to `end`; between
/// keyframes that were jumps, too.
Result<ViewPath> turned_path(const ViewPath& path, double end,
                             const std::function<Mat3(double)>& turn);

}  // namespace sphere

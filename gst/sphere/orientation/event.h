// SPDX-License-Identifier: LGPL-2.1-or-later
// How a camera was held in each picture of a recording, as a sticky event: it goes before the
// pictures, as `sphere-lens` does, and is looked up by presentation time.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

/// One entry for each picture, camera to world; nothing where it is not known.
GstEvent* make_orientation_event(std::span<const std::optional<Quaternion>> orientations);

/// False, with nothing done, for any other event. What is not a rotation in it is not known.
bool parse_orientation_event(GstEvent* event, std::vector<std::optional<Quaternion>>* orientations);

}  // namespace sphere

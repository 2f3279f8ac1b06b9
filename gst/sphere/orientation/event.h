// SPDX-License-Identifier: LGPL-2.1-or-later
// The orientation of a camera for each picture of a recording, as a sticky event. It is sent before
// the pictures, like `sphere-lens`. Entries are found by the presentation time.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

/// One entry for each picture, camera to world; without a value where it is not known.
GstEvent* make_orientation_event(std::span<const std::optional<Quaternion>> orientations);

/// Returns false and does nothing for any other event. An entry that is not a rotation becomes one
/// that is not known.
bool parse_orientation_event(GstEvent* event, std::vector<std::optional<Quaternion>>* orientations);

}  // namespace sphere

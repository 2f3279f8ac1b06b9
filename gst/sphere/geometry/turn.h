// SPDX-License-Identifier: LGPL-2.1-or-later
// The turn that brings one direction to another.

#pragma once

#include "gst/sphere/geometry/quaternion.h"

namespace sphere {

/// The shortest one; both directions have length 1.
Quaternion turn_between(Vec3 from, Vec3 to);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// A position on Earth, no more exact than was agreed.

#pragma once

#include "gst/sphere/base/position.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

/// The position, rounded to the precision's grid. The altitude stays only in an exact position,
/// because it can tell where that is.
Position rounded(const Position& position, Precision precision);

}  // namespace sphere::consent

// SPDX-License-Identifier: LGPL-2.1-or-later
// All makers whose private data is known.

#pragma once

#include <vector>

#include "gst/sphere/media/maker.h"

namespace sphere::makers {

/// They exist until the end of the process.
std::vector<const media::Maker*> all();

/// One for each file, in which it is a static object.
const media::Maker& madv_maker();
const media::Maker& insta360_maker();
const media::Maker& samsung_maker();

}  // namespace sphere::makers

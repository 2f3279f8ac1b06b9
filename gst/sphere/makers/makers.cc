// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/makers.h"

namespace sphere::makers {

std::vector<const media::Maker*> all() {
  return {&madv_maker(), &insta360_maker(), &samsung_maker()};
}

}  // namespace sphere::makers

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/attempts.h"

#include <algorithm>

namespace sphere::live {

int64_t Attempts::failed(int64_t now) {
  if (running_since_ && now - running_since_ >= steady) pause_ = 0;
  running_since_ = 0;
  lost_ = ran_;
  pause_ = pause_ ? std::min(2 * pause_, longest_pause) : first_pause;
  return pause_;
}

}  // namespace sphere::live

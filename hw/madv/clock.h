// SPDX-License-Identifier: LGPL-2.1-or-later
// Time as the session counts it, and as a person reads it.

#pragma once

#include <chrono>
#include <string>

namespace sphere::madv {

using Duration = std::chrono::microseconds;
/// Microseconds of some clock that never goes back.
using Time = std::chrono::microseconds;

/// "5 s", "0.3 s".
inline std::string in_seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10) text += "." + std::to_string(tenths % 10);
  return text + " s";
}

}  // namespace sphere::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// The time of a session, and its form for messages.

#pragma once

#include <chrono>
#include <string>

namespace sphere::madv {

using Duration = std::chrono::microseconds;
/// Microseconds of a monotonic clock.
using Time = std::chrono::microseconds;

/// "5 s", "0.3 s".
inline std::string in_seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10) text += "." + std::to_string(tenths % 10);
  return text + " s";
}

/// The time of this machine, in the form of the command `set-clock`.
std::string camera_clock();

/// The same in the form of Ambarella's generic protocol: "yyyy-MM-dd HH:mm:ss".
std::string generic_clock();

}  // namespace sphere::madv

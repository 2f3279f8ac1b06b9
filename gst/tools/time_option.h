// SPDX-License-Identifier: LGPL-2.1-or-later
// Times and rates on the command line.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"

namespace sphere::tool {

/// Seconds, from "90", "90.5", "1:30" or "1:02:03.5". `option` is named in errors.
Result<double> parse_time(const char* option, const std::string& text);

/// Pictures a second, as a fraction.
struct FrameRate {
  int numerator = 0, denominator = 1;
  bool operator==(const FrameRate&) const = default;
};

/// From "30", "29.97" or "30000/1001".
Result<FrameRate> parse_rate(const char* option, std::string_view text);

/// Seconds as a person writes them: "1:02:03.500", or "3.5 s" below a minute.
std::string time_text(double seconds);

}  // namespace sphere::tool

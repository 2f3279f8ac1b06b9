// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic as ffmpeg's filters take it, as far as lists of commands use it: numbers, + - * / ^,
// brackets, T, TI, TS, TE, PI, E, and functions such as lerp, clip, sin and if.

#pragma once

#include <optional>
#include <string_view>

namespace sphere {

struct ExpressionTimes {
  double now = 0, begin = 0, end = 0;  ///< seconds: T, TS, TE
};

/// Nothing if it is not understood, or is not a finite number.
std::optional<double> evaluate(std::string_view text, const ExpressionTimes& times);

}  // namespace sphere

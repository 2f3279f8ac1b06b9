// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers that people and other programs write, read the same way everywhere: decimal, with a point
// whatever the locale is. Hexadecimal, "inf" and "nan" are no numbers here.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sphere {

/// Takes a number with its sign, point and exponent from the beginning of a text. Without one, the
/// text stays as it is. Blanks are not skipped.
std::optional<double> take_number(std::string_view* text);
/// The whole text as a number.
std::optional<double> parse_number(std::string_view text);
/// The whole text as a number without point or exponent, within the limits of the type.
std::optional<int64_t> parse_integer(std::string_view text);

struct IntegerPair {
  int first, second;
};
/// Two such numbers with this character between them, such as a size or a fraction.
std::optional<IntegerPair> parse_integer_pair(std::string_view text, char separator);

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/number.h"

#include <glib.h>

#include <charconv>
#include <utility>

namespace sphere {

namespace {

/// std::from_chars knows no plus.
std::string_view without_plus(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return text;
}

}  // namespace

std::optional<double> take_number(std::string_view* text) {
  const std::string_view rest = without_plus(*text);
  std::string_view digits = rest;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (digits.starts_with('.')) digits.remove_prefix(1);
  // std::from_chars takes "inf" and "nan".
  if (digits.empty() || !g_ascii_isdigit(digits[0])) return std::nullopt;
  double value = 0;
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (problem != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  const std::optional<double> value = take_number(&text);
  return text.empty() ? value : std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  text = without_plus(text);
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<IntegerPair> parse_integer_pair(std::string_view text, char separator) {
  const size_t middle = text.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  const std::optional<int64_t> first = parse_integer(text.substr(0, middle));
  const std::optional<int64_t> second = parse_integer(text.substr(middle + 1));
  if (!first || !second || !std::in_range<int>(*first) || !std::in_range<int>(*second))
    return std::nullopt;
  return IntegerPair{static_cast<int>(*first), static_cast<int>(*second)};
}

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/time_option.h"

#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "gst/sphere/base/number.h"

namespace sphere::tool {

namespace {

// Eleven days; no video is longer.
constexpr double most_seconds = 1e6;
constexpr double least_rate = 1, most_rate = 1000;

}  // namespace

Result<double> parse_time(const char* option, const std::string& text) {
  const Error wrong =
      invalid(std::string(option) + " is '" + text +
              "', must be seconds, or [HOURS:]MINUTES:SECONDS, such as 12.5 or 1:30");
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == ':')
      fields.emplace_back();
    else
      fields.back() += c;
  }
  if (fields.size() > 3) return wrong;
  double seconds = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& field = fields[i];
    const bool last = i + 1 == fields.size();
    if (field.empty() ||
        field.find_first_not_of(last ? "0123456789." : "0123456789") != std::string::npos)
      return wrong;
    const std::optional<double> value = parse_number(field);
    if (!value || (i > 0 && *value >= 60)) return wrong;
    seconds = seconds * 60 + *value;
  }
  if (seconds > most_seconds) return wrong;
  return seconds;
}

Result<FrameRate> parse_rate(const char* option, std::string_view text) {
  FrameRate rate;
  if (const std::optional<IntegerPair> fraction = parse_integer_pair(text, '/')) {
    rate = {fraction->first, fraction->second};
  } else if (const std::optional<double> decimal = parse_number(text);
             decimal && *decimal >= least_rate && *decimal <= most_rate) {
    const double whole = std::round(*decimal);
    // 29.97 means 30000/1001.
    if (std::abs(*decimal - whole) < 1e-9)
      rate = {static_cast<int>(whole), 1};
    else if (std::abs(*decimal - whole / 1.001) < 0.005)
      rate = {static_cast<int>(whole) * 1000, 1001};
    else
      rate = {static_cast<int>(std::lround(*decimal * 1000)), 1000};
  }
  if (rate.numerator > 0 && rate.denominator > 0) {
    const double value = static_cast<double>(rate.numerator) / rate.denominator;
    if (value >= least_rate && value <= most_rate) return rate;
  }
  return invalid(std::string(option) + " is '" + std::string(text) +
                 "', must be 1 to 1000 pictures a second, such as 30, 29.97 or 30000/1001");
}

std::string time_text(double seconds) {
  const auto milliseconds = static_cast<long long>(std::llround(seconds * 1000));
  const long long whole = milliseconds / 1000, rest = milliseconds % 1000;
  char text[48];
  if (whole < 60)
    std::snprintf(text, sizeof text, "%lld.%03lld s", whole, rest);
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld.%03lld", whole / 60, whole % 60, rest);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld.%03lld", whole / 3600, whole / 60 % 60,
                  whole % 60, rest);
  return text;
}

}  // namespace sphere::tool

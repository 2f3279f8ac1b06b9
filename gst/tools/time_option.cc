// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/time_option.h"

#include <glib.h>

#include <cmath>
#include <cstdio>
#include <vector>

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
    char* end = nullptr;
    const double value = g_ascii_strtod(field.c_str(), &end);
    if (*end || (i > 0 && value >= 60)) return wrong;
    seconds = seconds * 60 + value;
  }
  if (seconds > most_seconds) return wrong;
  return seconds;
}

Result<FrameRate> parse_rate(const char* option, const char* text) {
  FrameRate rate;
  int used = 0;
  const bool fraction =
      std::sscanf(text, "%d/%d%n", &rate.numerator, &rate.denominator, &used) == 2 && !text[used];
  char* end = nullptr;
  const double decimal = fraction ? 0 : g_ascii_strtod(text, &end);
  if (!fraction) rate = {};
  if (!fraction && end != text && !*end && decimal >= least_rate && decimal <= most_rate) {
    const double whole = std::round(decimal);
    // 29.97 means 30000/1001.
    if (std::abs(decimal - whole) < 1e-9)
      rate = {static_cast<int>(whole), 1};
    else if (std::abs(decimal - whole / 1.001) < 0.005)
      rate = {static_cast<int>(whole) * 1000, 1001};
    else
      rate = {static_cast<int>(std::lround(decimal * 1000)), 1000};
  }
  if (rate.numerator > 0 && rate.denominator > 0) {
    const double value = static_cast<double>(rate.numerator) / rate.denominator;
    if (value >= least_rate && value <= most_rate) return rate;
  }
  return invalid(std::string(option) + " is '" + text +
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

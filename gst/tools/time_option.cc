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

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/capture_time.h"

#include <glib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace sphere::media {

namespace {

constexpr int64_t second_us = 1'000'000;

const std::string* value_at(const Examination& examination, std::string_view path) {
  const auto found = std::ranges::find(examination.parts, path, &Part::path);
  return found == examination.parts.end() || found->value.empty() ? nullptr : &found->value;
}

/// "2026:01:31 12:00:00", with either sign between the numbers of the date, and T or a space.
std::optional<int64_t> seconds_of(const std::string& text) {
  int n[6] = {};
  char dash[2], blank;
  if (std::sscanf(text.c_str(), "%4d%c%2d%c%2d%c%2d:%2d:%2d", &n[0], &dash[0], &n[1], &dash[1],
                  &n[2], &blank, &n[3], &n[4], &n[5]) != 9)
    return std::nullopt;
  g_autoptr(GDateTime) time = g_date_time_new_utc(n[0], n[1], n[2], n[3], n[4], n[5]);
  // Before 1971: a clock that was never set.
  if (!time || n[0] < 1971) return std::nullopt;
  return g_date_time_to_unix(time);
}

/// "+08:00", as Exif has it.
std::optional<int64_t> zone_of(const std::string& text) {
  int hours = 0, minutes = 0;
  char sign = 0;
  if (std::sscanf(text.c_str(), "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
      (sign != '+' && sign != '-') || hours > 14 || minutes > 59)
    return std::nullopt;
  const int64_t seconds = hours * 3600 + minutes * 60;
  return sign == '-' ? -seconds : seconds;
}

int64_t fraction_us(const std::string* text) {
  const double part = text ? g_ascii_strtod(("0." + *text).c_str(), nullptr) : 0;
  return part >= 0 && part < 1 ? static_cast<int64_t>(part * second_us) : 0;
}

}  // namespace

std::optional<CaptureTime> capture_time(const Examination& examination) {
  for (const char* path : {"moov/mvhd", "Info/DateUTC"})
    if (const std::string* text = value_at(examination, path))
      if (const auto seconds = seconds_of(*text)) return CaptureTime{*seconds * second_us, true};
  const std::string* const text = value_at(examination, "Exif/DateTimeOriginal");
  const auto seconds = text ? seconds_of(*text) : std::nullopt;
  if (!seconds) return std::nullopt;
  const std::string* const zone = value_at(examination, "Exif/OffsetTimeOriginal");
  const auto offset = zone ? zone_of(*zone) : std::nullopt;
  const int64_t fraction = fraction_us(value_at(examination, "Exif/SubSecTimeOriginal"));
  return CaptureTime{(*seconds - offset.value_or(0)) * second_us + fraction, offset.has_value()};
}

}  // namespace sphere::media

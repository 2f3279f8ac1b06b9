// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/place.h"

#include <glib.h>

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

namespace {

// Of a second; 6e8 of them fit into a number of Exif.
constexpr double second_parts = 1e7;
constexpr int most_digits = 12;

/// A number without an exponent, whatever the locale is.
std::string decimal(double value, const char* format) {
  char text[G_ASCII_DTOSTR_BUF_SIZE + 320];
  g_ascii_formatd(text, sizeof text, format, value);
  return text;
}

/// Reads digits with a decimal point. Returns how many digits are before the point, 0 if there are
/// none.
size_t read_number(std::string_view* text, double* value) {
  size_t whole = 0, end = 0;
  while (end < text->size() && g_ascii_isdigit((*text)[end])) ++end;
  whole = end;
  if (end < text->size() && (*text)[end] == '.') {
    ++end;
    while (end < text->size() && g_ascii_isdigit((*text)[end])) ++end;
  }
  if (whole == 0 || whole > most_digits) return 0;
  *value = g_ascii_strtod(std::string(text->substr(0, end)).c_str(), nullptr);
  text->remove_prefix(end);
  return whole;
}

/// A number with its sign, as degrees if it has more digits than degrees need.
bool read_signed(std::string_view* text, size_t degree_size, double* value) {
  if (text->empty() || ((*text)[0] != '+' && (*text)[0] != '-')) return false;
  const bool negative = (*text)[0] == '-';
  text->remove_prefix(1);
  const size_t digits = read_number(text, value);
  if (digits == 0) return false;
  double degrees = *value;
  if (degree_size && digits == degree_size + 2) {
    const double whole = std::floor(*value / 100);
    degrees = whole + (*value - whole * 100) / 60;
  } else if (degree_size && digits >= degree_size + 4) {
    const double whole = std::floor(*value / 1e4), minutes = std::floor(*value / 100) - whole * 100;
    degrees = whole + minutes / 60 + std::fmod(*value, 100) / 3600;
  }
  *value = negative ? -degrees : degrees;
  return true;
}

}  // namespace

bool is_position(const Position& position) {
  return std::isfinite(position.latitude) && std::isfinite(position.longitude) &&
         std::abs(position.latitude) <= 90 && std::abs(position.longitude) <= 180;
}

std::string iso6709(const Position& position) {
  std::string text =
      decimal(position.latitude, "%+011.7f") + decimal(position.longitude, "%+012.7f");
  if (position.altitude) text += decimal(*position.altitude, "%+.3f");
  return text + "/";
}

std::optional<Position> parse_iso6709(std::string_view text) {
  for (size_t at = text.find_first_of("+-"); at != std::string_view::npos;
       at = text.find_first_of("+-", at + 1)) {
    std::string_view rest = text.substr(at);
    Position position;
    double altitude = 0;
    if (!read_signed(&rest, 2, &position.latitude) || !read_signed(&rest, 3, &position.longitude) ||
        !is_position(position))
      continue;
    if (read_signed(&rest, 0, &altitude)) position.altitude = altitude;
    return position;
  }
  return std::nullopt;
}

std::string xmp_angle(double degrees, std::string_view letters) {
  // Rounded first, so that there are never 60 minutes.
  const auto parts = static_cast<int64_t>(std::llround(std::abs(degrees) * 60 * 1e6));
  const int64_t whole = parts / 60'000'000;
  std::string text = std::to_string(whole) + ",";
  text += decimal(static_cast<double>(parts - whole * 60'000'000) / 1e6, "%.6f");
  text += letters[degrees < 0];
  return text;
}

std::optional<double> parse_xmp_angle(std::string_view text) {
  while (!text.empty() && g_ascii_isspace(text[0])) text.remove_prefix(1);
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  double degrees = 0, minutes = 0, seconds = 0;
  if (!read_number(&text, &degrees)) return std::nullopt;
  const auto comma = [&] {
    if (text.empty() || text[0] != ',') return false;
    text.remove_prefix(1);
    return true;
  };
  if (comma() && !read_number(&text, &minutes)) return std::nullopt;
  if (comma() && !read_number(&text, &seconds)) return std::nullopt;
  while (!text.empty() && g_ascii_isspace(text[0])) text.remove_prefix(1);
  const char letter = text.empty() ? 'N' : g_ascii_toupper(text[0]);
  if (std::string_view("NSEW").find(letter) == std::string_view::npos) return std::nullopt;
  negative |= letter == 'S' || letter == 'W';
  degrees += minutes / 60 + seconds / 3600;
  if (!(degrees <= 360)) return std::nullopt;
  return negative ? -degrees : degrees;
}

std::array<Rational, 3> rational_angle(double degrees) {
  auto parts = static_cast<uint64_t>(std::llround(std::abs(degrees) * 3600 * second_parts));
  const auto one = static_cast<uint64_t>(second_parts);
  const uint64_t seconds = parts % (60 * one);
  parts /= 60 * one;
  return {Rational{static_cast<uint32_t>(parts / 60), 1},
          Rational{static_cast<uint32_t>(parts % 60), 1},
          Rational{static_cast<uint32_t>(seconds), static_cast<uint32_t>(one)}};
}

std::optional<double> parse_rational_angle(std::span<const uint8_t> bytes, bool little) {
  ByteReader reader(bytes);
  double degrees = 0;
  for (const double unit : {1.0, 60.0, 3600.0}) {
    const uint32_t numerator = little ? reader.u32_little() : reader.u32();
    const uint32_t denominator = little ? reader.u32_little() : reader.u32();
    // Of seconds that are not known, some cameras write 0/0.
    if (denominator == 0 && (numerator != 0 || unit == 1)) return std::nullopt;
    if (denominator) degrees += numerator / (denominator * unit);
  }
  return reader.ok() && degrees <= 360 ? std::optional(degrees) : std::nullopt;
}

}  // namespace sphere::media

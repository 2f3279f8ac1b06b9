// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/position_text.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace sphere::media {

namespace {

constexpr size_t most_positions = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_sign(char c) { return c == '+' || c == '-'; }

/// A number as it is written: digits, and behind a point perhaps more.
struct Number {
  double value = 0;
  size_t whole = 0, decimals = 0;  ///< digits before and behind the point
  size_t end = 0;                  ///< where in the text the next character is
};

/// Longer numbers are no degrees.
constexpr size_t most_digits = 20;

std::optional<Number> number_at(std::string_view text, size_t at) {
  Number number;
  while (at < text.size() && is_digit(text[at]) && number.whole < most_digits) {
    number.value = number.value * 10 + (text[at++] - '0');
    ++number.whole;
  }
  if (at < text.size() && text[at] == '.') {
    double unit = 0.1;
    for (++at; at < text.size() && is_digit(text[at]) && number.decimals < most_digits; ++at) {
      number.value += unit * (text[at] - '0');
      unit /= 10;
      ++number.decimals;
    }
  }
  if (number.whole == 0) return std::nullopt;
  number.end = at;
  return number;
}

bool is_on_earth(double latitude, double longitude) {
  return std::abs(latitude) <= 90 && std::abs(longitude) <= 180 &&
         (latitude != 0 || longitude != 0);
}

// --- ISO 6709 ----------------------------------------------------------------------------------

/// Degrees of DD, DDMM or DDMMSS, where DD has so many digits.
std::optional<double> degrees(const Number& number, size_t digits) {
  if (number.whole == digits) return number.value;
  if (number.whole == digits + 2) {
    const double whole = std::floor(number.value / 100);
    return whole + (number.value - whole * 100) / 60;
  }
  if (number.whole == digits + 4) {
    const double whole = std::floor(number.value / 10000);
    const double rest = number.value - whole * 10000, minutes = std::floor(rest / 100);
    return whole + minutes / 60 + (rest - minutes * 100) / 3600;
  }
  return std::nullopt;
}

/// At a sign. Sets `end` behind what was read.
std::optional<Position> iso6709_at(std::string_view text, size_t at, size_t* end) {
  const auto first = number_at(text, at + 1);
  if (!first || first->end >= text.size() || !is_sign(text[first->end])) return std::nullopt;
  const auto second = number_at(text, first->end + 1);
  if (!second) return std::nullopt;
  const auto latitude = degrees(*first, 2), longitude = degrees(*second, 3);
  if (!latitude || !longitude || !is_on_earth(*latitude, *longitude)) return std::nullopt;
  Position position{text[at] == '-' ? -*latitude : *latitude,
                    text[first->end] == '-' ? -*longitude : *longitude, std::nullopt};
  *end = second->end;
  if (*end < text.size() && is_sign(text[*end]))
    if (const auto altitude = number_at(text, *end + 1)) {
      position.altitude = text[*end] == '-' ? -altitude->value : altitude->value;
      *end = altitude->end;
    }
  return position;
}

// --- NMEA 0183 ---------------------------------------------------------------------------------

/// A field of a sentence; field 0 is its name.
std::string_view field_of(std::string_view sentence, size_t index) {
  for (; index > 0; --index) {
    const size_t comma = sentence.find(',');
    if (comma == std::string_view::npos) return {};
    sentence.remove_prefix(comma + 1);
  }
  return sentence.substr(0, sentence.find_first_of(",*\r\n"));
}

/// DDMM.MMMM of a field, and the hemisphere in the next.
std::optional<double> nmea_degrees(std::string_view sentence, size_t index, char negative) {
  const auto number = number_at(field_of(sentence, index), 0);
  if (!number) return std::nullopt;
  const double whole = std::floor(number->value / 100);
  const double value = whole + (number->value - whole * 100) / 60;
  const std::string_view side = field_of(sentence, index + 1);
  return !side.empty() && side[0] == negative ? -value : value;
}

/// Behind a `$`.
std::optional<Position> nmea_at(std::string_view sentence) {
  sentence = sentence.substr(0, sentence.find_first_of("\r\n"));
  if (sentence.size() < 6 || sentence[5] != ',') return std::nullopt;
  const std::string_view kind = sentence.substr(2, 3);
  const size_t latitude_at = kind == "GGA" ? 2 : kind == "RMC" ? 3 : kind == "GLL" ? 1 : 0;
  if (latitude_at == 0) return std::nullopt;
  const auto latitude = nmea_degrees(sentence, latitude_at, 'S');
  const auto longitude = nmea_degrees(sentence, latitude_at + 2, 'W');
  if (!latitude || !longitude || !is_on_earth(*latitude, *longitude)) return std::nullopt;
  Position position{*latitude, *longitude, std::nullopt};
  constexpr size_t altitude_at = 9;
  if (kind == "GGA")
    if (const auto altitude = number_at(field_of(sentence, altitude_at), 0))
      position.altitude = altitude->value;
  return position;
}

// --- decimal degrees ---------------------------------------------------------------------------

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// What stands between two numbers of a pair and says nothing: `39.9042° N, lon=116.4074`.
size_t skip_between(std::string_view text, size_t at, size_t most, bool* negative) {
  const size_t begin = at;
  for (; at < text.size() && at - begin < most && !is_digit(text[at]) && !is_sign(text[at]); ++at) {
    const bool alone =
        !is_letter(text[at]) || ((at == 0 || !is_letter(text[at - 1])) &&
                                 (at + 1 == text.size() || !is_letter(text[at + 1])));
    if (alone && (text[at] == 'S' || text[at] == 'W')) *negative = true;
  }
  return at;
}

/// At a digit or a sign.
std::optional<Position> decimal_at(std::string_view text, size_t at, size_t* end) {
  constexpr size_t least_decimals = 3, most_between = 24, most_behind = 4;
  bool south = text[at] == '-', west = false;
  const auto latitude = number_at(text, is_sign(text[at]) ? at + 1 : at);
  if (!latitude || latitude->decimals < least_decimals || latitude->whole > 2) return std::nullopt;
  const size_t next = skip_between(text, latitude->end, most_between, &south);
  if (next == latitude->end || next >= text.size()) return std::nullopt;
  west = text[next] == '-';
  const auto longitude = number_at(text, is_sign(text[next]) ? next + 1 : next);
  if (!longitude || longitude->decimals < least_decimals || longitude->whole > 3)
    return std::nullopt;
  skip_between(text, longitude->end, most_behind, &west);
  if (!is_on_earth(latitude->value, longitude->value)) return std::nullopt;
  *end = longitude->end;
  return Position{south ? -latitude->value : latitude->value,
                  west ? -longitude->value : longitude->value, std::nullopt};
}

}  // namespace

std::vector<Position> positions_in(std::string_view text) {
  std::vector<Position> found;
  for (size_t at = 0; at < text.size() && found.size() < most_positions;) {
    size_t end = at + 1;
    std::optional<Position> position;
    const bool begins = at == 0 || (!is_digit(text[at - 1]) && text[at - 1] != '.');
    if (text[at] == '$') {
      position = nmea_at(text.substr(at + 1));
      if (position) end = std::min(text.size(), text.find_first_of("\r\n", at));
    } else if (begins && (is_sign(text[at]) || is_digit(text[at]))) {
      if (is_sign(text[at])) position = iso6709_at(text, at, &end);
      if (!position) position = decimal_at(text, at, &end);
      // The digits of this number don't begin another.
      if (!position && is_digit(text[at]))
        if (const auto number = number_at(text, at)) end = number->end;
    }
    if (position) found.push_back(*position);
    at = end;
  }
  return found;
}

}  // namespace sphere::media

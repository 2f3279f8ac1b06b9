// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/camera_settings.h"

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/printable.h"

namespace sphere::hw {

namespace {

/// Compares words without case and spaces, so that "3456x1728@30 hd" is found and "25%" is "25 %".
std::string folded(std::string_view words) {
  std::string out;
  for (const char c : words)
    if (!g_ascii_isspace(c)) out += g_ascii_tolower(c);
  return out;
}

/// Whether the words are this number with a unit: "0.5 s" is "0.5".
bool is_number_with_unit(const std::string& words, std::string_view number) {
  char* end = nullptr;
  g_ascii_strtod(words.c_str(), &end);
  const auto length = static_cast<size_t>(end - words.c_str());
  return length > 0 && words[length] == ' ' && number == std::string_view(words).substr(0, length);
}

}  // namespace

std::string SettingInfo::words_of(int64_t value) const {
  for (const Choice& choice : choices)
    if (choice.value == value && !choice.words.empty()) return choice.words;
  const bool is_fraction = fraction_base != 0 && value > fraction_base;
  return (is_fraction ? "1/" + std::to_string(value - fraction_base) : std::to_string(value)) +
         (unit.empty() ? "" : " " + unit);
}

std::string SettingInfo::possible() const {
  std::string all;
  for (const Choice& choice : choices) {
    // Two values may have the same words.
    const std::string words = words_of(choice.value);
    const bool twice = std::ranges::count_if(choices, [&](const Choice& other) {
                         return words_of(other.value) == words;
                       }) > 1;
    all += (all.empty() ? "" : ", ") + words +
           (twice ? " (" + std::to_string(choice.value) + ")" : "");
  }
  if (const std::string numbers = range(); !numbers.empty())
    all += (all.empty() ? "" : ", ") + numbers;
  return all;
}

std::string SettingInfo::range() const {
  if (max < min) return {};
  // The unit is said once.
  const std::string first = words_of(min);
  return first.substr(0, first.size() - (unit.empty() ? 0 : unit.size() + 1)) + " to " +
         words_of(max);
}

bool SettingInfo::takes(int64_t value) const {
  return (max >= min && value >= min && value <= max) ||
         std::ranges::any_of(choices, [&](const Choice& choice) { return choice.value == value; });
}

Result<int64_t> SettingInfo::parse(std::string_view text) const {
  const std::string wanted = folded(text);
  for (const Choice& choice : choices)
    if (!choice.words.empty() && folded(choice.words) == wanted) return choice.value;
  for (const Choice& choice : choices)
    if (is_number_with_unit(choice.words, wanted)) return choice.value;
  std::string digits = wanted;
  // The numbers of these choices are not the values.
  if (max < min && !unit.empty()) digits.clear();
  const std::string folded_unit = folded(unit);
  if (!folded_unit.empty() && digits.ends_with(folded_unit))
    digits.resize(digits.size() - folded_unit.size());
  gint64 value = 0;
  const bool is_fraction = fraction_base != 0 && digits.starts_with("1/");
  if (is_fraction) digits.erase(0, 2);
  if (g_ascii_string_to_signed(digits.c_str(), 10, G_MININT64, G_MAXINT64, &value, nullptr) &&
      takes(is_fraction ? fraction_base + value : value))
    return is_fraction ? fraction_base + value : value;
  return invalid("'" + printable(text, 100) + "' is not a value of " + name + ", which can be " +
                 possible());
}

const SettingInfo* find_setting(const std::vector<SettingInfo>& settings, std::string_view name) {
  const auto found = std::ranges::find(settings, name, &SettingInfo::name);
  return found == settings.end() ? nullptr : &*found;
}

}  // namespace sphere::hw

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/custom_data.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "gst/sphere/media/position_text.h"
#include "plugins/privacy/allowance.h"
#include "plugins/privacy/tags.h"

namespace sphere::privacy {

namespace {

constexpr int most_depth = 8;

constexpr auto place_words = std::to_array<std::string_view>(
    {"lat", "latitude", "lon", "lng", "longitude", "gps", "gnss", "geo", "location", "place",
     "altitude", "elevation", "coordinates", "nmea"});

/// Whether one of the words of a name, such as `gps-fix` or `geoLocation`, is about a place.
bool names_place(std::string_view name) {
  std::string word;
  for (size_t i = 0; i <= name.size(); ++i) {
    const bool letter = i < name.size() && g_ascii_isalpha(name[i]);
    if (!letter || g_ascii_isupper(name[i])) {
      if (std::ranges::find(place_words, word) != place_words.end()) return true;
      if (!letter) word.clear();
      // In GPSFix and in geoLocation another word begins at each capital that follows a small one.
      if (letter && i > 0 && g_ascii_islower(name[i - 1])) word.clear();
    }
    if (letter) word += g_ascii_tolower(name[i]);
  }
  return false;
}

bool tells(const GstStructure* structure, int depth);

bool value_tells(const GValue* value, int depth) {
  if (G_VALUE_HOLDS_STRING(value))
    return g_value_get_string(value) && !media::positions_in(g_value_get_string(value)).empty();
  if (GST_VALUE_HOLDS_STRUCTURE(value))
    return !gst_value_get_structure(value) || tells(gst_value_get_structure(value), depth + 1);
  if (G_VALUE_TYPE(value) == GST_TYPE_TAG_LIST) {
    const auto* tags = static_cast<const GstTagList*>(g_value_get_boxed(value));
    return tags && has_denied_tags(tags, Allowance());
  }
  return false;
}

bool tells(const GstStructure* structure, int depth) {
  if (depth > most_depth || names_place(gst_structure_get_name(structure))) return true;
  for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    if (names_place(name) || value_tells(gst_structure_get_value(structure, name), depth))
      return true;
  }
  return false;
}

}  // namespace

bool may_tell_place(const GstStructure* structure) { return structure && tells(structure, 0); }

}  // namespace sphere::privacy

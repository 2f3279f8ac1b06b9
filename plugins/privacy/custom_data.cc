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

/// The events of our own elements with bytes: the lenses, and how the camera was held.
constexpr auto own_names = std::to_array<std::string_view>({"sphere-lens", "sphere-orientation"});

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

bool text_tells(const char* text) { return text && !media::positions_in(text).empty(); }

/// Buffers, objects and such may tell anything.
bool is_opaque(const GValue* value) {
  static constexpr GType kinds[] = {G_TYPE_BOXED,   G_TYPE_OBJECT, G_TYPE_INTERFACE,
                                    G_TYPE_POINTER, G_TYPE_PARAM,  G_TYPE_VARIANT};
  return std::ranges::find(kinds, G_TYPE_FUNDAMENTAL(G_VALUE_TYPE(value))) != std::end(kinds);
}

bool value_tells(const GValue* value, int depth) {
  if (depth > most_depth) return true;
  if (G_VALUE_HOLDS_STRING(value)) return text_tells(g_value_get_string(value));
  if (G_VALUE_HOLDS(value, G_TYPE_STRV)) {
    const auto* texts = static_cast<const char* const*>(g_value_get_boxed(value));
    for (; texts && *texts; ++texts)
      if (text_tells(*texts)) return true;
    return false;
  }
  if (GST_VALUE_HOLDS_LIST(value)) {
    for (guint i = 0; i < gst_value_list_get_size(value); ++i)
      if (value_tells(gst_value_list_get_value(value, i), depth + 1)) return true;
    return false;
  }
  if (GST_VALUE_HOLDS_ARRAY(value)) {
    for (guint i = 0; i < gst_value_array_get_size(value); ++i)
      if (value_tells(gst_value_array_get_value(value, i), depth + 1)) return true;
    return false;
  }
  if (GST_VALUE_HOLDS_STRUCTURE(value))
    return !gst_value_get_structure(value) || tells(gst_value_get_structure(value), depth + 1);
  if (G_VALUE_TYPE(value) == GST_TYPE_TAG_LIST) {
    const auto* tags = static_cast<const GstTagList*>(g_value_get_boxed(value));
    return tags && has_denied_tags(tags, Allowance());
  }
  return is_opaque(value);
}

bool tells(const GstStructure* structure, int depth) {
  if (depth > most_depth || names_place(gst_structure_get_name(structure))) return true;
  const bool own =
      std::ranges::find(own_names, std::string_view(gst_structure_get_name(structure))) !=
      own_names.end();
  for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const GValue* value = gst_structure_get_value(structure, name);
    if (names_place(name) ||
        (!(own && G_VALUE_HOLDS(value, G_TYPE_BYTES)) && value_tells(value, depth)))
      return true;
  }
  return false;
}

}  // namespace

bool may_tell_place(const GstStructure* structure) { return structure && tells(structure, 0); }

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/tags.h"

#include <gst/tag/tag.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/position_text.h"
#include "plugins/privacy/buffer_bytes.h"

namespace sphere::privacy {

namespace {

using consent::Precision;
using media::PartClass;

// Needed to show a medium, or chosen by a person for it to be found by.
constexpr auto useful_tags = std::to_array<std::string_view>({
    GST_TAG_TITLE,
    GST_TAG_TITLE_SORTNAME,
    GST_TAG_ALBUM,
    GST_TAG_ALBUM_SORTNAME,
    GST_TAG_GENRE,
    GST_TAG_TRACK_NUMBER,
    GST_TAG_TRACK_COUNT,
    GST_TAG_ALBUM_VOLUME_NUMBER,
    GST_TAG_ALBUM_VOLUME_COUNT,
    GST_TAG_LICENSE,
    GST_TAG_LICENSE_URI,
    GST_TAG_DURATION,
    GST_TAG_CODEC,
    GST_TAG_VIDEO_CODEC,
    GST_TAG_AUDIO_CODEC,
    GST_TAG_SUBTITLE_CODEC,
    GST_TAG_CONTAINER_FORMAT,
    GST_TAG_BITRATE,
    GST_TAG_NOMINAL_BITRATE,
    GST_TAG_MINIMUM_BITRATE,
    GST_TAG_MAXIMUM_BITRATE,
    GST_TAG_LANGUAGE_CODE,
    GST_TAG_LANGUAGE_NAME,
    GST_TAG_TRACK_GAIN,
    GST_TAG_TRACK_PEAK,
    GST_TAG_ALBUM_GAIN,
    GST_TAG_ALBUM_PEAK,
    GST_TAG_REFERENCE_LEVEL,
    GST_TAG_BEATS_PER_MINUTE,
    GST_TAG_IMAGE,
    GST_TAG_PREVIEW_IMAGE,
    GST_TAG_IMAGE_ORIENTATION,
    GST_TAG_IMAGE_HORIZONTAL_PPI,
    GST_TAG_IMAGE_VERTICAL_PPI,
    GST_TAG_CAPTURING_SHUTTER_SPEED,
    GST_TAG_CAPTURING_FOCAL_RATIO,
    GST_TAG_CAPTURING_FOCAL_LENGTH,
    GST_TAG_CAPTURING_FOCAL_LENGTH_35_MM,
    GST_TAG_CAPTURING_DIGITAL_ZOOM_RATIO,
    GST_TAG_CAPTURING_ISO_SPEED,
    GST_TAG_CAPTURING_EXPOSURE_PROGRAM,
    GST_TAG_CAPTURING_EXPOSURE_MODE,
    GST_TAG_CAPTURING_EXPOSURE_COMPENSATION,
    GST_TAG_CAPTURING_SCENE_CAPTURE_TYPE,
    GST_TAG_CAPTURING_GAIN_ADJUSTMENT,
    GST_TAG_CAPTURING_WHITE_BALANCE,
    GST_TAG_CAPTURING_CONTRAST,
    GST_TAG_CAPTURING_SATURATION,
    GST_TAG_CAPTURING_SHARPNESS,
    GST_TAG_CAPTURING_FLASH_FIRED,
    GST_TAG_CAPTURING_FLASH_MODE,
    GST_TAG_CAPTURING_METERING_MODE,
    GST_TAG_CAPTURING_SOURCE,
});

// Persons, devices and programs. In Exif the artist and the copyright name the owner.
constexpr auto identity_tags = std::to_array<std::string_view>({
    GST_TAG_DEVICE_MANUFACTURER,
    GST_TAG_DEVICE_MODEL,
    GST_TAG_APPLICATION_NAME,
    GST_TAG_ENCODER,
    GST_TAG_ENCODER_VERSION,
    GST_TAG_ENCODED_BY,
    GST_TAG_SERIAL,
    GST_TAG_ISRC,
    GST_TAG_ARTIST,
    GST_TAG_ARTIST_SORTNAME,
    GST_TAG_ALBUM_ARTIST,
    GST_TAG_ALBUM_ARTIST_SORTNAME,
    GST_TAG_PERFORMER,
    GST_TAG_COMPOSER,
    GST_TAG_COMPOSER_SORTNAME,
    GST_TAG_CONDUCTOR,
    GST_TAG_CONTACT,
    GST_TAG_ORGANIZATION,
    GST_TAG_PUBLISHER,
    GST_TAG_COPYRIGHT,
    GST_TAG_COPYRIGHT_URI,
    GST_TAG_HOMEPAGE,
    GST_TAG_LOCATION,
});

constexpr auto time_tags = std::to_array<std::string_view>({GST_TAG_DATE, GST_TAG_DATE_TIME});

// The tags of GStreamer's core and of its libraries all begin in this way.
constexpr std::string_view place_begin = "geo-location-";

template <size_t n>
bool is_one_of(const std::array<std::string_view, n>& tags, std::string_view tag) {
  return std::ranges::find(tags, tag) != tags.end();
}

/// Whether this much of a place, other than the degrees, may be told.
bool may_be_told(std::string_view tag, const Allowance& allowance) {
  if (tag == GST_TAG_GEO_LOCATION_COUNTRY) return true;
  if (tag == GST_TAG_GEO_LOCATION_CITY) return allowance.precision <= Precision::city;
  return allowance.precision == Precision::exact;
}

double rounded_degrees(double degrees, bool latitude, Precision precision) {
  const Position whole =
      consent::rounded({latitude ? degrees : 0, latitude ? 0 : degrees, std::nullopt}, precision);
  return latitude ? whole.latitude : whole.longitude;
}

void append(GstTagList* to, const char* tag, const GValue* value) {
  gst_tag_list_add_value(to, GST_TAG_MERGE_APPEND, tag, value);
}

void add_place(GstTagList* to, const char* tag, const GValue* value, const Allowance& allowance) {
  if (!allowance.place) return;
  const bool latitude = g_str_equal(tag, GST_TAG_GEO_LOCATION_LATITUDE);
  if (!latitude && !g_str_equal(tag, GST_TAG_GEO_LOCATION_LONGITUDE)) {
    if (may_be_told(tag, allowance)) append(to, tag, value);
  } else if (G_VALUE_HOLDS_DOUBLE(value)) {
    gst_tag_list_add(to, GST_TAG_MERGE_APPEND, tag,
                     rounded_degrees(g_value_get_double(value), latitude, allowance.precision),
                     nullptr);
  }
}

void add_picture(GstTagList* to, const char* tag, GstSample* sample, const Allowance& allowance) {
  const std::vector<uint8_t> bytes = bytes_of(sample ? gst_sample_get_buffer(sample) : nullptr);
  const std::vector<uint8_t> clean = allowed_picture(bytes, allowance);
  if (clean.empty()) return;
  const BufferRef own(gst_buffer_new_memdup(clean.data(), clean.size()));
  const GstCaps* caps = gst_sample_get_caps(sample);
  const CapsRef plain(
      caps && gst_caps_get_size(caps) > 0
          ? gst_caps_new_empty_simple(gst_structure_get_name(gst_caps_get_structure(caps, 0)))
          : nullptr);
  GstSample* own_sample = gst_sample_new(own.get(), plain.get(), nullptr, nullptr);
  gst_tag_list_add(to, GST_TAG_MERGE_APPEND, tag, own_sample, nullptr);
  gst_sample_unref(own_sample);
}

void add_useful(GstTagList* to, const char* tag, const GValue* value, const Allowance& allowance) {
  if (allowance.everything()) {
    append(to, tag, value);
  } else if (GST_VALUE_HOLDS_SAMPLE(value)) {
    add_picture(to, tag, gst_value_get_sample(value), allowance);
  } else if (!G_VALUE_HOLDS_STRING(value) || allowance.exact_place() ||
             !g_value_get_string(value) || media::positions_in(g_value_get_string(value)).empty()) {
    append(to, tag, value);
  }
}

}  // namespace

PartClass class_of_tag(const char* tag) {
  const std::string_view name(tag);
  if (name.starts_with(place_begin)) return PartClass::place;
  if (is_one_of(time_tags, name)) return PartClass::time;
  if (is_one_of(identity_tags, name)) return PartClass::identity;
  if (is_one_of(useful_tags, name)) return PartClass::useful;
  return PartClass::unknown;
}

TagsRef allowed_tags(const GstTagList* tags, const Allowance& allowance) {
  TagsRef allowed(gst_tag_list_new_empty());
  gst_tag_list_set_scope(allowed.get(), gst_tag_list_get_scope(tags));
  for (gint i = 0; i < gst_tag_list_n_tags(tags); ++i) {
    const char* tag = gst_tag_list_nth_tag_name(tags, static_cast<guint>(i));
    const PartClass part_class = class_of_tag(tag);
    for (guint k = 0; k < gst_tag_list_get_tag_size(tags, tag); ++k) {
      const GValue* value = gst_tag_list_get_value_index(tags, tag, k);
      if (part_class == PartClass::place)
        add_place(allowed.get(), tag, value, allowance);
      else if (part_class == PartClass::useful)
        add_useful(allowed.get(), tag, value, allowance);
      else if (allowance.everything() || allowance.policy().allows(part_class))
        append(allowed.get(), tag, value);
    }
  }
  return allowed;
}

bool has_denied_tags(const GstTagList* tags, const Allowance& allowance) {
  return !gst_tag_list_is_equal(tags, allowed_tags(tags, allowance).get());
}

TagsRef take_private_tags(GstTagList* tags) {
  TagsRef taken;
  for (gint i = gst_tag_list_n_tags(tags); i-- > 0;) {
    const std::string tag = gst_tag_list_nth_tag_name(tags, static_cast<guint>(i));
    if (class_of_tag(tag.c_str()) == PartClass::useful) continue;
    if (!taken) taken.reset(gst_tag_list_new_empty());
    for (guint k = 0; k < gst_tag_list_get_tag_size(tags, tag.c_str()); ++k)
      append(taken.get(), tag.c_str(), gst_tag_list_get_value_index(tags, tag.c_str(), k));
    gst_tag_list_remove_tag(tags, tag.c_str());
  }
  return taken;
}

TagsRef place_tags(const GstTagList* tags) {
  TagsRef place(gst_tag_list_new_empty());
  for (gint i = 0; i < gst_tag_list_n_tags(tags); ++i) {
    const char* tag = gst_tag_list_nth_tag_name(tags, static_cast<guint>(i));
    if (class_of_tag(tag) != PartClass::place) continue;
    for (guint k = 0; k < gst_tag_list_get_tag_size(tags, tag); ++k)
      append(place.get(), tag, gst_tag_list_get_value_index(tags, tag, k));
  }
  return place;
}

void remove_place_tags(GstTagList* tags) {
  for (gint i = gst_tag_list_n_tags(tags); i-- > 0;) {
    const std::string tag = gst_tag_list_nth_tag_name(tags, static_cast<guint>(i));
    if (class_of_tag(tag.c_str()) == PartClass::place) gst_tag_list_remove_tag(tags, tag.c_str());
  }
}

TagsRef tags_of(const Position& position) {
  TagsRef tags(gst_tag_list_new(GST_TAG_GEO_LOCATION_LATITUDE, position.latitude,
                                GST_TAG_GEO_LOCATION_LONGITUDE, position.longitude, nullptr));
  if (position.altitude)
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_REPLACE, GST_TAG_GEO_LOCATION_ELEVATION,
                     *position.altitude, nullptr);
  return tags;
}

std::vector<uint8_t> allowed_picture(std::span<const uint8_t> bytes, const Allowance& allowance) {
  media::Request request;
  request.policy = allowance.policy();
  request.makers = makers::all();
  const auto found = media::examine(media::MemorySource(bytes), request);
  if (!found) return {};
  auto clean = media::edited(bytes, *found);
  return clean ? std::move(*clean) : std::vector<uint8_t>();
}

}  // namespace sphere::privacy

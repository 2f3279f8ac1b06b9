// SPDX-License-Identifier: LGPL-2.1-or-later
// Tags, caps and streams in events.

#include "plugins/privacy/description.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "plugins/privacy/stream_events.h"
#include "plugins/privacy/stream_headers.h"

namespace sphere::privacy {

namespace {

/// Tags about the format of the stream, not about the sound in it.
bool is_about_form(const char* tag) {
  static const std::array harmless = {
      GST_TAG_AUDIO_CODEC,     GST_TAG_CODEC,           GST_TAG_CONTAINER_FORMAT, GST_TAG_BITRATE,
      GST_TAG_NOMINAL_BITRATE, GST_TAG_MINIMUM_BITRATE, GST_TAG_MAXIMUM_BITRATE,  GST_TAG_ENCODER,
      GST_TAG_ENCODER_VERSION, GST_TAG_LANGUAGE_CODE,   GST_TAG_LANGUAGE_NAME,
  };
  return std::any_of(harmless.begin(), harmless.end(),
                     [&](const char* name) { return g_strcmp0(name, tag) == 0; });
}

void remove_tag(const GstTagList*, const gchar* tag, gpointer list) {
  if (!is_about_form(tag)) gst_tag_list_remove_tag(static_cast<GstTagList*>(list), tag);
}

TagsRef about_form(const GstTagList* tags) {
  TagsRef less(gst_tag_list_copy(tags));
  gst_tag_list_foreach(tags, remove_tag, less.get());
  return less;
}

// --- caps ------------------------------------------------------------------------------------

/// Numbers and names, or arrays and lists of these.
bool is_plain(const GValue* value) {
  const GType type = G_VALUE_TYPE(value);
  if (type == GST_TYPE_ARRAY || type == GST_TYPE_LIST) {
    const bool array = type == GST_TYPE_ARRAY;
    const guint size = array ? gst_value_array_get_size(value) : gst_value_list_get_size(value);
    for (guint i = 0; i < size; ++i)
      if (!is_plain(array ? gst_value_array_get_value(value, i)
                          : gst_value_list_get_value(value, i)))
        return false;
    return true;
  }
  const std::array plain = {
      G_TYPE_INT,
      G_TYPE_UINT,
      G_TYPE_INT64,
      G_TYPE_UINT64,
      G_TYPE_BOOLEAN,
      G_TYPE_STRING,
      G_TYPE_DOUBLE,
      G_TYPE_FLOAT,
      GST_TYPE_FRACTION,
      GST_TYPE_BITMASK,
      GST_TYPE_INT_RANGE,
      GST_TYPE_INT64_RANGE,
      GST_TYPE_FRACTION_RANGE,
  };
  return std::find(plain.begin(), plain.end(), type) != plain.end();
}

/// Codecs whose decoders need headers, which may contain comments.
bool is_of_xiph(std::string_view codec) {
  return codec == "audio/x-opus" || codec == "audio/x-vorbis" || codec == "audio/x-speex" ||
         codec == "audio/x-flac" || codec == "audio/x-celt";
}

gboolean is_harmless(GQuark field, GValue* value, gpointer codec) {
  if (field == g_quark_from_static_string("codec_data"))
    return GST_VALUE_HOLDS_BUFFER(value) && !is_of_xiph(static_cast<const char*>(codec));
  return is_plain(value);
}

}  // namespace

CapsRef without_description(const GstCaps* caps) {
  CapsRef less(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(less.get()); ++i) {
    GstStructure* structure = gst_caps_get_structure(less.get(), i);
    const char* codec = gst_structure_get_name(structure);
    const std::vector<Header> clean = clean_headers(codec, headers_of(structure));
    gst_structure_filter_and_map_in_place(structure, is_harmless, const_cast<char*>(codec));
    if (!clean.empty()) set_headers(structure, clean);
  }
  return less;
}

bool describes_sound(GstEventType type) {
  switch (type) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_STREAM_COLLECTION:
    case GST_EVENT_CAPS:
    case GST_EVENT_TAG:
    case GST_EVENT_TOC:
    case GST_EVENT_SINK_MESSAGE:
      return true;
    default:
      return false;
  }
}

EventRef without_description(EventRef event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_STREAM_COLLECTION:
      return with_changed_streams(
          event, {about_form, [](const GstCaps* caps) { return without_description(caps); }});
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event.get(), &caps);
      return in_place_of(event, gst_event_new_caps(without_description(caps).get()));
    }
    case GST_EVENT_TAG: {
      GstTagList* tags = nullptr;
      gst_event_parse_tag(event.get(), &tags);
      return in_place_of(event, gst_event_new_tag(about_form(tags).release()));
    }
    case GST_EVENT_TOC:
    case GST_EVENT_SINK_MESSAGE:
      return nullptr;
    default:
      return event;
  }
}

EventRef with_own_streams(EventRef event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_STREAM_COLLECTION:
      return with_changed_streams(event, {});
    default:
      return event;
  }
}

void clean_kept_events(GstPad* pad) {
  gst_pad_sticky_events_foreach(
      pad,
      [](GstPad*, GstEvent** event, gpointer) -> gboolean {
        if (describes_sound(GST_EVENT_TYPE(*event)))
          *event = without_description(EventRef(*event)).release();
        return TRUE;
      },
      nullptr);
}

}  // namespace sphere::privacy

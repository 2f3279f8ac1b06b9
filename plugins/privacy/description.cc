// SPDX-License-Identifier: LGPL-2.1-or-later
// Tags, caps and streams in events.

#include "plugins/privacy/description.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "plugins/privacy/stream_headers.h"

namespace sphere::privacy {

namespace {

using TagsRef = std::unique_ptr<GstTagList, MiniObjectUnref>;

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

Header bytes_of(const GValue* value) {
  GstBuffer* buffer = GST_VALUE_HOLDS_BUFFER(value) ? gst_value_get_buffer(value) : nullptr;
  if (!buffer) return {};
  Header bytes(gst_buffer_get_size(buffer));
  bytes.resize(gst_buffer_extract(buffer, 0, bytes.data(), bytes.size()));
  return bytes;
}

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

void set_headers(GstStructure* structure, const std::vector<Header>& headers) {
  GValue array = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  for (const Header& header : headers) {
    GstBuffer* buffer = gst_buffer_new_memdup(header.data(), header.size());
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    gst_value_take_buffer(&value, buffer);
    gst_value_array_append_and_take_value(&array, &value);
  }
  gst_structure_take_value(structure, "streamheader", &array);
}

// --- streams ---------------------------------------------------------------------------------

enum class Say { all, form };

GstStream* own_stream(GstStream* stream, Say say) {
  const CapsRef caps(gst_stream_get_caps(stream));
  const TagsRef tags(gst_stream_get_tags(stream));
  const CapsRef less(caps && say == Say::form ? without_description(caps.get()).release()
                     : caps                   ? gst_caps_ref(caps.get())
                                              : nullptr);
  GstStream* own =
      gst_stream_new(gst_stream_get_stream_id(stream), less.get(),
                     gst_stream_get_stream_type(stream), gst_stream_get_stream_flags(stream));
  if (tags && say == Say::form)
    gst_stream_set_tags(own, about_form(tags.get()).get());
  else if (tags)
    gst_stream_set_tags(own, tags.get());
  return own;
}

GstEvent* own_stream_start(GstEvent* event, Say say) {
  const gchar* id = nullptr;
  guint group = 0;
  GstStreamFlags flags = GST_STREAM_FLAG_NONE;
  gst_event_parse_stream_start(event, &id);
  gst_event_parse_stream_flags(event, &flags);
  GstEvent* own = gst_event_new_stream_start(id);
  gst_event_set_stream_flags(own, flags);
  if (gst_event_parse_group_id(event, &group)) gst_event_set_group_id(own, group);
  GstStream* stream = nullptr;
  gst_event_parse_stream(event, &stream);
  if (stream) {
    const GstRef<GstStream> theirs(stream), ours(own_stream(stream, say));
    gst_event_set_stream(own, ours.get());
  }
  return own;
}

GstEvent* own_collection(GstEvent* event, Say say) {
  GstStreamCollection* found = nullptr;
  gst_event_parse_stream_collection(event, &found);
  if (!found) return nullptr;
  const GstRef<GstStreamCollection> theirs(found),
      ours(gst_stream_collection_new(gst_stream_collection_get_upstream_id(found)));
  for (guint i = 0; i < gst_stream_collection_get_size(found); ++i)
    gst_stream_collection_add_stream(ours.get(),
                                     own_stream(gst_stream_collection_get_stream(found, i), say));
  return gst_event_new_stream_collection(ours.get());
}

EventRef in_place_of(const EventRef& event, GstEvent* own) {
  if (own) {
    gst_event_set_seqnum(own, gst_event_get_seqnum(event.get()));
    gst_event_set_running_time_offset(own, gst_event_get_running_time_offset(event.get()));
  }
  return EventRef(own);
}

}  // namespace

CapsRef without_description(const GstCaps* caps) {
  CapsRef less(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(less.get()); ++i) {
    GstStructure* structure = gst_caps_get_structure(less.get(), i);
    const char* codec = gst_structure_get_name(structure);
    std::vector<Header> headers;
    const GValue* all = gst_structure_get_value(structure, "streamheader");
    if (all && GST_VALUE_HOLDS_ARRAY(all))
      for (guint k = 0; k < gst_value_array_get_size(all); ++k)
        headers.push_back(bytes_of(gst_value_array_get_value(all, k)));
    const std::vector<Header> clean = clean_headers(codec, headers);
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
      return in_place_of(event, own_stream_start(event.get(), Say::form));
    case GST_EVENT_STREAM_COLLECTION:
      return in_place_of(event, own_collection(event.get(), Say::form));
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
      return in_place_of(event, own_stream_start(event.get(), Say::all));
    case GST_EVENT_STREAM_COLLECTION:
      return in_place_of(event, own_collection(event.get(), Say::all));
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

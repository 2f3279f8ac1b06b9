// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/stream_events.h"

#include "plugins/privacy/buffer_bytes.h"

namespace sphere::privacy {

namespace {

GstStream* own_stream(GstStream* stream, const StreamChange& change) {
  const CapsRef caps(gst_stream_get_caps(stream));
  const TagsRef tags(gst_stream_get_tags(stream));
  const CapsRef own_caps = caps && change.caps ? change.caps(caps.get()) : nullptr;
  const TagsRef own_tags = tags && change.tags ? change.tags(tags.get()) : nullptr;
  GstStream* own =
      gst_stream_new(gst_stream_get_stream_id(stream), own_caps ? own_caps.get() : caps.get(),
                     gst_stream_get_stream_type(stream), gst_stream_get_stream_flags(stream));
  if (tags) gst_stream_set_tags(own, own_tags ? own_tags.get() : tags.get());
  return own;
}

GstEvent* own_stream_start(GstEvent* event, const StreamChange& change) {
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
    const GstRef<GstStream> theirs(stream), ours(own_stream(stream, change));
    gst_event_set_stream(own, ours.get());
  }
  return own;
}

GstEvent* own_collection(GstEvent* event, const StreamChange& change) {
  GstStreamCollection* found = nullptr;
  gst_event_parse_stream_collection(event, &found);
  if (!found) return nullptr;
  const GstRef<GstStreamCollection> theirs(found),
      ours(gst_stream_collection_new(gst_stream_collection_get_upstream_id(found)));
  for (guint i = 0; i < gst_stream_collection_get_size(found); ++i)
    gst_stream_collection_add_stream(
        ours.get(), own_stream(gst_stream_collection_get_stream(found, i), change));
  return gst_event_new_stream_collection(ours.get());
}

}  // namespace

EventRef in_place_of(const EventRef& event, GstEvent* own) {
  if (own) {
    gst_event_set_seqnum(own, gst_event_get_seqnum(event.get()));
    gst_event_set_running_time_offset(own, gst_event_get_running_time_offset(event.get()));
  }
  return EventRef(own);
}

EventRef with_changed_streams(const EventRef& event, const StreamChange& change) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_STREAM_START)
    return in_place_of(event, own_stream_start(event.get(), change));
  return in_place_of(event, own_collection(event.get(), change));
}

std::vector<Header> headers_of(const GstStructure* structure) {
  std::vector<Header> headers;
  const GValue* all = gst_structure_get_value(structure, "streamheader");
  if (all && GST_VALUE_HOLDS_ARRAY(all))
    for (guint i = 0; i < gst_value_array_get_size(all); ++i)
      headers.push_back(bytes_of(buffer_in(gst_value_array_get_value(all, i))));
  return headers;
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

}  // namespace sphere::privacy

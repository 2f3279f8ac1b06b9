// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/cameratags.h"

namespace sphere {

namespace {

// GST_QT_DEMUX_PRIVATE_TAG, which no header has.
constexpr const char* private_tag = "private-qt-tag";

}  // namespace

GstEvent* take_camera_tags(GstEvent* event, makers::CaptureInfo* info) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_TAG) return event;
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  const guint count = gst_tag_list_get_tag_size(tags, private_tag);
  if (count == 0) return event;
  for (guint n = 0; n < count; ++n) {
    g_autoptr(GstSample) sample = nullptr;
    if (!gst_tag_list_get_sample_index(tags, private_tag, n, &sample)) continue;
    GstBuffer* box = gst_sample_get_buffer(sample);
    GstMapInfo map;
    if (!box || !gst_buffer_map(box, &map, GST_MAP_READ)) continue;
    makers::read_box({map.data, map.size}, info);
    gst_buffer_unmap(box, &map);
  }
  g_autoptr(GstTagList) others = gst_tag_list_copy(tags);
  gst_tag_list_remove_tag(others, private_tag);
  GstEvent* passed = nullptr;
  if (!gst_tag_list_is_empty(others)) {
    passed = gst_event_new_tag(g_steal_pointer(&others));
    gst_event_set_seqnum(passed, gst_event_get_seqnum(event));
    gst_event_set_running_time_offset(passed, gst_event_get_running_time_offset(event));
  }
  gst_event_unref(event);
  return passed;
}

}  // namespace sphere

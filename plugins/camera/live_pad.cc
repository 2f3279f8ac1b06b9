// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/live_pad.h"

namespace sphere::camera {

namespace {

gboolean pass_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK) return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return FALSE;
}

gboolean answer_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  return answer_about_seeking(query) || gst_pad_query_default(pad, parent, query);
}

}  // namespace

void refuse_seeks(GstPad* pad) {
  gst_pad_set_event_function(pad, pass_event);
  gst_pad_set_query_function(pad, answer_query);
}

bool answer_about_seeking(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_SEEKING) return false;
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
  gst_query_set_seeking(query, format, FALSE, 0, -1);
  return true;
}

}  // namespace sphere::camera

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/view/transform.h"

#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "gst/sphere/warp/pictureformats.h"

namespace sphere {

namespace {

GQuark viewing_quark() {
  static const GQuark quark = g_quark_from_static_string("gst-sphere-viewing");
  return quark;
}

Viewing* viewing_of(GstBaseTransform* transform) {
  return static_cast<Viewing*>(g_object_get_qdata(G_OBJECT(transform), viewing_quark()));
}

GstBaseTransformClass* parent_of(GstBaseTransform* transform) {
  return GST_BASE_TRANSFORM_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(transform)));
}

GstCaps* fixate_caps(GstBaseTransform* transform, GstPadDirection direction, GstCaps* caps,
                     GstCaps* others) {
  if (direction == GST_PAD_SINK) {
    Viewing* const viewing = viewing_of(transform);
    return fixate_output(caps, others, viewing->projection(), viewing->input());
  }
  return parent_of(transform)->fixate_caps(transform, direction, caps, others);
}

gboolean src_event(GstBaseTransform* transform, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION && viewing_of(transform)->navigate(event)) {
    // Its position is one in the view, so that it means nothing upstream.
    gst_event_unref(event);
    return TRUE;
  }
  return parent_of(transform)->src_event(transform, event);
}

gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta* meta, GstBuffer*) {
  return view_keeps_meta(meta);
}

}  // namespace

gboolean view_transform_query(GstBaseTransform* transform, GstPadDirection direction,
                              GstQuery* query) {
  const gboolean answered = parent_of(transform)->query(transform, direction, query);
  if (answered && direction == GST_PAD_SINK && GST_QUERY_TYPE(query) == GST_QUERY_CAPS)
    leave_size_open(query);
  return answered;
}

bool view_keeps_meta(const GstMeta* meta) {
  return meta->info->api == GST_SPHERE_ORIENTATION_META_API_TYPE || stays_true_of_warped(meta);
}

void install_view_transform(GstBaseTransformClass* klass) {
  klass->transform_caps = caps_of_other_side;
  klass->fixate_caps = fixate_caps;
  klass->query = view_transform_query;
  klass->src_event = src_event;
  klass->before_transform = sync_to_stream_time;
  klass->transform_meta = transform_meta;
  klass->passthrough_on_same_caps = FALSE;
}

void init_view_transform(GstBaseTransform* transform, Viewing* viewing) {
  g_object_set_qdata(G_OBJECT(transform), viewing_quark(), viewing);
  // The picture is never the same on both sides, even if the caps are.
  gst_base_transform_set_passthrough(transform, FALSE);
  gst_base_transform_set_in_place(transform, FALSE);
}

}  // namespace sphere

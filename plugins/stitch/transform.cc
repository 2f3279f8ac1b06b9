// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/transform.h"

#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "gst/sphere/warp/pictureformats.h"

namespace sphere {

namespace {

GQuark stitching_quark() {
  static const GQuark quark = g_quark_from_static_string("gst-sphere-stitching");
  return quark;
}

Stitching* stitching_of(GstBaseTransform* transform) {
  return static_cast<Stitching*>(g_object_get_qdata(G_OBJECT(transform), stitching_quark()));
}

GstBaseTransformClass* parent_of(GstBaseTransform* transform) {
  return GST_BASE_TRANSFORM_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(transform)));
}

GstCaps* fixate_caps(GstBaseTransform* transform, GstPadDirection direction, GstCaps* caps,
                     GstCaps* others) {
  if (direction == GST_PAD_SINK)
    return fixate_output(caps, others, stitching_of(transform)->projection());
  return parent_of(transform)->fixate_caps(transform, direction, caps, others);
}

gboolean sink_event(GstBaseTransform* transform, GstEvent* event) {
  GstEvent* passed = stitching_of(transform)->observe(event);
  return passed ? parent_of(transform)->sink_event(transform, passed) : TRUE;
}

gboolean transform_meta(GstBaseTransform* transform, GstBuffer* out, GstMeta* meta, GstBuffer* in) {
  return stitch_keeps_meta(meta);
}

}  // namespace

gboolean stitch_transform_query(GstBaseTransform* transform, GstPadDirection direction,
                                GstQuery* query) {
  const gboolean answered = parent_of(transform)->query(transform, direction, query);
  if (answered && direction == GST_PAD_SINK && GST_QUERY_TYPE(query) == GST_QUERY_CAPS)
    leave_size_open(query);
  return answered;
}

bool stitch_keeps_meta(const GstMeta* meta) {
  return meta->info->api == GST_SPHERE_ORIENTATION_META_API_TYPE || stays_true_of_warped(meta);
}

void install_stitch_transform(GstBaseTransformClass* klass) {
  klass->transform_caps = caps_of_other_side;
  klass->fixate_caps = fixate_caps;
  klass->query = stitch_transform_query;
  klass->sink_event = sink_event;
  klass->before_transform = sync_to_stream_time;
  klass->transform_meta = transform_meta;
  klass->passthrough_on_same_caps = FALSE;
}

void init_stitch_transform(GstBaseTransform* transform, Stitching* stitching) {
  g_object_set_qdata(G_OBJECT(transform), stitching_quark(), stitching);
  // The picture is never the same on both sides, even if the caps are.
  gst_base_transform_set_passthrough(transform, FALSE);
  gst_base_transform_set_in_place(transform, FALSE);
}

}  // namespace sphere

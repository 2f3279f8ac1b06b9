// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/glwarpelement.h"

#include <utility>

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/gl/headless.h"

namespace sphere {

namespace {

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) ensure_display(GST_GL_BASE_FILTER(element));
  return parent_class_of<GstElementClass>(element)->change_state(element, transition);
}

gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
  prepare_context_query(GST_GL_BASE_FILTER(base), query);
  return query_with_open_size(base, direction, query);
}

gboolean propose_allocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  return propose_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

gboolean decide_allocation(GstBaseTransform* base, GstQuery* query) {
  return parent_class_of<GstBaseTransformClass>(base)->decide_allocation(base, query) &&
         decide_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

}  // namespace

bool GlDrawer::set_caps(const GstCaps* in, const GstCaps* out) {
  return gst_video_info_from_caps(&in_info_, in) && gst_video_info_from_caps(&out_info_, out);
}

Status GlDrawer::draw_buffer(GstGLContext* context, GstBuffer* in_buffer, GstBuffer* out_buffer) {
  if (!warp_) return failed("GL does not run");
  if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(in_buffer))
    gst_gl_sync_meta_wait(sync, context);
  VideoFrame in(in_info_, in_buffer, GST_MAP_READ | GST_MAP_GL);
  VideoFrame out(out_info_, out_buffer, GST_MAP_WRITE | GST_MAP_GL);
  if (!in || !out) return failed("a picture can't be reached by GL");
  Status drawn = draw(context, *in, *out);
  if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(out_buffer))
    gst_gl_sync_meta_set_sync_point(sync, context);
  return drawn;
}

GstFlowReturn GlDrawer::transform(GstBuffer* in, GstBuffer* out) {
  const bool drawn = draw_on_gl_thread(
      filter_, [&](GstGLContext* context) { return draw_buffer(context, in, out); });
  return drawn ? GST_FLOW_OK : GST_FLOW_ERROR;
}

bool GlDrawer::gl_start() {
  Result<std::unique_ptr<GlWarp>> made = GlWarp::make(filter_->context);
  if (!made) {
    GST_ELEMENT_ERROR(filter_, RESOURCE, FAILED, ("%s", advice_),
                      ("%s", made.error().message.c_str()));
    return false;
  }
  warp_ = std::move(*made);
  return true;
}

bool GlDrawer::gl_set_caps(const GstCaps* in_caps, const GstCaps* out_caps) {
  GstVideoInfo in, out;
  if (!warp_ || !gst_video_info_from_caps(&in, in_caps) ||
      !gst_video_info_from_caps(&out, out_caps))
    return false;
  if (const Status set = warp_->set_formats(in, out); !set) {
    GST_ELEMENT_ERROR(filter_, RESOURCE, SETTINGS, ("%s.", set.error().message.c_str()), (nullptr));
    return false;
  }
  return true;
}

void install_gl_filter(GstGLBaseFilterClass* klass) {
  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  install_pads(element_class, SPHERE_GL_CAPS);
  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->get_unit_size = gl_unit_size;
  base_class->propose_allocation = propose_allocation;
  base_class->decide_allocation = decide_allocation;
  base_class->query = query;
  klass->supported_gl_api =
      static_cast<GstGLAPI>(GST_GL_API_OPENGL | GST_GL_API_OPENGL3 | GST_GL_API_GLES2);
}

}  // namespace sphere

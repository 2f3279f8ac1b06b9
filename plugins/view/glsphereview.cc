// SPDX-License-Identifier: LGPL-2.1-or-later
// glsphereview: a view of a 360 picture, drawn on the GPU.

/**
 * SECTION:element-glsphereview
 * @title: glsphereview
 *
 * Draws a view of a 360 picture with GL. If there is no display server, the
 * element makes a headless display for itself and the GL elements around it. See #sphereview.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc output=equirect ! glupload ! glsphereview yaw=60 fov=100 ! gldownload ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/view/glsphereview.h"

#include <gst/gl/gl.h>
#include <gst/video/video.h>

#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/gl/buffers.h"
#include "gst/sphere/gl/headless.h"
#include "gst/sphere/warp/glwarp.h"
#include "plugins/view/transform.h"

GST_DEBUG_CATEGORY_STATIC(glsphereview_debug);
#define GST_CAT_DEFAULT glsphereview_debug

namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(SPHERE_GL_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(SPHERE_GL_CAPS));

class GLSphereView {
 public:
  explicit GLSphereView(GstElement* owner) : viewing(owner) {}

  /// Draws one buffer into another, on the GL thread.
  sphere::Status draw(GstGLContext* context, GstBuffer* in_buffer, GstBuffer* out_buffer) {
    if (!warp) return sphere::failed("GL does not run");
    if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(in_buffer))
      gst_gl_sync_meta_wait(sync, context);
    sphere::VideoFrame in(in_info, in_buffer, GST_MAP_READ | GST_MAP_GL);
    sphere::VideoFrame out(out_info, out_buffer, GST_MAP_WRITE | GST_MAP_GL);
    if (!in || !out) return sphere::failed("a picture can't be reached by GL");
    sphere::Status drawn =
        warp->draw(viewing.grids(), viewing.generation(), *in, *out, viewing.is_cubic());
    if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(out_buffer))
      gst_gl_sync_meta_set_sync_point(sync, context);
    return drawn;
  }

  sphere::Viewing viewing;

  // State of the stream, set before the first buffer.
  GstVideoInfo in_info{}, out_info{};
  // It exists from gl_start to gl_stop and is used only by the GL thread.
  std::unique_ptr<sphere::GlWarp> warp;
};

}  // namespace

struct _GstGLSphereView {
  GstGLBaseFilter parent;
  GLSphereView* self;
};

G_DEFINE_TYPE(GstGLSphereView, gst_gl_sphere_view, GST_TYPE_GL_BASE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(glsphereview, "glsphereview", GST_RANK_NONE, GST_TYPE_GL_SPHERE_VIEW)

namespace {

GstBaseTransformClass* parent_transform_class() {
  return GST_BASE_TRANSFORM_CLASS(gst_gl_sphere_view_parent_class);
}

GstFlowReturn transform(GstBaseTransform* base, GstBuffer* in, GstBuffer* out) {
  GLSphereView* self = GST_GL_SPHERE_VIEW(base)->self;
  if (!self->viewing.prepare(in, out, base->segment)) return GST_FLOW_ERROR;
  const bool drawn = sphere::draw_on_gl_thread(
      GST_GL_BASE_FILTER(base),
      [&](GstGLContext* context) { return self->draw(context, in, out); });
  return drawn ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta* meta, GstBuffer*) {
  // The output has a synchronisation meta of its own.
  return meta->info->api != GST_GL_SYNC_META_API_TYPE && sphere::view_keeps_meta(meta);
}

gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
  sphere::prepare_context_query(GST_GL_BASE_FILTER(base), query);
  return sphere::view_transform_query(base, direction, query);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in_caps, GstCaps* out_caps) {
  GLSphereView* self = GST_GL_SPHERE_VIEW(base)->self;
  return gst_video_info_from_caps(&self->in_info, in_caps) &&
         gst_video_info_from_caps(&self->out_info, out_caps) &&
         self->viewing.set_formats(self->in_info, self->out_info) &&
         parent_transform_class()->set_caps(base, in_caps, out_caps);
}

gboolean propose_allocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  return sphere::propose_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

gboolean decide_allocation(GstBaseTransform* base, GstQuery* query) {
  return parent_transform_class()->decide_allocation(base, query) &&
         sphere::decide_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

gboolean gl_start(GstGLBaseFilter* filter) {
  sphere::Result<std::unique_ptr<sphere::GlWarp>> made = sphere::GlWarp::make(filter->context);
  if (!made) {
    GST_ELEMENT_ERROR(filter, RESOURCE, FAILED,
                      ("GL can't draw views on this machine; use cpusphereview."),
                      ("%s", made.error().message.c_str()));
    return FALSE;
  }
  GST_GL_SPHERE_VIEW(filter)->self->warp = std::move(*made);
  return TRUE;
}

void gl_stop(GstGLBaseFilter* filter) { GST_GL_SPHERE_VIEW(filter)->self->warp.reset(); }

gboolean gl_set_caps(GstGLBaseFilter* filter, GstCaps* in_caps, GstCaps* out_caps) {
  GLSphereView* self = GST_GL_SPHERE_VIEW(filter)->self;
  GstVideoInfo in, out;
  if (!self->warp || !gst_video_info_from_caps(&in, in_caps) ||
      !gst_video_info_from_caps(&out, out_caps))
    return FALSE;
  if (const sphere::Status set = self->warp->set_formats(in, out); !set) {
    GST_ELEMENT_ERROR(filter, RESOURCE, SETTINGS, ("%s.", set.error().message.c_str()), (nullptr));
    return FALSE;
  }
  return TRUE;
}

gboolean stop(GstBaseTransform* base) {
  const gboolean stopped = parent_transform_class()->stop(base);
  GST_GL_SPHERE_VIEW(base)->self->viewing.stop();
  return stopped;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    sphere::ensure_display(GST_GL_BASE_FILTER(element));
  return GST_ELEMENT_CLASS(gst_gl_sphere_view_parent_class)->change_state(element, transition);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (!GST_GL_SPHERE_VIEW(object)->self->viewing.set_property(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!GST_GL_SPHERE_VIEW(object)->self->viewing.get_property(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete GST_GL_SPHERE_VIEW(object)->self;
  G_OBJECT_CLASS(gst_gl_sphere_view_parent_class)->finalize(object);
}

}  // namespace

static void gst_gl_sphere_view_init(GstGLSphereView* view) {
  view->self = new GLSphereView(GST_ELEMENT(view));
  sphere::init_view_transform(GST_BASE_TRANSFORM(view), &view->self->viewing);
}

static void gst_gl_sphere_view_class_init(GstGLSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(glsphereview_debug, "glsphereview", 0, "a view of 360 pictures, by GPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_view_properties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Sphere view (GL)", "Filter/Effect/Video",
                                        "Draws a view of a 360 picture on the GPU",
                                        "The gst-sphere authors");

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  sphere::install_view_transform(base_class);
  base_class->get_unit_size = sphere::gl_unit_size;
  base_class->set_caps = set_caps;
  base_class->propose_allocation = propose_allocation;
  base_class->decide_allocation = decide_allocation;
  base_class->query = query;
  base_class->transform = transform;
  base_class->transform_meta = transform_meta;
  base_class->stop = stop;

  auto* filter_class = GST_GL_BASE_FILTER_CLASS(klass);
  filter_class->supported_gl_api =
      static_cast<GstGLAPI>(GST_GL_API_OPENGL | GST_GL_API_OPENGL3 | GST_GL_API_GLES2);
  filter_class->gl_start = gl_start;
  filter_class->gl_stop = gl_stop;
  filter_class->gl_set_caps = gl_set_caps;
}

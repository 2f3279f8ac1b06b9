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

#include "gst/sphere/base/element.h"
#include "gst/sphere/warp/glwarpelement.h"
#include "plugins/view/viewing.h"

GST_DEBUG_CATEGORY_STATIC(glsphereview_debug);
#define GST_CAT_DEFAULT glsphereview_debug

namespace {

class GLSphereView final : public sphere::GlWarpElement<sphere::Viewing> {
 public:
  explicit GLSphereView(GstElement* owner)
      : GlWarpElement(owner, "GL can't draw views on this machine; use cpusphereview.") {
    common.use_triangles();
  }

 protected:
  sphere::Status draw(GstGLContext*, const GstVideoFrame& in, const GstVideoFrame& out) override {
    return warp().draw(common.grids(), common.generation(), in, out, common.is_cubic());
  }
};

}  // namespace

struct _GstGLSphereView {
  GstGLBaseFilter parent;
  GLSphereView* self;
};

G_DEFINE_TYPE(GstGLSphereView, gst_gl_sphere_view, GST_TYPE_GL_BASE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(glsphereview, "glsphereview", GST_RANK_NONE, GST_TYPE_GL_SPHERE_VIEW)

static void gst_gl_sphere_view_init(GstGLSphereView* view) {
  view->self = new GLSphereView(GST_ELEMENT(view));
  sphere::init_warp_transform(GST_BASE_TRANSFORM(view));
}

static void gst_gl_sphere_view_class_init(GstGLSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(glsphereview_debug, "glsphereview", 0, "a view of 360 pictures, by GPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstGLSphereView>(object_class);
  sphere::install_view_properties(object_class);
  sphere::install_gl_warp<GstGLSphereView>(GST_GL_BASE_FILTER_CLASS(klass));
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "Sphere view (GL)", "Filter/Effect/Video",
      "Draws a view of a 360 picture on the GPU", "The gst-sphere authors");
}

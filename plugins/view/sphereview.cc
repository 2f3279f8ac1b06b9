// SPDX-License-Identifier: LGPL-2.1-or-later
// sphereview: a view of a 360 picture; chooses the element that draws on this machine.

/**
 * SECTION:element-sphereview
 * @title: sphereview
 *
 * Draws a view of a 360 picture: what a camera would show that looks in one direction, a little
 * planet, or the whole sphere in another form, turned. #GstSphereView:input tells how the picture
 * is stored. It uses #glsphereview if there is a GPU, and #cpusphereview if not.
 *
 * The view is set by the properties #GstSphereView:yaw, #GstSphereView:pitch, #GstSphereView:roll
 * and #GstSphereView:fov, by a #GstController, by #GstSphereView:keyframes, or by a person: a sink
 * with a window sends mouse, touch and keys upstream. A drag keeps the thing under the pointer,
 * wheel, pinch, `+` and `-` change the field of view, the arrow keys turn, `Home` looks forward
 * again. The properties follow and notify.
 *
 * If caps behind it set no size, a perspective is half as wide as the input, 16:9.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc output=equirect ! sphereview yaw=60 fov=100 ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 spheretestsrc num-buffers=30 output=equirect ! sphereview keyframes='{"format":"gst-sphere-view","version":1,"keyframes":[{"time":0,"fov":120},{"time":1,"yaw":90,"fov":60}]}' ! video/x-raw,width=640,height=360 ! videoconvert ! x264enc ! mp4mux ! filesink location=film.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/view/sphereview.h"

#include "gst/sphere/warp/drawerbin.h"
#include "plugins/view/viewing.h"

GST_DEBUG_CATEGORY_STATIC(sphereview_debug);
#define GST_CAT_DEFAULT sphereview_debug

namespace {

enum { PROP_THREADS = sphere::view_prop_end, PROP_VIEWER };

using SphereView = sphere::DrawerBinElement<sphere::Viewing, PROP_THREADS>;

}  // namespace

struct _GstSphereView {
  GstBin parent;
  SphereView* self;
};

G_DEFINE_TYPE(GstSphereView, gst_sphere_view, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(sphereview, "sphereview", GST_RANK_NONE, GST_TYPE_SPHERE_VIEW)

static void gst_sphere_view_init(GstSphereView* view) {
  // A person turns the view of the element inside, and the bin's properties follow.
  view->self = new SphereView(
      GST_BIN(view),
      {"glsphereview", "cpusphereview", "sphere-viewer", "viewer", PROP_VIEWER, sphereview_debug},
      sphere::DrawerBin::Inside::changes_properties);
}

static void gst_sphere_view_class_init(GstSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(sphereview_debug, "sphereview", 0, "a view of 360 pictures");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstSphereView>(object_class);
  sphere::install_view_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);
  sphere::install_choice_properties(
      object_class, PROP_VIEWER, "viewer", "Viewer",
      "The element that draws, glsphereview or cpusphereview; unset before the state READY",
      "Why this element was chosen");

  auto* element_class = GST_ELEMENT_CLASS(klass);
  sphere::install_drawer_bin<GstSphereView>(element_class);
  gst_element_class_set_static_metadata(element_class, "Sphere view", "Filter/Effect/Video",
                                        "Draws a view of a 360 picture on the GPU or the CPU",
                                        "The gst-sphere authors");
}

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

#include <gst/video/video.h>

#include <string>

#include "gst/sphere/warp/drawerbin.h"
#include "plugins/view/viewing.h"

GST_DEBUG_CATEGORY_STATIC(sphereview_debug);
#define GST_CAT_DEFAULT sphereview_debug

namespace {

#define SPHERE_VIEW_CAPS                                                                   \
  GST_VIDEO_CAPS_MAKE("{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }")                  \
  "; " GST_VIDEO_CAPS_MAKE_WITH_FEATURES("ANY",                                            \
                                         "{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE " \
                                         "}")

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS(SPHERE_VIEW_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(SPHERE_VIEW_CAPS));

enum { PROP_THREADS = sphere::view_prop_end, PROP_VIEWER, PROP_REASON };

}  // namespace

struct Self {
  explicit Self(GstBin* bin)
      // A person turns the view of the element inside, and the bin's properties follow.
      : drawer(bin, {"glsphereview", "cpusphereview", "sphere-viewer", "viewer", sphereview_debug},
               G_BINDING_BIDIRECTIONAL),
        settings(GST_ELEMENT(bin)) {}

  sphere::DrawerBin drawer;
  /// The values of the properties, to which the child's are bound.
  sphere::Viewing settings;
  sphere::ThreadsProperty threads{PROP_THREADS};
};

struct _GstSphereView {
  GstBin parent;
  Self* self;
};

G_DEFINE_TYPE(GstSphereView, gst_sphere_view, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(sphereview, "sphereview", GST_RANK_NONE, GST_TYPE_SPHERE_VIEW)

namespace {

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  return GST_SPHERE_VIEW(element)->self->drawer.change_state(
      transition, GST_ELEMENT_CLASS(gst_sphere_view_parent_class)->change_state);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_VIEW(object)->self;
  if (!self->settings.set_property(id, value) && !self->threads.set(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_VIEW(object)->self;
  if (self->settings.get_property(id, value) || self->threads.get(id, value)) return;
  std::string viewer, reason;
  const bool chosen = self->drawer.choice(&viewer, &reason);
  switch (id) {
    case PROP_VIEWER:
      g_value_set_string(value, chosen ? viewer.c_str() : nullptr);
      break;
    case PROP_REASON:
      g_value_set_string(value, chosen ? reason.c_str() : nullptr);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SPHERE_VIEW(object)->self;
  G_OBJECT_CLASS(gst_sphere_view_parent_class)->finalize(object);
}

}  // namespace

static void gst_sphere_view_init(GstSphereView* view) { view->self = new Self(GST_BIN(view)); }

static void gst_sphere_view_class_init(GstSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(sphereview_debug, "sphereview", 0, "a view of 360 pictures");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_view_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);
  sphere::install_choice_properties(
      object_class, PROP_VIEWER, "viewer", "Viewer",
      "The element that draws, glsphereview or cpusphereview; unset before the state READY",
      PROP_REASON, "Why this element was chosen");

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Sphere view", "Filter/Effect/Video",
                                        "Draws a view of a 360 picture on the GPU or the CPU",
                                        "The gst-sphere authors");
}

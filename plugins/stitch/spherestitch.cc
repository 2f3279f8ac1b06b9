// SPDX-License-Identifier: LGPL-2.1-or-later
// spherestitch: the element that chooses the stitcher for this machine.

/**
 * SECTION:element-spherestitch
 * @title: spherestitch
 *
 * Stitches the two fisheye pictures of a dual-lens camera to one equirectangular picture, with
 * #glspherestitch if there is a GPU, and with #cpuspherestitch if GL is drawn in software or there
 * is no GL.
 *
 * The properties #GstSphereStitch:stitcher and #GstSphereStitch:reason tell which one it chose and
 * why. An element message named `sphere-stitcher` has the same fields, and the log tells it, too
 * (`GST_DEBUG=spherestitch:4`).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc ! spherestitch ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! spherestitch lens=gear360 yaw=90 ! x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/stitch/spherestitch.h"

#include <string>

#include "gst/sphere/warp/drawerbin.h"
#include "plugins/stitch/stitching.h"

GST_DEBUG_CATEGORY_STATIC(spherestitch_debug);
#define GST_CAT_DEFAULT spherestitch_debug

namespace {

#define SPHERE_STITCH_CAPS                                                                 \
  GST_VIDEO_CAPS_MAKE("{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }")                  \
  "; " GST_VIDEO_CAPS_MAKE_WITH_FEATURES("ANY",                                            \
                                         "{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE " \
                                         "}")

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS(SPHERE_STITCH_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                            GST_STATIC_CAPS(SPHERE_STITCH_CAPS));

enum { PROP_THREADS = sphere::stitch_prop_end, PROP_STITCHER, PROP_REASON };

}  // namespace

struct Self {
  explicit Self(GstBin* bin)
      : drawer(bin,
               {"glspherestitch", "cpuspherestitch", "sphere-stitcher", "stitcher",
                spherestitch_debug},
               G_BINDING_DEFAULT),
        settings(GST_ELEMENT(bin)) {}

  sphere::DrawerBin drawer;
  /// The values of the properties until the child exists; its properties are then bound to these.
  sphere::Stitching settings;
  sphere::ThreadsProperty threads{PROP_THREADS};
};

struct _GstSphereStitch {
  GstBin parent;
  Self* self;
};

G_DEFINE_TYPE(GstSphereStitch, gst_sphere_stitch, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(spherestitch, "spherestitch", GST_RANK_NONE, GST_TYPE_SPHERE_STITCH)

namespace {

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  return GST_SPHERE_STITCH(element)->self->drawer.change_state(
      transition, GST_ELEMENT_CLASS(gst_sphere_stitch_parent_class)->change_state);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_STITCH(object)->self;
  if (!self->settings.set_property(id, value) && !self->threads.set(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_STITCH(object)->self;
  if (self->settings.get_property(id, value) || self->threads.get(id, value)) return;
  std::string stitcher, reason;
  const bool chosen = self->drawer.choice(&stitcher, &reason);
  switch (id) {
    case PROP_STITCHER:
      g_value_set_string(value, chosen ? stitcher.c_str() : nullptr);
      break;
    case PROP_REASON:
      g_value_set_string(value, chosen ? reason.c_str() : nullptr);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SPHERE_STITCH(object)->self;
  G_OBJECT_CLASS(gst_sphere_stitch_parent_class)->finalize(object);
}

}  // namespace

static void gst_sphere_stitch_init(GstSphereStitch* stitch) {
  stitch->self = new Self(GST_BIN(stitch));
}

static void gst_sphere_stitch_class_init(GstSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherestitch_debug, "spherestitch", 0,
                          "chooses the stitcher that suits this machine");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_stitch_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);
  sphere::install_choice_properties(
      object_class, PROP_STITCHER, "stitcher", "Stitcher",
      "The element that draws, glspherestitch or cpuspherestitch; unset before the state READY",
      PROP_REASON, "Why this stitcher was chosen");

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere stitcher", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the GPU or the CPU",
      "The gst-sphere authors");
}

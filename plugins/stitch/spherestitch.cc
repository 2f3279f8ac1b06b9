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

#include "gst/sphere/warp/drawerbin.h"
#include "plugins/stitch/stitching.h"

GST_DEBUG_CATEGORY_STATIC(spherestitch_debug);
#define GST_CAT_DEFAULT spherestitch_debug

namespace {

enum { PROP_THREADS = sphere::stitch_prop_end, PROP_STITCHER };

using SphereStitch = sphere::DrawerBinElement<sphere::Stitching, PROP_THREADS>;

}  // namespace

struct _GstSphereStitch {
  GstBin parent;
  SphereStitch* self;
};

G_DEFINE_TYPE(GstSphereStitch, gst_sphere_stitch, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(spherestitch, "spherestitch", GST_RANK_NONE, GST_TYPE_SPHERE_STITCH)

static void gst_sphere_stitch_init(GstSphereStitch* stitch) {
  // The element inside does not change its properties by itself.
  stitch->self = new SphereStitch(GST_BIN(stitch),
                                  {"glspherestitch", "cpuspherestitch", "sphere-stitcher",
                                   "stitcher", PROP_STITCHER, spherestitch_debug},
                                  sphere::DrawerBin::Inside::changes_nothing);
}

static void gst_sphere_stitch_class_init(GstSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherestitch_debug, "spherestitch", 0,
                          "chooses the stitcher that suits this machine");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstSphereStitch>(object_class);
  sphere::install_stitch_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);
  sphere::install_choice_properties(
      object_class, PROP_STITCHER, "stitcher", "Stitcher",
      "The element that draws, glspherestitch or cpuspherestitch; unset before the state READY",
      "Why this stitcher was chosen");

  auto* element_class = GST_ELEMENT_CLASS(klass);
  sphere::install_drawer_bin<GstSphereStitch>(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Sphere stitcher", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the GPU or the CPU",
      "The gst-sphere authors");
}

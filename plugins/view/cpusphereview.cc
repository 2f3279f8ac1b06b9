// SPDX-License-Identifier: LGPL-2.1-or-later
// cpusphereview: a view of a 360 picture, drawn on the CPU.

/**
 * SECTION:element-cpusphereview
 * @title: cpusphereview
 *
 * Draws a view of an equirectangular 360 picture on the CPU with its best vector instructions. See
 * #sphereview.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc output=equirect ! cpusphereview yaw=60 fov=100 ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/view/cpusphereview.h"

#include "gst/sphere/base/element.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "gst/sphere/warp/warptransform.h"
#include "plugins/view/viewing.h"

GST_DEBUG_CATEGORY_STATIC(cpusphereview_debug);
#define GST_CAT_DEFAULT cpusphereview_debug

namespace {

enum { PROP_THREADS = sphere::view_prop_end };

class CpuSphereView : public sphere::WithThreads<sphere::Viewing, PROP_THREADS> {
 public:
  using WithThreads::WithThreads;

  void draw(const GstVideoFrame& in, GstVideoFrame& out) {
    warp_.workers().set_threads(threads.threads());
    warp_.reduce(in, common.reductions());
    warp_.draw(common.grids(), in, out, common.is_cubic());
  }

  void stop() {
    warp_.stop();
    common.stop();
  }

 private:
  sphere::CpuWarp warp_;
};

}  // namespace

struct _GstCpuSphereView {
  GstVideoFilter parent;
  CpuSphereView* self;
};

G_DEFINE_TYPE(GstCpuSphereView, gst_cpu_sphere_view, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(cpusphereview, "cpusphereview", GST_RANK_NONE, GST_TYPE_CPU_SPHERE_VIEW)

static void gst_cpu_sphere_view_init(GstCpuSphereView* view) {
  view->self = new CpuSphereView(GST_ELEMENT(view));
  sphere::init_warp_transform(GST_BASE_TRANSFORM(view));
}

static void gst_cpu_sphere_view_class_init(GstCpuSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cpusphereview_debug, "cpusphereview", 0,
                          "a view of 360 pictures, by CPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstCpuSphereView>(object_class);
  sphere::install_view_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);

  sphere::install_cpu_warp<GstCpuSphereView>(GST_VIDEO_FILTER_CLASS(klass));
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "Sphere view (CPU)", "Filter/Effect/Video",
      "Draws a view of a 360 picture on the CPU", "The gst-sphere authors");
}

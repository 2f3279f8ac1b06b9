// SPDX-License-Identifier: LGPL-2.1-or-later
// cpusphereview: a view of a 360 picture, drawn on the CPU.

/**
 * SECTION:element-cpusphereview
 * @title: cpusphereview
 *
 * Draws a view of a 360 picture on the CPU with its best vector instructions. See
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

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "plugins/view/transform.h"

GST_DEBUG_CATEGORY_STATIC(cpusphereview_debug);
#define GST_CAT_DEFAULT cpusphereview_debug

namespace {

#define CPU_SPHERE_VIEW_CAPS GST_VIDEO_CAPS_MAKE("{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }")

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS(CPU_SPHERE_VIEW_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                            GST_STATIC_CAPS(CPU_SPHERE_VIEW_CAPS));

enum { PROP_THREADS = sphere::view_prop_end };

class CpuSphereView {
 public:
  explicit CpuSphereView(GstElement* owner) : viewing(owner) {}

  bool draw(const GstSegment& segment, const GstVideoFrame* in, GstVideoFrame* out) {
    if (!viewing.prepare(in->buffer, out->buffer, segment)) return false;
    warp_.workers().set_threads(threads.threads());
    warp_.reduce(*in, viewing.reductions());
    warp_.draw(viewing.grids(), *in, *out, viewing.is_cubic());
    return true;
  }

  void stop() {
    warp_.stop();
    viewing.stop();
  }

  sphere::Viewing viewing;
  sphere::ThreadsProperty threads{PROP_THREADS};

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

namespace {

GstFlowReturn transform_frame(GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
  const GstSegment& segment = GST_BASE_TRANSFORM(filter)->segment;
  return GST_CPU_SPHERE_VIEW(filter)->self->draw(segment, in, out) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean set_info(GstVideoFilter* filter, GstCaps*, GstVideoInfo* in, GstCaps*, GstVideoInfo* out) {
  return GST_CPU_SPHERE_VIEW(filter)->self->viewing.set_formats(*in, *out);
}

gboolean stop(GstBaseTransform* base) {
  GST_CPU_SPHERE_VIEW(base)->self->stop();
  return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  CpuSphereView* self = GST_CPU_SPHERE_VIEW(object)->self;
  if (!self->viewing.set_property(id, value) && !self->threads.set(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  CpuSphereView* self = GST_CPU_SPHERE_VIEW(object)->self;
  if (!self->viewing.get_property(id, value) && !self->threads.get(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete GST_CPU_SPHERE_VIEW(object)->self;
  G_OBJECT_CLASS(gst_cpu_sphere_view_parent_class)->finalize(object);
}

}  // namespace

static void gst_cpu_sphere_view_init(GstCpuSphereView* view) {
  view->self = new CpuSphereView(GST_ELEMENT(view));
  sphere::init_view_transform(GST_BASE_TRANSFORM(view), &view->self->viewing);
}

static void gst_cpu_sphere_view_class_init(GstCpuSphereViewClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cpusphereview_debug, "cpusphereview", 0,
                          "a view of 360 pictures, by CPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_view_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Sphere view (CPU)", "Filter/Effect/Video",
                                        "Draws a view of a 360 picture on the CPU",
                                        "The gst-sphere authors");

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  sphere::install_view_transform(base_class);
  base_class->stop = stop;

  auto* filter_class = GST_VIDEO_FILTER_CLASS(klass);
  filter_class->set_info = set_info;
  filter_class->transform_frame = transform_frame;
}

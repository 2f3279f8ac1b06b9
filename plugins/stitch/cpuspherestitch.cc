// SPDX-License-Identifier: LGPL-2.1-or-later
// cpuspherestitch: dual fisheye to equirectangular on the CPU.

/**
 * SECTION:element-cpuspherestitch
 * @title: cpuspherestitch
 *
 * Stitches the two fisheye pictures of a dual-lens camera, side by side or one over the other in
 * one frame, to one equirectangular picture, on the CPU with its best vector instructions.
 * Each plane is warped directly: NV12, I420, Y444, P010 and I420 with ten bits are not converted to
 * RGB.
 *
 * The output is twice as wide as high and as wide as the two lenses, unless caps after the element
 * set another size.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc ! cpuspherestitch ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 filesrc location=street.png ! pngdec ! videoconvert ! cpuspherestitch lens=gear360 ! pngenc ! filesink location=sphere.png
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/stitch/cpuspherestitch.h"

#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "plugins/stitch/stitching.h"
#include "plugins/stitch/transform.h"

GST_DEBUG_CATEGORY_STATIC(cpuspherestitch_debug);
#define GST_CAT_DEFAULT cpuspherestitch_debug

namespace {

#define CPU_SPHERE_STITCH_CAPS \
  GST_VIDEO_CAPS_MAKE("{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }")

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CPU_SPHERE_STITCH_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CPU_SPHERE_STITCH_CAPS));

enum { PROP_THREADS = sphere::stitch_prop_end };

class CpuSphereStitch {
 public:
  explicit CpuSphereStitch(GstElement* owner) : stitching(owner) {}

  bool draw(const GstSegment& segment, const GstVideoFrame* in, GstVideoFrame* out) {
    if (!stitching.prepare(in->buffer, out->buffer, segment)) return false;
    sphere::PairStitcher& pair = stitching.pair();
    warp_.workers().set_threads(threads.threads());
    const bool cubic = stitching.interpolation() == sphere::Interpolation::cubic;
    warp_.reduce(*in, pair.reductions());
    if (const sphere::WarpGrid* strip = pair.strip())
      stitching.measure(draw_strip(*strip, stitching.strip_info(), *in, false, strip_));
    stitching.match();
    if (const sphere::WarpGrid* bands = pair.bands())
      stitching.blend(draw_strip(*bands, stitching.bands_info(), *in, cubic, bands_),
                      &warp_.workers());
    warp_.draw(pair.grids(), *in, *out, cubic, pair.field());
    return true;
  }

  void stop() {
    warp_.stop();
    strip_.reset();
    bands_.reset();
    stitching.stop();
  }

  sphere::Stitching stitching;
  sphere::ThreadsProperty threads{PROP_THREADS};

 private:
  /// A frame in memory of this element.
  class OwnFrame {
   public:
    explicit OwnFrame(const GstVideoInfo& info)
        : buffer_(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr)),
          frame_(info, buffer_.get(), GST_MAP_READWRITE) {}
    bool fits(const GstVideoInfo& info) {
      return gst_video_info_is_equal(&frame_.get()->info, &info);
    }
    GstVideoFrame& frame() { return *frame_; }

   private:
    const sphere::BufferRef buffer_;
    sphere::VideoFrame frame_;  // declared after buffer_: it must be unmapped first
  };

  const GstVideoFrame& draw_strip(const sphere::WarpGrid& grid, const GstVideoInfo& info,
                                  const GstVideoFrame& in, bool cubic,
                                  std::unique_ptr<OwnFrame>& own) {
    if (!own || !own->fits(info)) own = std::make_unique<OwnFrame>(info);
    warp_.draw({&grid, 1}, in, own->frame(), cubic);
    return own->frame();
  }

  sphere::CpuWarp warp_;
  std::unique_ptr<OwnFrame> strip_, bands_;
};

}  // namespace

struct _GstCpuSphereStitch {
  GstVideoFilter parent;
  CpuSphereStitch* self;
};

G_DEFINE_TYPE(GstCpuSphereStitch, gst_cpu_sphere_stitch, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(cpuspherestitch, "cpuspherestitch", GST_RANK_NONE,
                            GST_TYPE_CPU_SPHERE_STITCH)

namespace {

GstFlowReturn transform_frame(GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
  const GstSegment& segment = GST_BASE_TRANSFORM(filter)->segment;
  return GST_CPU_SPHERE_STITCH(filter)->self->draw(segment, in, out) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean set_info(GstVideoFilter* filter, GstCaps* in_caps, GstVideoInfo* in, GstCaps* out_caps,
                  GstVideoInfo* out) {
  return GST_CPU_SPHERE_STITCH(filter)->self->stitching.set_formats(*in, *out);
}

gboolean start(GstBaseTransform* base) {
  GST_INFO_OBJECT(base, "warping with %s", sphere::warp_target());
  return TRUE;
}

gboolean stop(GstBaseTransform* base) {
  GST_CPU_SPHERE_STITCH(base)->self->stop();
  return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  CpuSphereStitch* self = GST_CPU_SPHERE_STITCH(object)->self;
  if (!self->stitching.set_property(id, value) && !self->threads.set(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  CpuSphereStitch* self = GST_CPU_SPHERE_STITCH(object)->self;
  if (!self->stitching.get_property(id, value) && !self->threads.get(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete GST_CPU_SPHERE_STITCH(object)->self;
  G_OBJECT_CLASS(gst_cpu_sphere_stitch_parent_class)->finalize(object);
}

}  // namespace

static void gst_cpu_sphere_stitch_init(GstCpuSphereStitch* stitch) {
  stitch->self = new CpuSphereStitch(GST_ELEMENT(stitch));
  sphere::init_stitch_transform(GST_BASE_TRANSFORM(stitch), &stitch->self->stitching);
}

static void gst_cpu_sphere_stitch_class_init(GstCpuSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cpuspherestitch_debug, "cpuspherestitch", 0,
                          "dual fisheye to equirectangular on the CPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_stitch_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere stitcher (CPU)", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the CPU",
      "The gst-sphere authors");

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  sphere::install_stitch_transform(base_class);
  base_class->start = start;
  base_class->stop = stop;

  auto* filter_class = GST_VIDEO_FILTER_CLASS(klass);
  filter_class->set_info = set_info;
  filter_class->transform_frame = transform_frame;
}

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

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "gst/sphere/warp/warptransform.h"
#include "plugins/stitch/stitching.h"

GST_DEBUG_CATEGORY_STATIC(cpuspherestitch_debug);
#define GST_CAT_DEFAULT cpuspherestitch_debug

namespace {

enum { PROP_THREADS = sphere::stitch_prop_end };

class CpuSphereStitch : public sphere::WithThreads<sphere::Stitching, PROP_THREADS> {
 public:
  using WithThreads::WithThreads;

  void draw(const GstVideoFrame& in, GstVideoFrame& out) {
    sphere::PairStitcher& pair = common.pair();
    warp_.workers().set_threads(threads.threads());
    const bool cubic = common.interpolation() == sphere::Interpolation::cubic;
    warp_.reduce(in, pair.reductions());
    if (const sphere::WarpGrid* strip = pair.strip())
      common.measure(draw_strip(*strip, common.strip_info(), in, false, strip_));
    common.match();
    if (const sphere::WarpGrid* bands = pair.bands())
      common.blend(draw_strip(*bands, common.bands_info(), in, cubic, bands_), &warp_.workers());
    warp_.draw(pair.grids(), in, out, cubic, pair.field());
  }

  void stop() {
    warp_.stop();
    strip_.reset();
    bands_.reset();
    common.stop();
  }

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

gboolean start(GstBaseTransform* base) {
  GST_INFO_OBJECT(base, "warping with %s", sphere::warp_target());
  return TRUE;
}

}  // namespace

static void gst_cpu_sphere_stitch_init(GstCpuSphereStitch* stitch) {
  stitch->self = new CpuSphereStitch(GST_ELEMENT(stitch));
  sphere::init_warp_transform(GST_BASE_TRANSFORM(stitch));
}

static void gst_cpu_sphere_stitch_class_init(GstCpuSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cpuspherestitch_debug, "cpuspherestitch", 0,
                          "dual fisheye to equirectangular on the CPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstCpuSphereStitch>(object_class);
  sphere::install_stitch_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);

  sphere::install_cpu_warp<GstCpuSphereStitch>(GST_VIDEO_FILTER_CLASS(klass));
  GST_BASE_TRANSFORM_CLASS(klass)->start = start;
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "Sphere stitcher (CPU)", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the CPU",
      "The gst-sphere authors");
}

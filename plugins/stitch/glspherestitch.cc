// SPDX-License-Identifier: LGPL-2.1-or-later
// glspherestitch: dual fisheye to equirectangular on the GPU.

/**
 * SECTION:element-glspherestitch
 * @title: glspherestitch
 *
 * Stitches the two fisheye pictures of a dual-lens camera, side by side or one over the other in
 * one frame, to one equirectangular picture, with GL. Each plane is drawn directly: NV12, I420
 * and Y444 are not converted to RGB.
 *
 * If there is no display server, the element makes a headless display for itself and the GL
 * elements around it; no environment variable is needed. On a machine whose GL is drawn in
 * software, #cpuspherestitch is faster; #spherestitch chooses the right one.
 *
 * The output is twice as wide as high and as wide as the two lenses, unless caps after the element
 * set another size.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc ! glupload ! glspherestitch ! gldownload ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! glupload ! glspherestitch lens=gear360 ! gldownload ! x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/stitch/glspherestitch.h"

#include <gst/gl/gl.h>
#include <gst/gl/gstglfuncs.h>
#include <gst/video/video.h>

#include <memory>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/gl/buffers.h"
#include "gst/sphere/warp/glwarpelement.h"
#include "plugins/stitch/stitching.h"

GST_DEBUG_CATEGORY_STATIC(glspherestitch_debug);
#define GST_CAT_DEFAULT glspherestitch_debug

namespace {

/// The strip around the seam, drawn by GL and copied to the CPU: some hundred kilobytes.
class GlStrip {
 public:
  /// Draws it from `in` and calls use() with it. `generation` is a new number after each change of
  /// the grid.
  template <typename Use>
  sphere::Status draw(GstGLContext* context, const sphere::WarpGrid& grid, GstVideoInfo info,
                      unsigned generation, const GstVideoFrame& in, bool cubic, const Use& use) {
    if (!warp_) {
      sphere::Result<std::unique_ptr<sphere::GlWarp>> made = sphere::GlWarp::make(context);
      if (!made) return made.error();
      warp_ = std::move(*made);
    }
    if (!buffer_ || !gst_video_info_is_equal(&info_, &info)) {
      info_ = info;
      buffer_ = sphere::make_gl_buffer(context, info);
      if (!buffer_) return sphere::failed("there is no memory for the seam");
      if (const sphere::Status set = warp_->set_formats(info, info); !set) return set;
    }
    {
      sphere::VideoFrame drawn(info, buffer_.get(), GST_MAP_WRITE | GST_MAP_GL);
      if (!drawn) return sphere::failed("the seam can't be reached by GL");
      if (const sphere::Status done = warp_->draw({&grid, 1}, generation, in, *drawn, cubic); !done)
        return done;
    }
    sphere::VideoFrame frame(info, buffer_.get(), GST_MAP_READ);
    if (!frame) return sphere::failed("the seam can't be read back");
    use(*frame);
    return sphere::ok();
  }

 private:
  std::unique_ptr<sphere::GlWarp> warp_;
  sphere::BufferRef buffer_;
  GstVideoInfo info_{};
};

class GLSphereStitch final : public sphere::GlWarpElement<sphere::Stitching> {
 public:
  explicit GLSphereStitch(GstElement* owner)
      : GlWarpElement(owner, "GL can't stitch on this machine; use cpuspherestitch.") {}

  void gl_stop() override {
    strip_ = {};
    bands_ = {};
    GlWarpElement::gl_stop();
  }

 protected:
  sphere::Status draw(GstGLContext* context, const GstVideoFrame& in,
                      const GstVideoFrame& out) override {
    sphere::PairStitcher& pair = common.pair();
    const bool cubic = common.interpolation() == sphere::Interpolation::cubic;
    if (const sphere::WarpGrid* seam = pair.strip()) {
      const sphere::Status measured =
          strip_.draw(context, *seam, common.strip_info(), pair.strip_generation(), in, false,
                      [&](const GstVideoFrame& frame) { common.measure(frame); });
      if (!measured) return measured;
    }
    common.match();
    if (const sphere::WarpGrid* grid = pair.bands()) {
      const sphere::Status blended =
          bands_.draw(context, *grid, common.bands_info(), pair.bands_generation(), in, cubic,
                      [&](const GstVideoFrame& frame) { common.blend(frame, nullptr); });
      if (!blended) return blended;
    }
    return warp().draw(pair.grids(), pair.generation(), in, out, cubic, pair.field());
  }

 private:
  GlStrip strip_, bands_;  // exist from gl_start to gl_stop
};

}  // namespace

struct _GstGLSphereStitch {
  GstGLBaseFilter parent;
  GLSphereStitch* self;
};

G_DEFINE_TYPE(GstGLSphereStitch, gst_gl_sphere_stitch, GST_TYPE_GL_BASE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(glspherestitch, "glspherestitch", GST_RANK_NONE,
                            GST_TYPE_GL_SPHERE_STITCH)

static void gst_gl_sphere_stitch_init(GstGLSphereStitch* stitch) {
  stitch->self = new GLSphereStitch(GST_ELEMENT(stitch));
  sphere::init_warp_transform(GST_BASE_TRANSFORM(stitch));
}

static void gst_gl_sphere_stitch_class_init(GstGLSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(glspherestitch_debug, "glspherestitch", 0,
                          "dual fisheye to equirectangular on the GPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstGLSphereStitch>(object_class);
  sphere::install_stitch_properties(object_class);
  sphere::install_gl_warp<GstGLSphereStitch>(GST_GL_BASE_FILTER_CLASS(klass));
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "Sphere stitcher (GL)", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the GPU",
      "The gst-sphere authors");
}

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

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/gl/buffers.h"
#include "gst/sphere/gl/headless.h"
#include "gst/sphere/warp/glwarp.h"
#include "plugins/stitch/stitching.h"
#include "plugins/stitch/transform.h"

GST_DEBUG_CATEGORY_STATIC(glspherestitch_debug);
#define GST_CAT_DEFAULT glspherestitch_debug

namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(SPHERE_GL_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(SPHERE_GL_CAPS));

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

class GLSphereStitch {
 public:
  explicit GLSphereStitch(GstElement* owner) : stitching(owner) {}

  /// Draws one buffer into another, on the GL thread.
  sphere::Status draw(GstGLContext* context, GstBuffer* in_buffer, GstBuffer* out_buffer) {
    if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(in_buffer))
      gst_gl_sync_meta_wait(sync, context);
    sphere::VideoFrame in(in_info, in_buffer, GST_MAP_READ | GST_MAP_GL);
    sphere::VideoFrame out(out_info, out_buffer, GST_MAP_WRITE | GST_MAP_GL);
    if (!in || !out) return sphere::failed("a picture can't be reached by GL");
    sphere::PairStitcher& pair = stitching.pair();
    const bool cubic = stitching.interpolation() == sphere::Interpolation::cubic;
    if (const sphere::WarpGrid* seam = pair.strip()) {
      const sphere::Status measured =
          strip.draw(context, *seam, stitching.strip_info(), pair.strip_generation(), *in, false,
                     [&](const GstVideoFrame& frame) { stitching.measure(frame); });
      if (!measured) return measured;
    }
    stitching.match();
    if (const sphere::WarpGrid* grid = pair.bands()) {
      const sphere::Status blended =
          bands.draw(context, *grid, stitching.bands_info(), pair.bands_generation(), *in, cubic,
                     [&](const GstVideoFrame& frame) { stitching.blend(frame, nullptr); });
      if (!blended) return blended;
    }
    sphere::Status drawn =
        warp->draw(pair.grids(), pair.generation(), *in, *out, cubic, pair.field());
    if (GstGLSyncMeta* sync = gst_buffer_get_gl_sync_meta(out_buffer))
      gst_gl_sync_meta_set_sync_point(sync, context);
    return drawn;
  }

  void gl_stop() {
    strip = {};
    bands = {};
    warp.reset();
  }

  sphere::Stitching stitching;

  // State of the stream, set before the first buffer.
  GstVideoInfo in_info{}, out_info{};
  // These exist from gl_start to gl_stop and are used only by the GL thread.
  std::unique_ptr<sphere::GlWarp> warp;
  GlStrip strip, bands;
};

}  // namespace

struct _GstGLSphereStitch {
  GstGLBaseFilter parent;
  GLSphereStitch* self;
};

G_DEFINE_TYPE(GstGLSphereStitch, gst_gl_sphere_stitch, GST_TYPE_GL_BASE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(glspherestitch, "glspherestitch", GST_RANK_NONE,
                            GST_TYPE_GL_SPHERE_STITCH)

namespace {

GstBaseTransformClass* parent_transform_class() {
  return GST_BASE_TRANSFORM_CLASS(gst_gl_sphere_stitch_parent_class);
}

GstFlowReturn transform(GstBaseTransform* base, GstBuffer* in, GstBuffer* out) {
  GLSphereStitch* self = GST_GL_SPHERE_STITCH(base)->self;
  if (!self->stitching.prepare(in, out, base->segment)) return GST_FLOW_ERROR;
  const bool drawn =
      sphere::draw_on_gl_thread(GST_GL_BASE_FILTER(base), [&](GstGLContext* context) {
        return self->warp ? self->draw(context, in, out) : sphere::failed("GL does not run");
      });
  return drawn ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean transform_meta(GstBaseTransform* base, GstBuffer* out, GstMeta* meta, GstBuffer* in) {
  // The output has a synchronisation meta of its own.
  return meta->info->api != GST_GL_SYNC_META_API_TYPE && sphere::stitch_keeps_meta(meta);
}

gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
  sphere::prepare_context_query(GST_GL_BASE_FILTER(base), query);
  return sphere::stitch_transform_query(base, direction, query);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in_caps, GstCaps* out_caps) {
  GLSphereStitch* self = GST_GL_SPHERE_STITCH(base)->self;
  if (!gst_video_info_from_caps(&self->in_info, in_caps) ||
      !gst_video_info_from_caps(&self->out_info, out_caps))
    return FALSE;
  return self->stitching.set_formats(self->in_info, self->out_info) &&
         parent_transform_class()->set_caps(base, in_caps, out_caps);
}

gboolean propose_allocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  return sphere::propose_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

gboolean decide_allocation(GstBaseTransform* base, GstQuery* query) {
  return parent_transform_class()->decide_allocation(base, query) &&
         sphere::decide_gl_allocation(GST_GL_BASE_FILTER(base), query);
}

gboolean gl_start(GstGLBaseFilter* filter) {
  GLSphereStitch* self = GST_GL_SPHERE_STITCH(filter)->self;
  sphere::Result<std::unique_ptr<sphere::GlWarp>> made = sphere::GlWarp::make(filter->context);
  if (!made) {
    GST_ELEMENT_ERROR(filter, RESOURCE, FAILED,
                      ("GL can't stitch on this machine; use cpuspherestitch."),
                      ("%s", made.error().message.c_str()));
    return FALSE;
  }
  self->warp = std::move(*made);
  return TRUE;
}

void gl_stop(GstGLBaseFilter* filter) { GST_GL_SPHERE_STITCH(filter)->self->gl_stop(); }

gboolean gl_set_caps(GstGLBaseFilter* filter, GstCaps* in_caps, GstCaps* out_caps) {
  GLSphereStitch* self = GST_GL_SPHERE_STITCH(filter)->self;
  GstVideoInfo in, out;
  if (!self->warp || !gst_video_info_from_caps(&in, in_caps) ||
      !gst_video_info_from_caps(&out, out_caps))
    return FALSE;
  if (const sphere::Status set = self->warp->set_formats(in, out); !set) {
    GST_ELEMENT_ERROR(filter, RESOURCE, SETTINGS, ("%s.", set.error().message.c_str()), (nullptr));
    return FALSE;
  }
  return TRUE;
}

gboolean stop(GstBaseTransform* base) {
  const gboolean stopped = parent_transform_class()->stop(base);
  GST_GL_SPHERE_STITCH(base)->self->stitching.stop();
  return stopped;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    sphere::ensure_display(GST_GL_BASE_FILTER(element));
  return GST_ELEMENT_CLASS(gst_gl_sphere_stitch_parent_class)->change_state(element, transition);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (!GST_GL_SPHERE_STITCH(object)->self->stitching.set_property(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!GST_GL_SPHERE_STITCH(object)->self->stitching.get_property(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete GST_GL_SPHERE_STITCH(object)->self;
  G_OBJECT_CLASS(gst_gl_sphere_stitch_parent_class)->finalize(object);
}

}  // namespace

static void gst_gl_sphere_stitch_init(GstGLSphereStitch* stitch) {
  stitch->self = new GLSphereStitch(GST_ELEMENT(stitch));
  sphere::init_stitch_transform(GST_BASE_TRANSFORM(stitch), &stitch->self->stitching);
}

static void gst_gl_sphere_stitch_class_init(GstGLSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(glspherestitch_debug, "glspherestitch", 0,
                          "dual fisheye to equirectangular on the GPU");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_stitch_properties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere stitcher (GL)", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the GPU",
      "The gst-sphere authors");

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  sphere::install_stitch_transform(base_class);
  base_class->get_unit_size = sphere::gl_unit_size;
  base_class->set_caps = set_caps;
  base_class->propose_allocation = propose_allocation;
  base_class->decide_allocation = decide_allocation;
  base_class->query = query;
  base_class->transform = transform;
  base_class->transform_meta = transform_meta;
  base_class->stop = stop;

  auto* filter_class = GST_GL_BASE_FILTER_CLASS(klass);
  filter_class->supported_gl_api =
      static_cast<GstGLAPI>(GST_GL_API_OPENGL | GST_GL_API_OPENGL3 | GST_GL_API_GLES2);
  filter_class->gl_start = gl_start;
  filter_class->gl_stop = gl_stop;
  filter_class->gl_set_caps = gl_set_caps;
}

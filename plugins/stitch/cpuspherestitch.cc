// SPDX-License-Identifier: LGPL-2.1-or-later
// cpuspherestitch: dual fisheye to equirectangular on the CPU.

/**
 * SECTION:element-cpuspherestitch
 * @title: cpuspherestitch
 *
 * Stitches the two fisheye pictures of a dual-lens camera, side by side or one over the other in
 * one frame, to one equirectangular picture, on the CPU with whatever vector instructions it has.
 * Planes are warped as they come: NV12, I420 and Y444, and P010 and I420 of ten bits, take no
 * detour over RGB.
 *
 * The output is twice as wide as high and as wide as the two lenses, unless caps after the element
 * say otherwise.
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

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "gst/sphere/stitch/reduce.h"
#include "gst/sphere/stitch/warp.h"
#include "gst/sphere/warp/workers.h"
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

// Rows a slice: enough that fetching one costs nothing, few enough that the threads end together.
constexpr int slice_rows = 32;

/// What is neither light nor colour in a component, about which gain is applied.
uint8_t neutral_value(const GstVideoInfo* info, int component) {
  if (GST_VIDEO_INFO_IS_RGB(info)) return 0;
  if (component > 0) return 128;
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? 0 : 16;
}

sphere::WarpPlane describe_plane(const GstVideoFrame* in, GstVideoFrame* out, int plane) {
  const GstVideoInfo* info = &in->info;
  const GstVideoFormatInfo* format = info->finfo;
  int component = 0;
  while (static_cast<int>(GST_VIDEO_FORMAT_INFO_PLANE(format, component)) != plane) ++component;

  sphere::WarpPlane p;
  p.source = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(in, plane));
  p.source_stride = GST_VIDEO_FRAME_PLANE_STRIDE(in, plane);
  p.source_size = {GST_VIDEO_FRAME_COMP_WIDTH(in, component),
                   GST_VIDEO_FRAME_COMP_HEIGHT(in, component)};
  p.target = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(out, plane));
  p.target_stride = GST_VIDEO_FRAME_PLANE_STRIDE(out, plane);
  p.target_size = {GST_VIDEO_FRAME_COMP_WIDTH(out, component),
                   GST_VIDEO_FRAME_COMP_HEIGHT(out, component)};
  p.first_component = component;
  p.bits = static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(format, component));
  p.shift = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, component));
  p.components = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, component) / (p.bits > 8 ? 2 : 1);
  p.step_x = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(format, component);
  p.step_y = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(format, component);
  // A sample that stands for several pixels stands in their middle, or on the first of them.
  const auto phase = [&](int step, GstVideoChromaSite cosited) {
    return step > 1 && !(info->chroma_site & cosited) ? step / 2.0 : 0.5;
  };
  p.phase_x = phase(p.step_x, GST_VIDEO_CHROMA_SITE_H_COSITED);
  p.phase_y = phase(p.step_y, GST_VIDEO_CHROMA_SITE_V_COSITED);
  p.neutral = neutral_value(info, component);
  return p;
}

/// The samples of a plane that belong to a patch.
sphere::WarpPlane patch_of(sphere::WarpPlane plane, const sphere::Plan& plan) {
  const int left = plan.left / plane.step_x, top = plan.top / plane.step_y;
  const int bytes = plane.components * (plane.bits > 8 ? 2 : 1);
  plane.target += top * plane.target_stride + static_cast<ptrdiff_t>(left) * bytes;
  const auto samples = [](int pixels, int step) { return (pixels + step - 1) / step; };
  plane.target_size = {samples(plan.output.width, plane.step_x),
                       samples(plan.output.height, plane.step_y)};
  return plane;
}

class CpuSphereStitch {
 public:
  explicit CpuSphereStitch(GstElement* owner) : stitching(owner) {}

  bool draw(const GstSegment& segment, const GstVideoFrame* in, GstVideoFrame* out) {
    const std::span<const sphere::Plan> plans = stitching.plan(in->buffer, out->buffer, segment);
    if (plans.empty()) return false;
    workers_.set_threads(threads.load());
    const bool cubic = stitching.interpolation() == sphere::Interpolation::cubic;
    reduce(in, out, stitching.reductions());
    if (const sphere::Plan* strip = stitching.strip())
      stitching.measure(draw_strip(*strip, stitching.strip_info(), in, false, strip_frame_));
    stitching.match();
    if (const sphere::Plan* bands = stitching.bands())
      stitching.blend(draw_strip(*bands, stitching.bands_info(), in, cubic, bands_frame_),
                      &workers_);
    warp(plans, in, out, cubic, stitching.field());
    return true;
  }

  void stop() {
    workers_.stop();
    strip_frame_.reset();
    bands_frame_.reset();
    for (auto& plane : copied_)
      for (std::vector<uint8_t>& copy : plane) copy = {};
    stitching.stop();
  }

  sphere::Stitching stitching;
  std::atomic<int> threads{sphere::Workers::default_threads};

 private:
  /// A frame of our own memory.
  class StripFrame {
   public:
    explicit StripFrame(const GstVideoInfo& info)
        : buffer_(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr)) {
      gst_video_frame_map(&frame_, &info, buffer_, GST_MAP_READWRITE);
    }
    ~StripFrame() {
      gst_video_frame_unmap(&frame_);
      gst_buffer_unref(buffer_);
    }
    StripFrame(const StripFrame&) = delete;
    StripFrame& operator=(const StripFrame&) = delete;
    bool fits(const GstVideoInfo& info) const {
      return GST_VIDEO_INFO_FORMAT(&frame_.info) == GST_VIDEO_INFO_FORMAT(&info) &&
             GST_VIDEO_INFO_WIDTH(&frame_.info) == GST_VIDEO_INFO_WIDTH(&info) &&
             GST_VIDEO_INFO_HEIGHT(&frame_.info) == GST_VIDEO_INFO_HEIGHT(&info) &&
             frame_.info.chroma_site == info.chroma_site;
    }
    GstVideoFrame* get() { return &frame_; }

   private:
    GstBuffer* const buffer_;
    GstVideoFrame frame_{};
  };

  const GstVideoFrame& draw_strip(const sphere::Plan& plan, const GstVideoInfo& info,
                                  const GstVideoFrame* in, bool cubic,
                                  std::unique_ptr<StripFrame>& frame) {
    if (!frame || !frame->fits(info)) frame = std::make_unique<StripFrame>(info);
    warp({&plan, 1}, in, frame->get(), cubic);
    return *frame->get();
  }

  void warp(std::span<const sphere::Plan> plans, const GstVideoFrame* in, GstVideoFrame* out,
            bool cubic, const sphere::SeamField* field = nullptr) {
    // All planes of all patches are one heap of slices, so that no thread waits between them.
    sphere::WarpPlane planes[GST_VIDEO_MAX_PLANES];
    const int count = static_cast<int>(GST_VIDEO_FRAME_N_PLANES(in));
    for (int i = 0; i < count; ++i) {
      planes[i] = describe_plane(in, out, i);
      planes[i].cubic = cubic;
      planes[i].copy_count = copy_count_;
      std::copy_n(copies_[i], copy_count_, planes[i].copies);
    }
    parts_.clear();
    int slices = 0;
    for (const sphere::Plan& plan : plans)
      for (int i = 0; i < count; ++i) {
        parts_.push_back({&plan, patch_of(planes[i], plan), slices});
        slices += (parts_.back().plane.target_size.height + slice_rows - 1) / slice_rows;
      }
    workers_.run(slices, [&](int slice) {
      size_t i = parts_.size() - 1;
      while (slice < parts_[i].first_slice) --i;
      const Part& part = parts_[i];
      const int first = (slice - part.first_slice) * slice_rows;
      const int last = std::min(first + slice_rows, part.plane.target_size.height);
      sphere::warp_rows(*part.plan, part.plane, first, last);
      if (field) sphere::add_field(*field, *part.plan, part.plane, first, last);
    });
  }

  /// Makes smaller copies of the source's planes.
  void reduce(const GstVideoFrame* in, GstVideoFrame* out, int count) {
    copy_count_ = count;
    for (int i = 0; count > 0 && i < static_cast<int>(GST_VIDEO_FRAME_N_PLANES(in)); ++i) {
      const sphere::WarpPlane plane = describe_plane(in, out, i);
      sphere::WarpCopy from = {plane.source, plane.source_stride, plane.source_size};
      const int bytes = plane.components * (plane.bits > 8 ? 2 : 1);
      for (int n = 0; n < count; ++n) {
        const sphere::Size size = sphere::half_of(from.size);
        const ptrdiff_t stride = static_cast<ptrdiff_t>(size.width) * bytes;
        std::vector<uint8_t>& copy = copied_[i][n];
        copy.resize(static_cast<size_t>(stride) * size.height);
        workers_.run((size.height + slice_rows - 1) / slice_rows, [&](int slice) {
          const int first = slice * slice_rows;
          sphere::halve_rows(plane, from, copy.data(), stride, first,
                             std::min(first + slice_rows, size.height));
        });
        from = copies_[i][n] = {copy.data(), stride, size};
      }
    }
  }

  /// One plane of one patch of the output.
  struct Part {
    const sphere::Plan* plan;
    sphere::WarpPlane plane;
    int first_slice;
  };
  std::vector<Part> parts_;
  std::vector<uint8_t> copied_[GST_VIDEO_MAX_PLANES][sphere::most_reductions];
  sphere::WarpCopy copies_[GST_VIDEO_MAX_PLANES][sphere::most_reductions];
  int copy_count_ = 0;
  std::unique_ptr<StripFrame> strip_frame_, bands_frame_;
  sphere::Workers workers_;
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
  if (self->stitching.set_property(id, value)) return;
  if (id == PROP_THREADS)
    self->threads = g_value_get_int(value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  CpuSphereStitch* self = GST_CPU_SPHERE_STITCH(object)->self;
  if (self->stitching.get_property(id, value)) return;
  if (id == PROP_THREADS)
    g_value_set_int(value, self->threads);
  else
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

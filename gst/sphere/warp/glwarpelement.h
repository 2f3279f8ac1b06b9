// SPDX-License-Identifier: LGPL-2.1-or-later
// What all elements share which draw pictures with GL.

#pragma once

#include <gst/gl/gl.h>
#include <gst/video/video.h>

#include <memory>

#include "gst/sphere/base/result.h"
#include "gst/sphere/gl/buffers.h"
#include "gst/sphere/warp/glwarp.h"
#include "gst/sphere/warp/warptransform.h"

namespace sphere {

/// The C++ object of such an element, without its settings. Its functions are called by those of
/// GstGLBaseFilter with the same names.
class GlDrawer {
 public:
  /// `advice`: the error message if GL can't draw on this machine.
  GlDrawer(GstGLBaseFilter* filter, const char* advice) : filter_(filter), advice_(advice) {}
  virtual ~GlDrawer() = default;
  GlDrawer(const GlDrawer&) = delete;
  GlDrawer& operator=(const GlDrawer&) = delete;

  /// Reads both formats, before the first buffer.
  bool set_caps(const GstCaps* in, const GstCaps* out);
  const GstVideoInfo& in_info() const { return in_info_; }
  const GstVideoInfo& out_info() const { return out_info_; }

  /// Draws one buffer into another and waits for it.
  GstFlowReturn transform(GstBuffer* in, GstBuffer* out);

  // On the GL thread.
  bool gl_start();
  bool gl_set_caps(const GstCaps* in, const GstCaps* out);
  virtual void gl_stop() { warp_.reset(); }

 protected:
  /// Draws one frame into another, on the GL thread, between gl_start() and gl_stop().
  virtual Status draw(GstGLContext* context, const GstVideoFrame& in, const GstVideoFrame& out) = 0;
  GlWarp& warp() { return *warp_; }

 private:
  Status draw_buffer(GstGLContext* context, GstBuffer* in_buffer, GstBuffer* out_buffer);

  GstGLBaseFilter* const filter_;
  const char* const advice_;
  GstVideoInfo in_info_{}, out_info_{};
  // It exists from gl_start to gl_stop and is used only by the GL thread.
  std::unique_ptr<GlWarp> warp_;
};

/// The C++ object of such an element. `Common` is what it shares with the element on the CPU.
template <typename Common>
class GlWarpElement : public GlDrawer {
 public:
  GlWarpElement(GstElement* owner, const char* advice)
      : GlDrawer(GST_GL_BASE_FILTER(owner), advice), common(owner) {}

  bool set_property(guint id, const GValue* value) { return common.set_property(id, value); }
  bool get_property(guint id, GValue* value) { return common.get_property(id, value); }

  Common common;
};

/// Sets the functions of the class that need no C++ object: display, memory, and which GL it needs.
void install_gl_filter(GstGLBaseFilterClass* klass);

/// Sets all functions of the class, and adds the pads.
template <typename Instance>
void install_gl_warp(GstGLBaseFilterClass* klass) {
  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  install_warp_transform<Instance>(base_class);
  install_gl_filter(klass);
  base_class->set_caps = [](GstBaseTransform* base, GstCaps* in, GstCaps* out) -> gboolean {
    auto& self = self_of<Instance>(base);
    return self.set_caps(in, out) && self.common.set_formats(self.in_info(), self.out_info()) &&
           parent_class_of<GstBaseTransformClass>(base)->set_caps(base, in, out);
  };
  base_class->transform = [](GstBaseTransform* base, GstBuffer* in, GstBuffer* out) {
    auto& self = self_of<Instance>(base);
    if (!self.common.prepare(in, out, base->segment)) return GST_FLOW_ERROR;
    return self.transform(in, out);
  };
  base_class->transform_meta = [](GstBaseTransform*, GstBuffer*, GstMeta* meta,
                                  GstBuffer*) -> gboolean {
    // The output has a synchronisation meta of its own.
    return meta->info->api != GST_GL_SYNC_META_API_TYPE &&
           passes_meta<decltype(self_of<Instance>(nullptr).common)>(meta);
  };
  base_class->stop = [](GstBaseTransform* base) -> gboolean {
    const gboolean stopped = parent_class_of<GstBaseTransformClass>(base)->stop(base);
    self_of<Instance>(base).common.stop();
    return stopped;
  };
  klass->gl_start = [](GstGLBaseFilter* filter) -> gboolean {
    return self_of<Instance>(filter).gl_start();
  };
  klass->gl_stop = [](GstGLBaseFilter* filter) { self_of<Instance>(filter).gl_stop(); };
  klass->gl_set_caps = [](GstGLBaseFilter* filter, GstCaps* in, GstCaps* out) -> gboolean {
    return self_of<Instance>(filter).gl_set_caps(in, out);
  };
}

}  // namespace sphere

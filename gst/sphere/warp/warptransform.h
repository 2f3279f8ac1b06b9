// SPDX-License-Identifier: LGPL-2.1-or-later
// The code of GstBaseTransform that all elements share which draw pictures: negotiation, events and
// metas. Their C++ object has a member `common`: everything except the drawing.

#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/gstvideofilter.h>

#include "gst/sphere/base/element.h"
#include "gst/sphere/warp/pictureformats.h"

/// The formats that elements on the CPU take and make.
#define SPHERE_CPU_FORMATS "{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }"

namespace sphere {

/// For query: the base class's answer. That to a caps query on the sink pad is changed by
/// leave_size_open().
inline gboolean query_with_open_size(GstBaseTransform* transform, GstPadDirection direction,
                                     GstQuery* query) {
  auto* parent = parent_class_of<GstBaseTransformClass>(transform);
  if (!parent->query(transform, direction, query)) return FALSE;
  if (direction == GST_PAD_SINK && GST_QUERY_TYPE(query) == GST_QUERY_CAPS) leave_size_open(query);
  return TRUE;
}

/// Whether a meta is passed on: it is also true of the picture that is drawn, or `common` changes
/// it.
template <typename Common>
bool passes_meta(const GstMeta* meta) {
  return Common::changes_meta(meta) || stays_true_of_warped(meta);
}

/// Sets the class's functions for caps, events and metas. If `common` has a function input(), that
/// is the projection in which the input is stored. If `common` has a function observe(), that gets
/// the serialised events on the sink pad and returns what may be passed on, or null; if it has
/// navigate(), that gets navigation events and returns whether they were for it.
template <typename Instance>
void install_warp_transform(GstBaseTransformClass* klass) {
  using Common = decltype(self_of<Instance>(nullptr).common);
  klass->transform_caps = caps_of_other_side;
  klass->fixate_caps = [](GstBaseTransform* transform, GstPadDirection direction, GstCaps* caps,
                          GstCaps* others) {
    if (direction == GST_PAD_SINK) {
      Common& common = self_of<Instance>(transform).common;
      if constexpr (requires { common.input(); })
        return fixate_output(caps, others, common.projection(), common.input());
      else
        return fixate_output(caps, others, common.projection());
    }
    return parent_class_of<GstBaseTransformClass>(transform)->fixate_caps(transform, direction,
                                                                          caps, others);
  };
  klass->query = query_with_open_size;
  if constexpr (requires(Common & common, GstEvent * event) { common.observe(event); })
    klass->sink_event = [](GstBaseTransform* transform, GstEvent* event) -> gboolean {
      GstEvent* passed = self_of<Instance>(transform).common.observe(event);
      if (!passed) return TRUE;
      return parent_class_of<GstBaseTransformClass>(transform)->sink_event(transform, passed);
    };
  if constexpr (requires(Common & common, GstEvent * event) { common.navigate(event); })
    klass->src_event = [](GstBaseTransform* transform, GstEvent* event) -> gboolean {
      if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION &&
          self_of<Instance>(transform).common.navigate(event)) {
        // Its position is one in the view, so that it means nothing upstream.
        gst_event_unref(event);
        return TRUE;
      }
      return parent_class_of<GstBaseTransformClass>(transform)->src_event(transform, event);
    };
  klass->before_transform = sync_to_stream_time;
  klass->transform_meta = [](GstBaseTransform*, GstBuffer*, GstMeta* meta, GstBuffer*) -> gboolean {
    return passes_meta<Common>(meta);
  };
  klass->passthrough_on_same_caps = FALSE;
}

/// For the init of such an element.
inline void init_warp_transform(GstBaseTransform* transform) {
  // The picture is never the same on both sides, even if the caps are.
  gst_base_transform_set_passthrough(transform, FALSE);
  gst_base_transform_set_in_place(transform, FALSE);
}

/// All of this, and the pads, for an element that draws on the CPU. Its C++ object has the
/// functions draw(), for frames for which `common` is prepared, and stop().
template <typename Instance>
void install_cpu_warp(GstVideoFilterClass* klass) {
  install_pads(GST_ELEMENT_CLASS(klass), GST_VIDEO_CAPS_MAKE(SPHERE_CPU_FORMATS));
  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  install_warp_transform<Instance>(base_class);
  base_class->stop = [](GstBaseTransform* transform) -> gboolean {
    self_of<Instance>(transform).stop();
    return TRUE;
  };
  klass->set_info = [](GstVideoFilter* filter, GstCaps*, GstVideoInfo* in, GstCaps*,
                       GstVideoInfo* out) -> gboolean {
    return self_of<Instance>(filter).common.set_formats(*in, *out);
  };
  klass->transform_frame = [](GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
    auto& self = self_of<Instance>(filter);
    if (!self.common.prepare(in->buffer, out->buffer, GST_BASE_TRANSFORM(filter)->segment))
      return GST_FLOW_ERROR;
    self.draw(*in, *out);
    return GST_FLOW_OK;
  };
}

}  // namespace sphere

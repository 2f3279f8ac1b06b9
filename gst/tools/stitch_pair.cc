// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_pair.h"

#include <gst/base/gstaggregator.h>
#include <gst/video/video.h>

#include <cstring>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/videoframe.h"

namespace sphere::tool {

namespace {

constexpr GstClockTime usual_duration = GST_SECOND / 30;

struct PairJoiner {
  GstAggregator parent;
  GstAggregatorPad* left;
  GstAggregatorPad* right;
  // Only the aggregator's own thread touches what follows.
  GstVideoInfo in, out;
  gboolean formatted;
};

struct PairJoinerClass {
  GstAggregatorClass parent_class;
};

G_DEFINE_TYPE(PairJoiner, pair_joiner, GST_TYPE_AGGREGATOR)

/// Both sides' format, once both have one; false where they differ.
bool read_formats(PairJoiner* self) {
  const CapsRef left(gst_pad_get_current_caps(GST_PAD(self->left)));
  const CapsRef right(gst_pad_get_current_caps(GST_PAD(self->right)));
  GstVideoInfo left_info, right_info;
  if (!left || !right || !gst_video_info_from_caps(&left_info, left.get()) ||
      !gst_video_info_from_caps(&right_info, right.get()))
    return false;
  if (GST_VIDEO_INFO_FORMAT(&left_info) != GST_VIDEO_INFO_FORMAT(&right_info) ||
      GST_VIDEO_INFO_WIDTH(&left_info) != GST_VIDEO_INFO_WIDTH(&right_info) ||
      GST_VIDEO_INFO_HEIGHT(&left_info) != GST_VIDEO_INFO_HEIGHT(&right_info)) {
    GST_ELEMENT_ERROR(
        self, STREAM, FORMAT, ("The pictures of the two lenses differ in size or in form"),
        ("left %" GST_PTR_FORMAT ", right %" GST_PTR_FORMAT, left.get(), right.get()));
    return false;
  }
  if (self->formatted && gst_video_info_is_equal(&left_info, &self->in)) return true;
  self->in = left_info;
  const CapsRef caps(gst_caps_copy(left.get()));
  gst_caps_set_simple(caps.get(), "width", G_TYPE_INT, 2 * GST_VIDEO_INFO_WIDTH(&left_info),
                      nullptr);
  if (!gst_video_info_from_caps(&self->out, caps.get())) return false;
  gst_aggregator_set_src_caps(GST_AGGREGATOR(self), caps.get());
  self->formatted = TRUE;
  return true;
}

void copy_beside(VideoFrame& from, VideoFrame& into, bool right) {
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(from.get()); ++plane) {
    gint components[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component(from.get()->info.finfo, plane, components);
    const auto row = static_cast<size_t>(GST_VIDEO_FRAME_COMP_WIDTH(from.get(), components[0]) *
                                         GST_VIDEO_FRAME_COMP_PSTRIDE(from.get(), components[0]));
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(from.get(), components[0]); ++y)
      std::memcpy(static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(into.get(), plane)) +
                      static_cast<ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(into.get(), plane) +
                      (right ? row : 0),
                  static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(from.get(), plane)) +
                      static_cast<ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(from.get(), plane),
                  row);
  }
}

/// When a picture is shown, in the time that both sides share.
GstClockTime time_of(GstAggregatorPad* pad, GstBuffer* buffer) {
  return gst_segment_to_running_time(&pad->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
}

GstFlowReturn join(PairJoiner* self, GstBuffer* left, GstBuffer* right) {
  BufferRef joined(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&self->out), nullptr));
  if (!joined) return GST_FLOW_ERROR;
  {
    VideoFrame left_frame(self->in, left, GST_MAP_READ);
    VideoFrame right_frame(self->in, right, GST_MAP_READ);
    VideoFrame out_frame(self->out, joined.get(), GST_MAP_WRITE);
    if (!left_frame || !right_frame || !out_frame) return GST_FLOW_ERROR;
    copy_beside(left_frame, out_frame, false);
    copy_beside(right_frame, out_frame, true);
  }
  GST_BUFFER_PTS(joined.get()) = time_of(self->left, left);
  GST_BUFFER_DURATION(joined.get()) = GST_BUFFER_DURATION(left);
  return gst_aggregator_finish_buffer(GST_AGGREGATOR(self), joined.release());
}

GstFlowReturn aggregate(GstAggregator* aggregator, gboolean) {
  auto* self = reinterpret_cast<PairJoiner*>(aggregator);
  const BufferRef left(gst_aggregator_pad_peek_buffer(self->left));
  const BufferRef right(gst_aggregator_pad_peek_buffer(self->right));
  if (!left || !right) {
    const bool ended = (!left && gst_aggregator_pad_is_eos(self->left)) ||
                       (!right && gst_aggregator_pad_is_eos(self->right));
    return ended ? GST_FLOW_EOS : GST_AGGREGATOR_FLOW_NEED_DATA;
  }
  if (!read_formats(self)) return GST_FLOW_NOT_NEGOTIATED;
  const GstClockTime left_time = time_of(self->left, left.get());
  const GstClockTime right_time = time_of(self->right, right.get());
  const GstClockTime shown =
      GST_BUFFER_DURATION_IS_VALID(left.get()) ? GST_BUFFER_DURATION(left.get()) : usual_duration;
  const GstClockTimeDiff apart = GST_CLOCK_DIFF(left_time, right_time);
  const bool timed = GST_CLOCK_TIME_IS_VALID(left_time) && GST_CLOCK_TIME_IS_VALID(right_time);
  const auto half = static_cast<GstClockTimeDiff>(shown / 2);
  const bool left_is_late = timed && apart < -half, right_is_late = timed && apart > half;
  GstFlowReturn flow = GST_FLOW_OK;
  if (!left_is_late && !right_is_late) flow = join(self, left.get(), right.get());
  // The earlier one has no partner and goes.
  if (!left_is_late) gst_aggregator_pad_drop_buffer(self->left);
  if (!right_is_late) gst_aggregator_pad_drop_buffer(self->right);
  return flow;
}

GstCaps* fix_caps(GstAggregator*, GstCaps* caps) { return gst_caps_fixate(caps); }

/// The caps of the output come from the pictures, not from what follows.
gboolean negotiate(GstAggregator*) { return TRUE; }

void pair_joiner_init(PairJoiner* self) {
  GstElementClass* klass = GST_ELEMENT_GET_CLASS(self);
  GstPadTemplate* sink = gst_element_class_get_pad_template(klass, "sink");
  for (GstAggregatorPad** pad : {&self->left, &self->right}) {
    const char* name = pad == &self->left ? "left" : "right";
    *pad = GST_AGGREGATOR_PAD(g_object_new(GST_TYPE_AGGREGATOR_PAD, "name", name, "direction",
                                           GST_PAD_SINK, "template", sink, nullptr));
    gst_element_add_pad(GST_ELEMENT(self), GST_PAD(*pad));
  }
}

void pair_joiner_class_init(PairJoinerClass* klass) {
  auto* element = reinterpret_cast<GstElementClass*>(klass);
  auto* aggregator = reinterpret_cast<GstAggregatorClass*>(klass);
  const CapsRef caps(gst_caps_from_string(GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL)));
  gst_element_class_add_pad_template(
      element, gst_pad_template_new_with_gtype("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get(),
                                               GST_TYPE_AGGREGATOR_PAD));
  gst_element_class_add_pad_template(
      element, gst_pad_template_new_with_gtype("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get(),
                                               GST_TYPE_AGGREGATOR_PAD));
  gst_element_class_set_static_metadata(element, "Pair joiner", "Filter/Editor/Video",
                                        "Puts the pictures of two lenses beside each other",
                                        "gst-sphere");
  aggregator->aggregate = aggregate;
  aggregator->fixate_src_caps = fix_caps;
  aggregator->negotiate = negotiate;
}

}  // namespace

GstElement* make_pair_joiner() {
  return GST_ELEMENT(g_object_new(pair_joiner_get_type(), nullptr));
}

}  // namespace sphere::tool

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/stream_splicer.h"

#include <utility>

namespace sphere::camera {

namespace {

// Buffers. Every eighth picture of the camera is a key frame. A stream without key frames is passed
// on after this number of buffers.
constexpr int most_skipped = 60;
// From one buffer to the next. Files have the times in milliseconds.
constexpr GstClockTime least_step = GST_MSECOND;

/// The probe has handled the event. If a sticky event is dropped with GST_PAD_PROBE_DROP, GStreamer
/// sends it again before each buffer.
GstPadProbeReturn drop_handled(GstPadProbeInfo* info) {
  gst_event_unref(GST_PAD_PROBE_INFO_EVENT(info));
  GST_PAD_PROBE_INFO_DATA(info) = nullptr;
  return GST_PAD_PROBE_HANDLED;
}

/// Replaces the event of the probe by `event`, and takes ownership of it.
GstPadProbeReturn replace(GstPadProbeInfo* info, GstEvent* event) {
  gst_event_unref(GST_PAD_PROBE_INFO_EVENT(info));
  GST_PAD_PROBE_INFO_DATA(info) = event;
  return GST_PAD_PROBE_OK;
}

}  // namespace

StreamSplicer::StreamSplicer(GstPad* pad, Handlers handlers)
    : pad_(GST_PAD(gst_object_ref(pad))), handlers_(std::move(handlers)) {
  probe_ = gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      probe, this, nullptr);
}

StreamSplicer::~StreamSplicer() { gst_pad_remove_probe(pad_.get(), probe_); }

void StreamSplicer::restart(std::string stream_id, guint group) {
  const Lock lock(mutex_);
  stream_id_ = std::move(stream_id);
  started_ = segment_sent_ = false;
  lens_due_ = lens_ != nullptr;
  group_ = group;
  position_ = {};
  first_due_ = false;
  pictures_ = bytes_ = 0;
  last_picture_ = 0;
  finished_ = end_passes_ = false;
}

void StreamSplicer::push_end() {
  end_passes_ = true;
  // Dropped if a connection has begun the stream. EOS must not be the first event.
  gst_pad_push_event(pad_.get(), gst_event_new_stream_start(""));
  gst_pad_push_event(pad_.get(), gst_event_new_eos());
}

void StreamSplicer::set_lens(GstEvent* event) {
  const Lock lock(mutex_);
  lens_.reset(event);
  lens_due_ = true;
}

void StreamSplicer::push_lens() {
  GstEvent* event = nullptr;
  {
    const Lock lock(mutex_);
    if (!lens_due_ || !started_) return;
    lens_due_ = false;
    event = gst_event_ref(lens_.get());
  }
  gst_pad_push_event(pad_.get(), event);
}

GstPadProbeReturn StreamSplicer::probe(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<StreamSplicer*>(data);
  return GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER ? self->buffer_passes(info)
                                                                   : self->event_passes(info);
}

GstPadProbeReturn StreamSplicer::event_passes(GstPadProbeInfo* info) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START: {
      // Each connection has other stream ids and numbers. Downstream sees one stream.
      const Lock lock(mutex_);
      if (started_) return drop_handled(info);
      started_ = true;
      GstEvent* own = gst_event_new_stream_start(stream_id_.c_str());
      gst_event_set_group_id(own, group_);
      return replace(info, own);
    }
    case GST_EVENT_CAPS:
      push_lens();
      return GST_PAD_PROBE_OK;
    case GST_EVENT_SEGMENT: {
      gst_event_copy_segment(event, &position_.segment);
      position_.discontinuous = true;
      const Lock lock(mutex_);
      if (segment_sent_) return drop_handled(info);
      segment_sent_ = true;
      GstSegment plain;
      gst_segment_init(&plain, GST_FORMAT_TIME);
      return replace(info, gst_event_new_segment(&plain));
    }
    case GST_EVENT_EOS:
      if (end_passes_) return GST_PAD_PROBE_OK;
      // The end of a connection is not the end of the stream.
      if (!finished_ && handlers_.ended) handlers_.ended();
      return drop_handled(info);
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_SEGMENT_DONE:
      return drop_handled(info);
    default:
      return GST_PAD_PROBE_OK;
  }
}

GstPadProbeReturn StreamSplicer::buffer_passes(GstPadProbeInfo* info) {
  if (position_.discontinuous) {
    // Between two key frames, a decoder could not decode the first pictures.
    if (GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT) &&
        ++position_.skipped <= most_skipped)
      return GST_PAD_PROBE_DROP;
    position_.skipped = 0;
  }
  push_lens();
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const GstClockTime given =
      GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
  GstClockTime pts = GST_CLOCK_TIME_IS_VALID(given)
                         ? gst_segment_to_running_time(&position_.segment, GST_FORMAT_TIME, given)
                         : GST_CLOCK_TIME_NONE;
  // There are no B-frames, therefore times only rise. A connection that begins before the end of
  // the last one is moved behind it, and so is what a jitter buffer, which learns in the first
  // second how late packets come, moves back.
  GstClockTime& last = position_.last_pts;
  if (GST_CLOCK_TIME_IS_VALID(last) && (!GST_CLOCK_TIME_IS_VALID(pts) || pts < last + least_step))
    pts = last + least_step;
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  if (std::exchange(position_.discontinuous, false))
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  if (GST_CLOCK_TIME_IS_VALID(pts)) last = pts;
  ++pictures_;
  bytes_ += gst_buffer_get_size(buffer);
  last_picture_ = g_get_monotonic_time();
  if (first_due_.exchange(false) && handlers_.first_picture) handlers_.first_picture();
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::camera

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/timeline.h"

#include <utility>

namespace sphere::camera {

namespace {

// Pictures. The camera sends a key frame every eighth; one that sends none is shown all the same.
constexpr int most_skipped = 60;

}  // namespace

Timeline::Timeline(GstPad* pad, std::function<void()> on_end)
    : pad_(GST_PAD(gst_object_ref(pad))), on_end_(std::move(on_end)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  probe_ = gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      probe, this, nullptr);
}

Timeline::~Timeline() { gst_pad_remove_probe(pad_.get(), probe_); }

void Timeline::restart(std::string stream_id, guint group) {
  const Lock lock(mutex_);
  stream_id_ = std::move(stream_id);
  started_ = segment_sent_ = false;
  lens_due_ = lens_ != nullptr;
  group_ = group;
  last_pts_ = GST_CLOCK_TIME_NONE;
  pictures_ = 0;
  last_picture_ = 0;
  finished_ = false;
}

void Timeline::set_lens(GstEvent* event) {
  const Lock lock(mutex_);
  lens_.reset(event);
  lens_due_ = true;
}

void Timeline::push_lens() {
  GstEvent* event = nullptr;
  {
    const Lock lock(mutex_);
    if (!lens_due_ || !started_) return;
    lens_due_ = false;
    event = gst_event_ref(lens_.get());
  }
  gst_pad_push_event(pad_.get(), event);
}

GstPadProbeReturn Timeline::probe(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto* timeline = static_cast<Timeline*>(self);
  return GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER ? timeline->buffer(info)
                                                                   : timeline->event(info);
}

GstPadProbeReturn Timeline::event(GstPadProbeInfo* info) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START: {
      // Names and numbers are ours: those of a connection are as good as any other's, and change.
      const Lock lock(mutex_);
      if (started_) return GST_PAD_PROBE_DROP;
      started_ = true;
      GstEvent* own = gst_event_new_stream_start(stream_id_.c_str());
      gst_event_set_group_id(own, group_);
      gst_event_replace(reinterpret_cast<GstEvent**>(&GST_PAD_PROBE_INFO_DATA(info)), own);
      gst_event_unref(own);
      return GST_PAD_PROBE_OK;
    }
    case GST_EVENT_CAPS:
      push_lens();
      return GST_PAD_PROBE_OK;
    case GST_EVENT_SEGMENT: {
      gst_event_copy_segment(event, &segment_);
      discontinuous_ = true;
      const Lock lock(mutex_);
      if (segment_sent_) return GST_PAD_PROBE_DROP;
      segment_sent_ = true;
      GstSegment plain;
      gst_segment_init(&plain, GST_FORMAT_TIME);
      GstEvent* own = gst_event_new_segment(&plain);
      gst_event_replace(reinterpret_cast<GstEvent**>(&GST_PAD_PROBE_INFO_DATA(info)), own);
      gst_event_unref(own);
      return GST_PAD_PROBE_OK;
    }
    case GST_EVENT_EOS:
      // A connection ended, and the stream did not.
      if (!finished_) on_end_();
      return GST_PAD_PROBE_DROP;
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_SEGMENT_DONE:
      return GST_PAD_PROBE_DROP;
    default:
      return GST_PAD_PROBE_OK;
  }
}

GstPadProbeReturn Timeline::buffer(GstPadProbeInfo* info) {
  if (discontinuous_) {
    // Joined between two key frames, it would begin with pictures of nothing.
    if (GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT) &&
        ++skipped_ <= most_skipped)
      return GST_PAD_PROBE_DROP;
    skipped_ = 0;
  }
  push_lens();
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const GstClockTime given =
      GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
  GstClockTime pts = GST_CLOCK_TIME_IS_VALID(given)
                         ? gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, given)
                         : GST_CLOCK_TIME_NONE;
  // There are no B-frames, so that times only rise; a connection that begins before the last one's
  // end is moved behind it.
  if (GST_CLOCK_TIME_IS_VALID(last_pts_) && (!GST_CLOCK_TIME_IS_VALID(pts) || pts <= last_pts_))
    pts = last_pts_ + 1;
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  if (std::exchange(discontinuous_, false)) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  if (GST_CLOCK_TIME_IS_VALID(pts)) last_pts_ = pts;
  ++pictures_;
  last_picture_ = g_get_monotonic_time();
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::camera

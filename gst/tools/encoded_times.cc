// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/encoded_times.h"

#include <algorithm>

namespace sphere::tool {

namespace {

/// A shorter duration of a picture than this is a decoder's guess.
constexpr GstClockTime shortest_duration = GST_MSECOND;

}  // namespace

void EncodedTimes::watch(GstPad* mux_pad) {
  gst_pad_add_probe(
      mux_pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      watch, this, nullptr);
}

GstPadProbeReturn EncodedTimes::watch(GstPad*, GstPadProbeInfo* info, gpointer data) {
  EncodedTimes& times = *static_cast<EncodedTimes*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT)
      gst_event_copy_segment(GST_PAD_PROBE_INFO_EVENT(info), &times.segment_);
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const auto running = [&](GstClockTime time) {
    guint64 value = 0;
    const int sign =
        gst_segment_to_running_time_full(&times.segment_, GST_FORMAT_TIME, time, &value);
    return sign < 0 ? -static_cast<gint64>(value) : static_cast<gint64>(value);
  };
  if (!GST_BUFFER_PTS_IS_VALID(buffer) || !GST_BUFFER_DTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const gint64 shown = running(GST_BUFFER_PTS(buffer)), decoded = running(GST_BUFFER_DTS(buffer));
  const GstClockTime duration =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
  const gint64 end = shown + static_cast<gint64>(std::max(duration, shortest_duration));
  if (!times.begun_) {
    times.begun_ = true;
    times.first_decoded_ = decoded;
    times.first_shown_ = shown;
    times.end_ = end;
  }
  times.first_shown_ = std::min(times.first_shown_, shown);
  times.end_ = std::max(times.end_, end);
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(
      std::max<gint64>(times.end_ - times.first_shown_ - (decoded - times.first_decoded_),
                       static_cast<gint64>(shortest_duration)));
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::tool

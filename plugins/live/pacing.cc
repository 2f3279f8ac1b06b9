// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/live/pacing.h"

#include <atomic>

#include "gst/live/encoding.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

/// Of one clocksync. Used by the streaming thread; flushes come in others.
struct Pacing {
  std::atomic<bool> flushed = false;
  GstClockTimeDiff last = 0;  ///< the running time of the clock at the last buffer
};

GstClockTimeDiff running_time(GstElement* element) {
  const GstRef<GstClock> clock(gst_element_get_clock(element));
  if (!clock) return 0;
  return GST_CLOCK_DIFF(gst_element_get_base_time(element), gst_clock_get_time(clock.get()));
}

/// Where the clock is when the stream is at this buffer's time.
void pace(GstPad* pad, GstBuffer* buffer, Pacing* pacing) {
  const GstRef<GstElement> element(gst_pad_get_parent_element(pad));
  const GstClockTimeDiff now = running_time(element.get());
  // The pipeline has begun its running time anew.
  if (now < pacing->last) g_object_set(element.get(), "ts-offset", GstClockTimeDiff{0}, nullptr);
  pacing->last = now;
  if (!pacing->flushed) return;
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (!event) return;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const GstClockTime time =
      gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  gst_event_unref(event);
  if (!GST_CLOCK_TIME_IS_VALID(time)) return;
  pacing->flushed = false;
  g_object_set(element.get(), "ts-offset", now - static_cast<GstClockTimeDiff>(time), nullptr);
}

GstPadProbeReturn watch(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* pacing = static_cast<Pacing*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    pace(pad, GST_PAD_PROBE_INFO_BUFFER(info), pacing);
  } else if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_FLUSH) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    gboolean restarts = FALSE;
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) gst_event_parse_flush_stop(event, &restarts);
    if (restarts) pacing->flushed = true;
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

Result<GstElement*> make_pacing() {
  GstElement* element = gst_element_factory_make("clocksync", nullptr);
  if (!element) return missing_element("clocksync");
  const GstRef<GstPad> sink(gst_element_get_static_pad(element, "sink"));
  gst_pad_add_probe(
      sink.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      watch, new Pacing, [](gpointer data) { delete static_cast<Pacing*>(data); });
  return element;
}

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/captured_since.h"

#include <algorithm>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

CapturedSince::CapturedSince(GstElement* element, GstPad* sink)
    : element_(element), sink_(sink), marks_(element, sink) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

void CapturedSince::start(uint64_t grants) {
  grants_ = grants;
  since_ = 0;
  unresolved_ = false;
  joined_.reset();
  if (comes_late()) joined_ = clock_time();
  marked_at_.reset();
  base_time_ = GST_CLOCK_TIME_NONE;
  retime_ = false;
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

void CapturedSince::note_buffer() {
  if (GST_CLOCK_TIME_IS_VALID(base_time_)) return;
  base_time_ = gst_element_get_base_time(element_);
  if (unresolved_) since_ = since_base_time(since_);
  unresolved_ = false;
}

void CapturedSince::note_flush(bool reset_time) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  if (!reset_time) return;
  // Running time begins anew: the grant begins with the next buffer, in that time.
  if (since_ != 0) retime_ = true;
  if (joined_) joined_ = GST_CLOCK_TIME_NONE;
}

bool CapturedSince::note_grant(uint64_t grants, bool events_are_enough) {
  const bool fresh = grants != grants_;
  if (!fresh && !retime_ && !joined_) return true;
  const bool live = is_live();
  GstClockTime at = fresh || retime_ ? GST_CLOCK_TIME_NONE : *joined_;
  if (!GST_CLOCK_TIME_IS_VALID(at)) at = clock_time();
  if (live && !GST_CLOCK_TIME_IS_VALID(at)) return false;  // asked again with the next buffer
  // While a pipeline starts, its elements have the clock before they have the base time. With the
  // first buffer of a live source they have both.
  unresolved_ = live && !GST_CLOCK_TIME_IS_VALID(base_time_);
  since_ = !live ? 0 : unresolved_ ? at : since_base_time(at);
  // Timestamps alone are not enough, because elements may have shifted them. At running time 0 no
  // live source has captured anything, unless the base time has changed since the first buffer.
  const bool none_yet = since_ == 0 && gst_element_get_base_time(element_) == base_time_;
  if (none_yet || !live || events_are_enough) {
    if (fresh) marks_.stop();
  } else if (fresh || joined_) {
    marks_.begin();
    marked_at_.reset();
    if (marks_.waiting()) marked_at_ = GST_CLOCK_TIME_NONE;
  }
  joined_.reset();
  retime_ = false;
  grants_ = grants;
  return true;
}

bool CapturedSince::covers(const GstBuffer* buffer, GstClockTime overlap) {
  if (waiting()) return false;
  if (marked_at_ && !GST_CLOCK_TIME_IS_VALID(*marked_at_)) {
    // The first buffer after the marks. A decoder may have delayed what is from before them.
    const GstClockTime time = running_time(buffer), length = GST_BUFFER_DURATION(buffer);
    if (!GST_CLOCK_TIME_IS_VALID(time)) return false;
    marked_at_ = time;
    if (!marks_.direct() && GST_CLOCK_TIME_IS_VALID(length)) *marked_at_ += length;
    since_ = std::max(since_, *marked_at_);
  }
  return is_after(buffer, since_, overlap);
}

bool CapturedSince::is_after(const GstBuffer* buffer, GstClockTime begin,
                             GstClockTime overlap) const {
  if (begin == 0) return true;
  const GstClockTime time = running_time(buffer);
  return GST_CLOCK_TIME_IS_VALID(begin) && GST_CLOCK_TIME_IS_VALID(time) && time >= begin + overlap;
}

/// The present time of the element's clock.
GstClockTime CapturedSince::clock_time() const {
  const GstRef<GstClock> clock(gst_element_get_clock(element_));
  return clock ? gst_clock_get_time(clock.get()) : GST_CLOCK_TIME_NONE;
}

/// The running time at a time of the clock; 0 if the pipeline did not play yet.
GstClockTime CapturedSince::since_base_time(GstClockTime at) const {
  const GstClockTime base = gst_element_get_base_time(element_);
  return at > base ? at - base : 0;
}

bool CapturedSince::is_live() const {
  GstQuery* query = gst_query_new_latency();
  gboolean live = TRUE;
  if (gst_pad_peer_query(sink_, query)) gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  return live;
}

/// Whether the gate is added to a pipeline that is already running: buffers may have been captured
/// before the gate could know what was given.
bool CapturedSince::comes_late() const {
  for (GstRef<GstObject> at(gst_object_get_parent(GST_OBJECT(element_))); at;
       at.reset(gst_object_get_parent(at.get())))
    if (GST_IS_ELEMENT(at.get()) && GST_STATE(at.get()) >= GST_STATE_PAUSED) return true;
  return false;
}

/// The earliest running time that a buffer has something of.
GstClockTime CapturedSince::running_time(const GstBuffer* buffer) const {
  GstClockTime time =
      GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
  if (segment_.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(time))
    return GST_CLOCK_TIME_NONE;
  if (segment_.rate < 0 && GST_BUFFER_DURATION_IS_VALID(buffer))
    time += GST_BUFFER_DURATION(buffer);
  guint64 running = 0;
  const int sign = gst_segment_to_running_time_full(&segment_, GST_FORMAT_TIME, time, &running);
  if (sign == 0) return GST_CLOCK_TIME_NONE;
  return sign > 0 ? running : 0;
}

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// Which buffers were captured after the present grant of consent.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

#include "plugins/privacy/capture_marks.h"

namespace sphere::privacy {

/// For one gate and one category of consent. In a live pipeline, what was captured before a grant
/// may wait in queues when the grant comes. docs/consent.md tells how it is found. Where nothing
/// else is said, functions are called in the streaming thread of the pad.
class CapturedSince {
 public:
  CapturedSince(GstElement* element, GstPad* sink);

  /// With the streaming stopped. `grants`: of the category's Guard, as of now.
  void start(uint64_t grants);
  void stop() { marks_.stop(); }

  /// To be called with the first buffer, and may be called with each.
  void note_buffer();
  void set_segment(GstEvent* event) { gst_event_copy_segment(event, &segment_); }
  void note_flush(bool reset_time);
  /// Whether the event is a mark for this object. No other element needs it.
  bool take(GstEvent* event) { return marks_.take(event); }
  /// The grant is for another purpose than before.
  void forget_grant() { grants_ = 0; }

  /// To be called where consent is given, before anything is asked. `events_are_enough`: the source
  /// tells the gate itself what was captured with consent, and no element is in between. False: the
  /// time of the grant can't be told yet.
  bool note_grant(uint64_t grants, bool events_are_enough);
  /// Whether marks have not come yet: everything may have been captured before the grant.
  bool waiting() const { return marks_.waiting(); }
  /// To be called with each buffer while waiting(). True once: warn that no marks arrive.
  bool count_buffer() { return marks_.count_buffer(); }
  /// Whether a source is linked directly to the pad: then no element can have delayed or repeated
  /// anything.
  bool direct() const { return marks_.direct(); }
  /// Whether there was no grant since the stream began.
  bool always() const { return since_ == 0 && !unresolved_ && !waiting(); }
  /// Whether a buffer has only what was captured after the grant. `overlap`: the time for which it
  /// also has what belongs to its neighbours.
  bool covers(const GstBuffer* buffer, GstClockTime overlap);
  /// Whether the time of a buffer is not before a running time.
  bool is_after(const GstBuffer* buffer, GstClockTime begin, GstClockTime overlap) const;

 private:
  bool is_live() const;
  bool comes_late() const;
  GstClockTime clock_time() const;
  GstClockTime since_base_time(GstClockTime at) const;
  GstClockTime running_time(const GstBuffer* buffer) const;

  GstElement* const element_;
  GstPad* const sink_;
  CaptureMarks marks_;
  GstSegment segment_;
  uint64_t grants_ = 0;
  /// The running time from which on everything was captured with consent. It is 0 if only the time
  /// of arrival counts.
  GstClockTime since_ = 0;
  bool unresolved_ = false;  // before the first buffer: `since_` is a time of the clock
  GstClockTime base_time_ = GST_CLOCK_TIME_NONE;  // when the first buffer came
  bool retime_ = false;  // the running time has begun anew, but the grant is the same
  // The running time of the first buffer behind the marks of the last grant; GST_CLOCK_TIME_NONE:
  // there was none yet.
  std::optional<GstClockTime> marked_at_;
  // When the gate was added to a running pipeline, by the clock; GST_CLOCK_TIME_NONE: not known;
  // nothing: it was there from the start, or this has been taken into account.
  std::optional<GstClockTime> joined_;
};

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// Joins the streams of several connections to one continuous stream.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::camera {

/// A probe on a source pad. Downstream sees one stream-start and one segment, no end and no flush
/// when a connection ends, and timestamps that are running times and only rise.
class StreamSplicer {
 public:
  /// All are called in the streaming thread with no lock held; each may be empty.
  struct Handlers {
    std::function<void()> ended;          ///< a connection's stream ended
    std::function<void()> first_picture;  ///< the first buffer since expect_connection()
  };
  explicit StreamSplicer(GstPad* pad, Handlers handlers = {});
  ~StreamSplicer();
  StreamSplicer(const StreamSplicer&) = delete;
  StreamSplicer& operator=(const StreamSplicer&) = delete;

  /// Begins a new stream: the next stream-start and the next segment are passed on. To be called
  /// only while nothing streams. `group` is the group id of all streams of the element.
  void restart(std::string stream_id, guint group);
  /// The next buffer is the first of a new connection. To be called only while nothing streams.
  void expect_connection() { first_due_ = true; }
  /// Sends `event` before the next buffer. Takes ownership of it, and replaces one that is not sent
  /// yet.
  void set_lens(GstEvent* event);

  /// Downstream wants no more: the end of a connection is not reported any more. Returns true
  /// the first time.
  bool finish() { return !finished_.exchange(true); }
  /// Pushes the end of the stream. It waits while downstream holds a buffer.
  void push_end();

  uint64_t pictures() const { return pictures_; }
  /// Of these pictures.
  uint64_t bytes() const { return bytes_; }
  /// Monotonic time of the last buffer, microseconds; 0 before the first since restart().
  int64_t last_picture() const { return last_picture_; }

 private:
  static GstPadProbeReturn probe(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstPadProbeReturn event_passes(GstPadProbeInfo* info);
  GstPadProbeReturn buffer_passes(GstPadProbeInfo* info);
  void push_lens();

  const GstRef<GstPad> pad_;
  const Handlers handlers_;
  gulong probe_ = 0;

  // Protects what the streaming thread and others share; never held across a push.
  Mutex mutex_;
  std::string stream_id_ SPHERE_GUARDED_BY(mutex_);
  EventRef lens_ SPHERE_GUARDED_BY(mutex_);
  bool lens_due_ SPHERE_GUARDED_BY(mutex_) = false;
  bool started_ SPHERE_GUARDED_BY(mutex_) = false;
  bool segment_sent_ SPHERE_GUARDED_BY(mutex_) = false;
  guint group_ SPHERE_GUARDED_BY(mutex_) = 0;

  // Used only by the streaming thread. Connections follow each other: there is one at a time.
  struct Position {
    GstSegment segment;
    GstClockTime last_pts = GST_CLOCK_TIME_NONE;
    bool discontinuous = false;
    int skipped = 0;  // buffers, before the first key frame of a connection
    Position() { gst_segment_init(&segment, GST_FORMAT_TIME); }
  } position_;

  std::atomic<bool> first_due_ = false;
  std::atomic<bool> finished_ = false;
  std::atomic<bool> end_passes_ = false;  // an EOS is one of push_end()
  std::atomic<uint64_t> pictures_ = 0, bytes_ = 0;
  std::atomic<int64_t> last_picture_ = 0;
};

}  // namespace sphere::camera

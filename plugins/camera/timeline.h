// SPDX-License-Identifier: LGPL-2.1-or-later
// One unbroken stream made of the streams of several connections.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::camera {

/// Sits on a source pad. Downstream sees one stream-start and one segment, no end and no flush when
/// a connection ends, and timestamps that are running time and never go back. Events that are to be
/// seen downstream from the next picture on can be put in.
class Timeline {
 public:
  /// `on_end` is called in the streaming thread when a connection's stream ended.
  Timeline(GstPad* pad, std::function<void()> on_end);
  ~Timeline();

  /// A new stream from nothing: the next stream-start goes through.
  /// `group` is that of all streams of the element.
  void restart(std::string stream_id, guint group);
  /// Sent before the next picture; takes `event`, and one that waits is replaced.
  void set_lens(GstEvent* event);

  /// Downstream wants no more: a connection's end is no news from here on. Whether it was before.
  bool finish() { return !finished_.exchange(true); }

  uint64_t pictures() const { return pictures_; }
  /// Monotonic time of the last picture, microseconds; 0 before the first since restart().
  int64_t last_picture() const { return last_picture_; }

 private:
  // Call<gst_event_unref> would do, were that function not inline: a type of internal linkage.
  struct Unref {
    void operator()(GstEvent* event) const { gst_event_unref(event); }
  };
  using Event = std::unique_ptr<GstEvent, Unref>;

  static GstPadProbeReturn probe(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstPadProbeReturn event(GstPadProbeInfo* info);
  GstPadProbeReturn buffer(GstPadProbeInfo* info);
  void push_lens();

  const GstRef<GstPad> pad_;
  const std::function<void()> on_end_;
  gulong probe_ = 0;

  // Protects what the streaming thread and others share; never held across a push.
  Mutex mutex_;
  std::string stream_id_ SPHERE_GUARDED_BY(mutex_);
  Event lens_ SPHERE_GUARDED_BY(mutex_);
  bool lens_due_ SPHERE_GUARDED_BY(mutex_) = false;
  bool started_ SPHERE_GUARDED_BY(mutex_) = false;
  bool segment_sent_ SPHERE_GUARDED_BY(mutex_) = false;
  guint group_ SPHERE_GUARDED_BY(mutex_) = 0;

  // The streaming thread's own. Connections follow each other, so that there is one at a time.
  GstSegment segment_;
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
  bool discontinuous_ = false;
  int skipped_ = 0;  // pictures, before the first key frame of a connection

  std::atomic<bool> finished_ = false;
  std::atomic<uint64_t> pictures_ = 0;
  std::atomic<int64_t> last_picture_ = 0;
};

}  // namespace sphere::camera

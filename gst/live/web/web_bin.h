// SPDX-License-Identifier: LGPL-2.1-or-later
// The end of a pipeline whose pictures and sound a WebServer sends.

#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <cstdint>

#include "gst/live/web/web_server.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// Makes the element, once for each pipeline. There is one at a time; without one, the server goes
/// on.
class WebBin {
 public:
  WebBin() = default;
  WebBin(const WebBin&) = delete;
  WebBin& operator=(const WebBin&) = delete;

  struct Stream {
    bool audio = false;
    /// When the running time 0 is, microseconds since 1970.
    int64_t utc_of_running_time_0 = 0;
  };
  /// A new bin, floating, with the sink pads `video` (H.264 as a byte stream, in access units) and,
  /// with sound, `audio` (Opus). The one before must be in NULL. Both this object and `server` must
  /// live longer than the element.
  Result<GstElement*> make(WebServer& server, const Stream& stream);
  /// The element is in NULL.
  void closed();

  /// Asks the encoder for a key frame, if there is an element. Any thread may call this and the
  /// next ones.
  void request_key_frame();

  uint64_t pictures() const { return pictures_; }
  uint64_t bytes() const { return bytes_; }
  /// From the time stamp of the last picture to when it was given to the network.
  GstClockTime latency() const { return latency_; }

 private:
  using OnSample = GstFlowReturn (*)(GstAppSink* sink, gpointer self);
  static GstFlowReturn on_picture(GstAppSink* sink, gpointer self);
  static GstFlowReturn on_sound(GstAppSink* sink, gpointer self);
  static GstFlowReturn on_picture_packets(GstAppSink* sink, gpointer self);
  static GstFlowReturn on_sound_packets(GstAppSink* sink, gpointer self);
  void watch(const char* name, OnSample on_sample);
  GstFlowReturn forward_packets(GstAppSink* sink, StreamKind kind);

  // Constant while the element runs.
  WebServer* server_ = nullptr;
  GstElement* bin_ = nullptr;
  int64_t utc_of_running_time_0_ = 0;

  std::atomic<uint64_t> pictures_{0}, bytes_{0};
  std::atomic<GstClockTime> latency_{GST_CLOCK_TIME_NONE};
  Mutex mutex_;  ///< not held while an event is sent
  GstRef<GstPad> video_pad_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::live

// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs one output: opens it in a pipeline of its own, tells how it is doing, and opens it again
// after it failed.
//
// Why a pipeline for each output: an error message of any element makes the pipeline that holds it
// unusable, and a sink that blocks in the network blocks the thread that brings it data. In a
// pipeline of its own both concern only this output. The pipelines share the clock and the base
// time, so times need no conversion.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "gst/live/attempts.h"
#include "gst/live/feed.h"
#include "gst/live/output.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

class Runner {
 public:
  Runner(const Target& target, std::unique_ptr<Output> output);
  ~Runner() { stop(); }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  const Target& target() const { return target_; }
  const OutputNeeds& needs() const { return output_->needs(); }
  Feed& feed() { return feed_; }

  /// The stream is known, and the session's pipeline plays: the output can open. `changed` is
  /// called from the runner's thread after each change of the state or the words, and when an
  /// element is connected.
  void start(GstClock* clock, GstClockTime base_time, const StreamInfo& stream,
             std::function<void()> changed);
  bool started() const { return thread_.joinable(); }
  /// The stream has other properties now, such as sound: opens the output anew.
  void set_stream(const StreamInfo& stream);
  /// The same, for what the next element is told; the present one goes on.
  void update_stream(const StreamInfo& stream);
  StreamInfo stream() const;
  /// The session's pipeline plays again after a pause, which has moved its base time.
  void resume(GstClockTime base_time);

  /// Ends the output properly; does not wait. After end_timeout it is cut off.
  void finish();
  /// Stops at once and waits for the thread. What was written so far stays.
  void stop();
  /// Whether its thread has nothing more to do.
  bool done() const { return done_; }

  OutputStatus status() const;

 private:
  enum class End { finished, stopped, failed, anew, final };

  void run();
  /// One connection, from open() to closed().
  End run_once();
  End watch(GstElement* pipeline);
  /// Waits until then, unless it is to stop or to finish.
  void pause(int64_t microseconds);
  void wait_for_chance();
  void set_state(OutputState state, const std::string& words);
  void read_error(GstMessage* message);
  void watch_sinks(GstElement* pipeline);
  static GstPadProbeReturn measure(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  /// Buffers that the sinks have sent or written; nothing if there is no sink that counts.
  std::optional<uint64_t> rendered(GstElement* pipeline) const;

  const Target target_;
  const std::unique_ptr<Output> output_;
  Feed feed_;
  Attempts attempts_;  // of the runner's thread
  GstRef<GstClock> clock_;
  GstClockTime base_time_ = 0;
  std::function<void()> changed_;
  std::atomic<bool> stop_ = false, finish_ = false, anew_ = false, done_ = false,
                    unanswered_ = false;
  std::atomic<GstClockTime> latency_ = GST_CLOCK_TIME_NONE;
  std::string failure_;  // of the runner's thread: why the attempt failed

  mutable Mutex mutex_;  // protects what follows; held only while it is copied
  OutputState state_ SPHERE_GUARDED_BY(mutex_) = OutputState::connecting;
  std::string words_ SPHERE_GUARDED_BY(mutex_);
  StreamInfo stream_ SPHERE_GUARDED_BY(mutex_);
  unsigned reconnects_ SPHERE_GUARDED_BY(mutex_) = 0;

  std::thread thread_;
};

}  // namespace sphere::live

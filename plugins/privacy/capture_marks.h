// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks that sources put between their buffers, to distinguish what was captured before a moment
// from what was captured after it without using timestamps.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace sphere::privacy {

/// For one pad of one element. All functions are called in its streaming thread. The sources push
/// their marks in their own streaming threads.
class CaptureMarks {
 public:
  /// Of the events: those of a gate pass all others on their way to it.
  static constexpr const char* mark_name = "sphere-capture-mark";

  CaptureMarks(GstElement* element, GstPad* sink);
  ~CaptureMarks();
  CaptureMarks(const CaptureMarks&) = delete;
  CaptureMarks& operator=(const CaptureMarks&) = delete;

  /// Asks each source that is upstream now to push a mark before the first buffer that it captures
  /// after this moment.
  void begin();
  void stop();
  /// Whether buffers may still have been captured before begin(). False if no source was found.
  bool waiting() const;
  /// Whether a source is linked directly to the pad: then no element can have delayed sound.
  bool direct() const { return direct_; }
  /// Whether the event is a mark of this pad. No other element needs it.
  bool take(GstEvent* event);
  /// To be called with each buffer while waiting. Removed sources are not waited for any longer,
  /// and new ones are asked. Returns true once if the user must be told that marks don't arrive.
  bool count_buffer();

 private:
  struct Source;
  void ask();

  GstElement* const element_;
  GstPad* const sink_;
  const uint64_t id_;
  uint64_t round_ = 0;
  unsigned buffers_ = 0;
  bool direct_ = false;
  std::vector<std::shared_ptr<Source>> sources_;
};

}  // namespace sphere::privacy

// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks that sources put between their buffers, to distinguish what was captured before a moment
// from what was captured after it without using timestamps.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace sphere::privacy {

/// Of one pad of one element. All functions are for its streaming thread; the sources push their
/// marks in theirs.
class CaptureMarks {
 public:
  CaptureMarks(GstElement* element, GstPad* sink);
  ~CaptureMarks();
  CaptureMarks(const CaptureMarks&) = delete;
  CaptureMarks& operator=(const CaptureMarks&) = delete;

  /// Asks each source that is upstream now to push a mark before the first buffer that it captures
  /// after this moment.
  void begin();
  void stop();
  /// Whether what comes may still be of before begin(). Never where no source was found.
  bool waiting() const;
  /// Whether a source is linked to the pad itself: then nothing can have held sound back.
  bool direct() const { return direct_; }
  /// Whether the event is a mark of this pad's, which nobody else needs.
  bool take(GstEvent* event);
  /// To be called with each buffer while waiting. Sources that left are not waited for any longer,
  /// new ones are asked. True, once: there is reason to tell that marks don't arrive.
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

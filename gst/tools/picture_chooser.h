// SPDX-License-Identifier: LGPL-2.1-or-later
// An element for `sphere reframe` alone that passes the pictures on that a part of a film shows:
// each once with its own time, or at even steps of the film, each as often as it is shown.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>

namespace sphere::tool {

/// Times are stream times of IN.
struct PictureChoice {
  /// Each picture from `begin` up to, and without, `end`; else those of even steps.
  bool each = true;
  GstClockTime begin = 0, end = GST_CLOCK_TIME_NONE;
  /// The picture that is shown at `begin` is the first one, even if it came before.
  bool opens = true;
  /// Even steps: `count` of them, and the time of IN that is shown at each, rising. Steps below 0
  /// come before the first one.
  uint64_t count = 0;
  std::function<GstClockTime(int64_t)> time_of;
  /// Pictures that are passed on before, so that what follows has settled: those of the last
  /// `settle` before `begin`, or that many even steps.
  GstClockTime settle = 0;
  uint64_t settle_steps = 0;
  /// Whether the reader of IN can be sent to `begin`. Otherwise everything before is decoded, too.
  bool seekable = false;
};

/// What came of it; written by the element's thread, and complete when its stream has ended.
struct PictureCounts {
  std::atomic<uint64_t> decoded{0};          ///< pictures of IN between `begin` and `end`
  std::atomic<uint64_t> settling{0};         ///< passed on before the first one of the part
  std::atomic<uint64_t> chosen{0};           ///< passed on after these
  std::atomic<bool> ended{false};            ///< IN ended before the part was full
  std::atomic<GstClockTime> shown_until{0};  ///< the end of the last picture of IN that came
};

/// `counts` must exist longer than the element.
GstElement* make_picture_chooser(const PictureChoice& choice, PictureCounts* counts);

}  // namespace sphere::tool

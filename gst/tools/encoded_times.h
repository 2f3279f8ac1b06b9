// SPDX-License-Identifier: LGPL-2.1-or-later
// Times of coded pictures on their way into a muxer.

#pragma once

#include <gst/gst.h>

namespace sphere::tool {

/// mp4mux takes the sum of the steps in decoding order for the length of a track, and writes an
/// edit list of that length. Where steps differ and pictures are out of order, that cuts pictures
/// off the end. Only the last picture's duration counts for it, so each is given the one that makes
/// the sum right if it is the last.
class EncodedTimes {
 public:
  EncodedTimes() { gst_segment_init(&segment_, GST_FORMAT_TIME); }
  EncodedTimes(const EncodedTimes&) = delete;
  EncodedTimes& operator=(const EncodedTimes&) = delete;

  /// Watches what goes to a pad of a muxer. This object must exist longer than the pad.
  void watch(GstPad* mux_pad);

 private:
  static GstPadProbeReturn watch(GstPad*, GstPadProbeInfo* info, gpointer self);

  // Running times; only the pad's own thread touches them.
  GstSegment segment_{};
  bool begun_ = false;
  gint64 first_decoded_ = 0, first_shown_ = 0, end_ = 0;
};

}  // namespace sphere::tool

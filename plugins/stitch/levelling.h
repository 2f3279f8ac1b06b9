// SPDX-License-Identifier: LGPL-2.1-or-later
// Which way is down in each picture: from the file's track by presentation time, or from the meta
// beside the picture.

#pragma once

#include <gst/video/video.h>

#include <optional>
#include <span>

#include "gst/sphere/orientation/track.h"

namespace sphere {

/// Used by the streaming thread alone.
class Levelling {
 public:
  explicit Levelling(GstElement* owner) : owner_(owner) {}

  /// The file's own track; a meta on a picture comes before it.
  void set_track(std::span<const std::optional<Quaternion>> orientations);
  /// Nothing is known any more, and nothing has been warned of.
  void reset();
  /// What went before is not followed by what comes: a seek, a flush.
  void interrupt() { followed_.reset(); }

  /// The view that shows this picture level, view to camera. `smoothing` is in seconds.
  Mat3 view(Level level, double smoothing, GstBuffer* picture, const GstSegment& segment,
            const GstVideoInfo& format);

 private:
  enum Warning { nothing_known, no_rate, too_short, unusable, has_holes, warnings };
  struct Held {
    Quaternion camera_to_world;
    double heading = 0;
  };
  struct Followed {
    double heading = 0;
    GstClockTime time = 0;
  };

  std::optional<Held> from_meta(double smoothing, GstBuffer* picture);
  std::optional<Held> from_track(double smoothing, GstBuffer* picture, const GstSegment& segment,
                                 const GstVideoInfo& format);
  void warn(Warning which, const std::string& sentence);

  GstElement* const owner_;
  std::optional<OrientationTrack> track_;
  std::string track_problem_;
  bool warned_[warnings] = {};
  std::optional<Followed> followed_;
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// The orientation of the camera for each picture: from the file's track, by presentation time, or
// from the meta on the buffer.

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

  /// Sets the file's own track. A meta on a picture has priority over it.
  void set_track(std::span<const std::optional<Quaternion>> orientations);
  /// Removes the track, and allows all warnings again.
  void reset();
  /// To be called after a seek or a flush: the next picture does not follow the last one.
  void interrupt() { followed_.reset(); }

  /// The view that shows this picture level, view to camera. `smoothing` is in seconds.
  Mat3 view(Level level, double smoothing, GstBuffer* picture, const GstSegment& segment,
            const GstVideoInfo& format);

 private:
  enum Warning { nothing_known, no_rate, too_short, unusable, has_holes, warnings };
  struct CameraPose {
    Quaternion camera_to_world;
    double heading = 0;
  };
  struct FollowedHeading {
    double heading = 0;
    GstClockTime time = 0;
  };

  std::optional<CameraPose> from_meta(double smoothing, GstBuffer* picture);
  std::optional<CameraPose> from_track(double smoothing, GstBuffer* picture,
                                       const GstSegment& segment, const GstVideoInfo& format);
  void warn(Warning which, const std::string& sentence);

  GstElement* const owner_;
  std::optional<OrientationTrack> track_;
  std::string track_problem_;
  bool warned_[warnings] = {};
  std::optional<FollowedHeading> followed_;
};

}  // namespace sphere

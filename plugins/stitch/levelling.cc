// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/levelling.h"

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/orientation/gstsphereorientationmeta.h"

namespace sphere {

namespace {

// Pictures a second of the camera's recordings, for streams without a frame rate.
constexpr double usual_rate = 30000.0 / 1001;
// The largest error of a presentation time, in pictures: times are whole ticks.
constexpr double rounding = 0.02;
// Seconds. After a longer gap between pictures, the average of the heading begins anew.
constexpr double longest_gap = 1;

}  // namespace

void Levelling::set_track(std::span<const std::optional<Quaternion>> orientations) {
  track_.reset();
  track_problem_.clear();
  std::fill(std::begin(warned_), std::end(warned_), false);
  Result<OrientationTrack> track = OrientationTrack::make(orientations);
  if (track)
    track_ = std::move(*track);
  else
    track_problem_ = track.error().message;
}

void Levelling::reset() {
  track_.reset();
  track_problem_.clear();
  std::fill(std::begin(warned_), std::end(warned_), false);
  interrupt();
}

void Levelling::warn(Warning which, const std::string& sentence) {
  if (warned_[which]) return;
  warned_[which] = true;
  GST_ELEMENT_WARNING(owner_, STREAM, FORMAT, ("%s.", sentence.c_str()), (nullptr));
}

Mat3 Levelling::view(Level level, double smoothing, GstBuffer* picture, const GstSegment& segment,
                     const GstVideoInfo& format) {
  if (level == Level::off) {
    interrupt();
    return {};
  }
  std::optional<CameraPose> held = from_meta(smoothing, picture);
  if (!held) held = from_track(smoothing, picture, segment, format);
  if (!held) {
    if (track_problem_.empty())
      warn(nothing_known,
           "The orientation of the camera is not known; the pictures are not levelled");
    else
      warn(unusable,
           "The file's orientation track can't be used, and the pictures are not levelled: " +
               track_problem_);
    return {};
  }
  return level_view(level, held->camera_to_world, held->heading);
}

std::optional<Levelling::CameraPose> Levelling::from_meta(double smoothing, GstBuffer* picture) {
  const GstSphereOrientationMeta* meta = gst_buffer_get_sphere_orientation_meta(picture);
  if (!meta) return std::nullopt;
  // Any element can write the fields of the meta: they may have any values.
  const Quaternion q = {meta->w, meta->x, meta->y, meta->z};
  const double square = dot(q, q);
  if (!std::isfinite(square) || !(square > 0)) return std::nullopt;
  CameraPose held = {normalised(q), 0};
  held.heading = heading_of(held.camera_to_world);
  const GstClockTime time = GST_BUFFER_PTS(picture);
  if (!(smoothing > 0) || !GST_CLOCK_TIME_IS_VALID(time)) return held;
  // The next pictures are not known yet: only the earlier ones are averaged.
  if (followed_ && time >= followed_->time) {
    const double passed = static_cast<double>(time - followed_->time) / GST_SECOND;
    if (passed <= longest_gap) {
      const double part = 1 - std::exp(-passed / smoothing);
      held.heading =
          followed_->heading + part * std::remainder(held.heading - followed_->heading, 2 * pi);
    }
  }
  followed_ = {held.heading, time};
  return held;
}

std::optional<Levelling::CameraPose> Levelling::from_track(double smoothing, GstBuffer* picture,
                                                           const GstSegment& segment,
                                                           const GstVideoInfo& format) {
  if (!track_ || segment.format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID(picture))
    return std::nullopt;
  guint64 magnitude = 0;
  const int sign = gst_segment_to_stream_time_full(&segment, GST_FORMAT_TIME,
                                                   GST_BUFFER_PTS(picture), &magnitude);
  if (sign == 0) return std::nullopt;
  double rate = usual_rate;
  if (GST_VIDEO_INFO_FPS_N(&format) > 0 && GST_VIDEO_INFO_FPS_D(&format) > 0)
    rate = static_cast<double>(GST_VIDEO_INFO_FPS_N(&format)) / GST_VIDEO_INFO_FPS_D(&format);
  else if (track_->size() > 1)
    warn(no_rate,
         "The stream has an orientation for each picture, but no frame rate; 29.97 pictures a "
         "second are assumed");
  if (track_->holes())
    warn(has_holes, std::to_string(track_->holes()) + " of the " + std::to_string(track_->size()) +
                        " entries of the file's orientation track are not rotations; they are "
                        "interpolated from the entries around them");
  double index = sign * (static_cast<double>(magnitude) / GST_SECOND) * rate;
  // After a seek to a time inside a picture, decoders give the picture that time.
  if (GST_BUFFER_PTS(picture) == segment.start) index = std::floor(index + rounding);
  if (index > static_cast<double>(track_->size()) - 0.5)
    warn(too_short,
         "The file's orientation track has " + std::to_string(track_->size()) +
             " entries and ends before the video; the last orientation is used for the rest");
  return CameraPose{track_->at(index), track_->smooth_heading(index, smoothing * rate)};
}

}  // namespace sphere

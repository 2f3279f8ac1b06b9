// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends the camera's position to it, while consent is given.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <optional>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "hw/camera.h"

namespace sphere::camera {

inline constexpr guint default_position_interval = 5;  // s

class PositionReporter {
 public:
  using Time = std::chrono::microseconds;  // monotonic

  PositionReporter(GstElement* element, const consent::Consent& consent)
      : element_(element), consent_(consent) {}

  /// Sets the position of the camera; none: nothing is sent. Any thread may call it.
  void set_position(std::optional<Position> position);
  void set_interval(std::chrono::seconds interval);
  std::chrono::seconds interval();

  // Called by one thread only.
  /// To be called when the element starts.
  void restart();
  /// Sends the position if it is due and there is a `camera`. Returns when it must be called again
  /// if nothing changes; nothing: never.
  std::optional<Time> update(hw::Camera* camera, Time now);

 private:
  GstElement* const element_;
  const consent::Consent& consent_;

  // Protects what follows; the innermost.
  Mutex mutex_;
  std::optional<Position> position_ SPHERE_GUARDED_BY(mutex_);
  std::chrono::seconds interval_ SPHERE_GUARDED_BY(mutex_){default_position_interval};
  bool changed_ SPHERE_GUARDED_BY(mutex_) = false;

  // Used only by the connection thread.
  std::optional<Time> sent_at_;
  bool camera_has_it_ = false;  // a position that we sent
};

}  // namespace sphere::camera

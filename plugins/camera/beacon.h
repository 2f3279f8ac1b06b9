// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells the camera where it is, as long as that is agreed to.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <optional>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "hw/madv/session.h"

namespace sphere::camera {

inline constexpr guint default_position_interval = 5;  // s

class Beacon {
 public:
  using Clock = std::chrono::steady_clock;

  Beacon(GstElement* element, const consent::Consent& consent)
      : element_(element), consent_(consent) {}

  /// Where the camera is from now on; none: nothing is sent.
  void set_place(std::optional<consent::Position> place);
  void set_interval(std::chrono::seconds interval);
  std::chrono::seconds interval();

  /// A camera that was told nothing yet.
  void restart();
  /// Sends what is due, where there is a session, and says when it wants to be asked again. One
  /// thread's.
  std::optional<Clock::time_point> step(madv::Session* session);

 private:
  GstElement* const element_;
  const consent::Consent& consent_;

  // Protects what follows; the innermost.
  Mutex mutex_;
  std::optional<consent::Position> place_ SPHERE_GUARDED_BY(mutex_);
  std::chrono::seconds interval_ SPHERE_GUARDED_BY(mutex_){default_position_interval};
  bool changed_ SPHERE_GUARDED_BY(mutex_) = false;

  // The thread's own.
  std::optional<Clock::time_point> sent_at_;
  bool told_ = false;  // the camera has a position of ours
};

}  // namespace sphere::camera

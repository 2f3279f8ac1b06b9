// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands to the camera for which an application's thread waits.

#pragma once

#include <gio/gio.h>

#include <chrono>
#include <functional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "hw/camera.h"

namespace sphere::camera {

/// Any thread may call, but not the camera's own.
class PendingCalls {
 public:
  using Command = std::function<void(hw::Camera&, hw::Camera::Handler)>;

  /// Sends the command and waits for the answer, until `timeout` or cancel().
  /// An answer that comes later is dropped.
  hw::Camera::Answer call(hw::Camera& camera, const Command& command, std::chrono::seconds timeout);
  /// Ends all waiting calls.
  void cancel();

 private:
  Mutex mutex_;  // protects `stopped_`; never held together with another
  /// Of the calls that wait now. Later ones get another.
  ObjectRef<GCancellable> stopped_ SPHERE_GUARDED_BY(mutex_){g_cancellable_new()};
};

}  // namespace sphere::camera

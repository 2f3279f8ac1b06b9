// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands to the camera for which an application's thread waits.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

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
  struct Call {
    Mutex mutex;  // protects `answer`; the innermost
    std::condition_variable_any changed;
    std::optional<hw::Camera::Answer> answer SPHERE_GUARDED_BY(mutex);
    void set(const hw::Camera::Answer& given);
  };

  Mutex mutex_;  // protects `calls_`; never held together with another
  std::vector<std::weak_ptr<Call>> calls_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::camera

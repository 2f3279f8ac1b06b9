// SPDX-License-Identifier: LGPL-2.1-or-later
// What tests see of the toys, and do to them.

#pragma once

#include <atomic>

#include "gst/sphere/base/thread.h"
#include "hw/camera.h"

namespace sphere::toy {

struct World {
  std::atomic<bool> away = false;
  std::atomic<bool> mute = false;  // commands get no answer
  std::atomic<int> connections = 0, photos = 0;
  std::atomic<double> latitude = 0;

  /// The camera that is connected says that it ends.
  void lose_control();
  void set_current(hw::Camera* camera);

 private:
  Mutex mutex_;  // the innermost
  hw::Camera* current_ SPHERE_GUARDED_BY(mutex_) = nullptr;
};
World& world();

}  // namespace sphere::toy

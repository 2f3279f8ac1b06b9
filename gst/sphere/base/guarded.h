// SPDX-License-Identifier: LGPL-2.1-or-later
// A value that several threads read and change as a whole.

#pragma once

#include "gst/sphere/base/thread.h"

namespace sphere {

template <typename T>
class Guarded {
 public:
  T get() const {
    const Lock lock(mutex_);
    return value_;
  }
  /// Calls change() with the value. It must not call anything that takes a lock.
  template <typename Change>
  void change(const Change& change) {
    const Lock lock(mutex_);
    change(value_);
  }

 private:
  mutable Mutex mutex_;  // taken alone
  T value_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// How many viewers there are, and how many there may be.

#pragma once

#include <chrono>
#include <utility>

#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// Any thread may call. It must outlive its slots.
class ViewerSlots {
 public:
  /// The slot of one viewer, which is free again when this object is destroyed.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(ViewerSlots* slots) : slots_(slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(slots_, other.slots_);
      return *this;
    }
    ~Slot() {
      if (slots_) slots_->give_back();
    }
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    ViewerSlots* slots_ = nullptr;
  };

  explicit ViewerSlots(unsigned most) : most_(most) {}

  /// An empty slot object if all are taken.
  Slot take() {
    const Lock lock(mutex_);
    if (taken_ >= most_) return {};
    ++taken_;
    return Slot(this);
  }
  unsigned taken() const {
    const Lock lock(mutex_);
    return taken_;
  }
  /// Waits until all are free; false if that takes longer.
  bool wait_until_free(std::chrono::microseconds at_most) const {
    const auto until = std::chrono::steady_clock::now() + at_most;
    const Lock lock(mutex_);
    while (taken_ > 0)
      if (freed_.wait_until(mutex_, until) == std::cv_status::timeout) break;
    return taken_ == 0;
  }

 private:
  void give_back() {
    const Lock lock(mutex_);
    if (--taken_ == 0) freed_.notify_all();
  }

  const unsigned most_;
  mutable Mutex mutex_;  // protects the number; the innermost
  mutable ConditionVariable freed_;
  unsigned taken_ SPHERE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sphere::live

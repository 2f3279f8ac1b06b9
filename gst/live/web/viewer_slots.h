// SPDX-License-Identifier: LGPL-2.1-or-later
// How many viewers there are, and how many there may be.

#pragma once

#include <atomic>
#include <memory>
#include <utility>

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
      if (slots_) --slots_->taken_;
    }
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    ViewerSlots* slots_ = nullptr;
  };

  explicit ViewerSlots(unsigned most) : most_(most) {}

  /// An empty slot object if all are taken.
  Slot take() {
    unsigned taken = taken_.load();
    do {
      if (taken >= most_) return {};
    } while (!taken_.compare_exchange_weak(taken, taken + 1));
    return Slot(this);
  }
  unsigned taken() const { return taken_.load(); }
  unsigned most() const { return most_; }

 private:
  const unsigned most_;
  std::atomic<unsigned> taken_{0};
};

}  // namespace sphere::live

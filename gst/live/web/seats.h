// SPDX-License-Identifier: LGPL-2.1-or-later
// How many viewers there are, and how many there may be.

#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace sphere::live {

/// Any thread may call. It must outlive its seats.
class Seats {
 public:
  /// The seat of one viewer, which is free again when this object is destroyed.
  class Seat {
   public:
    Seat() = default;
    explicit Seat(Seats* seats) : seats_(seats) {}
    Seat(Seat&& other) noexcept : seats_(std::exchange(other.seats_, nullptr)) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(seats_, other.seats_);
      return *this;
    }
    ~Seat() {
      if (seats_) --seats_->taken_;
    }
    explicit operator bool() const { return seats_ != nullptr; }

   private:
    Seats* seats_ = nullptr;
  };

  explicit Seats(unsigned most) : most_(most) {}

  /// An empty seat object if all are taken.
  Seat take() {
    unsigned taken = taken_.load();
    do {
      if (taken >= most_) return {};
    } while (!taken_.compare_exchange_weak(taken, taken + 1));
    return Seat(this);
  }
  unsigned taken() const { return taken_.load(); }
  unsigned most() const { return most_; }

 private:
  const unsigned most_;
  std::atomic<unsigned> taken_{0};
};

}  // namespace sphere::live

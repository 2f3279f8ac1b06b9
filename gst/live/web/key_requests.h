// SPDX-License-Identifier: LGPL-2.1-or-later
// Many viewers request key frames: all get the same ones, and not too many.

#pragma once

#include <cstdint>

namespace sphere::live {

class KeyRequests {
 public:
  /// `interval`: between two key frames that are asked for, in the unit of the times below.
  explicit KeyRequests(int64_t interval) : interval_(interval), last_(-interval) {}

  void want() { wanted_ = true; }
  /// Whether the encoder is to be asked now.
  bool due(int64_t now) {
    if (!wanted_ || now - last_ < interval_) return false;
    wanted_ = false;
    last_ = now;
    return true;
  }

 private:
  const int64_t interval_;
  int64_t last_;
  bool wanted_ = false;
};

}  // namespace sphere::live

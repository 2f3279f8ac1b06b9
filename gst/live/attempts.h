// SPDX-License-Identifier: LGPL-2.1-or-later
// How long an output waits before it is tried again. Knows no clock.

#pragma once

#include <cstdint>

namespace sphere::live {

class Attempts {
 public:
  /// Short enough that pictures are back within 5 s after a server has come back.
  static constexpr int64_t first_pause = 500'000, longest_pause = 2'000'000;
  /// When pictures have passed for this long, the next failure counts as the first one.
  static constexpr int64_t steady = 10'000'000;

  /// Pictures began to pass.
  void running(int64_t now) {
    running_since_ = now;
    if (lost_) ++reconnects_;
    lost_ = false;
    ran_ = true;
  }
  /// It failed; returns the pause in microseconds, which grows from failure to failure.
  int64_t failed(int64_t now);
  /// How often pictures passed again after a failure.
  unsigned reconnects() const { return reconnects_; }

 private:
  int64_t pause_ = 0, running_since_ = 0;
  bool ran_ = false, lost_ = false;  ///< lost: it ran before, and failed
  unsigned reconnects_ = 0;
};

}  // namespace sphere::live

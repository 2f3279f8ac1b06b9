// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits the messages that a camera sends without a request.

#pragma once

#include <algorithm>
#include <cstddef>

#include "hw/madv/clock.h"

namespace sphere::madv {

/// Allows a number of messages at once, and a number per second in the long term. A message of more
/// than 1 KiB counts as several. The largest burst of a real camera, ten photos, has about thirty
/// messages of less than 400 bytes each.
class MessageRateLimit {
 public:
  static constexpr double at_once = 2000;
  static constexpr double per_second = 20;
  static constexpr double message_bytes = 1024;

  /// Counts one message of this many bytes; false if the limit is exceeded.
  bool count(size_t bytes, Time now) {
    return add(1 + static_cast<double>(bytes) / message_bytes, now);
  }
  /// The same for bytes that are not part of a message.
  bool count_padding(size_t bytes, Time now) {
    return add(static_cast<double>(bytes) / message_bytes, now);
  }

 private:
  bool add(double cost, Time now) {
    if (now > counted_at_) {
      left_ += std::chrono::duration<double>(now - counted_at_).count() * per_second;
      left_ = std::min(left_, at_once);
      counted_at_ = now;
    }
    left_ -= cost;
    return left_ >= 0;
  }

  double left_ = at_once;
  Time counted_at_{};
};

}  // namespace sphere::madv

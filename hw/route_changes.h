// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells when this machine joins or leaves a network.

#pragma once

#include <chrono>

#include "gst/sphere/base/descriptor.h"

namespace sphere::hw {

/// Changes of the addresses and routes of IPv4, as Linux tells them.
class RouteChanges {
 public:
  RouteChanges();

  enum class WakeReason { change, descriptor, timeout };
  /// Waits for a change, until `descriptor` is readable, or for `timeout`. Several changes that
  /// come together count as one. If the system tells no changes, it waits for the others.
  WakeReason wait(int descriptor, std::chrono::milliseconds timeout);

 private:
  void read_all();

  Descriptor socket_;
};

}  // namespace sphere::hw

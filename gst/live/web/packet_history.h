// SPDX-License-Identifier: LGPL-2.1-or-later
// The last packets of a stream, for viewers that lost some.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/live/web/peer.h"

namespace sphere::live {

class PacketHistory {
 public:
  /// `size` must be a power of two.
  explicit PacketHistory(size_t size) : packets_(size) {}

  void add(RtpPacketRef packet) {
    packets_[packet->sequence & (packets_.size() - 1)] = std::move(packet);
  }
  /// Null if it is not among the last ones.
  RtpPacketRef find(uint16_t sequence) const {
    const RtpPacketRef& packet = packets_[sequence & (packets_.size() - 1)];
    return packet && packet->sequence == sequence ? packet : nullptr;
  }

 private:
  std::vector<RtpPacketRef> packets_;
};

}  // namespace sphere::live

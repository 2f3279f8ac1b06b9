// SPDX-License-Identifier: LGPL-2.1-or-later
// A TCP connection that a library made, ended from outside.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/thread.h"

namespace sphere::hw {

/// rtspsrc of GStreamer 1.22 reads an answer for as long as bytes of it come, of any size, and
/// can't be stopped while it does: not even by the state NULL. Its connection can't be asked for
/// either. This finds it among the descriptors of this process, and ends it where that is needed.
/// Any thread may call.
class PeerConnection {
 public:
  /// To this host (a name, or an address) and port.
  PeerConnection(std::string host, uint16_t port);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  /// To be called when the library has made its connection: takes one that no other object of this
  /// class has, unless the one that was found before is still open.
  void find();
  /// Bytes that came so far, also those that nobody has read. 0 where there is no connection.
  uint64_t received() const;
  /// Ends the connection: whoever reads or writes gets an error.
  void shut_down() const;

 private:
  struct Socket {
    int descriptor;
    ino_t inode;
  };
  Descriptor borrow() const;
  void release();

  const std::string host_;
  const uint16_t port_;
  mutable Mutex mutex_;  // protects `socket_`; the innermost
  std::optional<Socket> socket_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::hw

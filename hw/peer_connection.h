// SPDX-License-Identifier: LGPL-2.1-or-later
// Ends a TCP connection that a library has made.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/thread.h"

namespace sphere::hw {

/// rtspsrc of GStreamer 1.22 reads an answer of any size as long as bytes come, and can't be
/// stopped meanwhile, not even by the state NULL. It has no access to its connection either. This
/// class finds the connection among the descriptors of this process, and ends it if necessary. All
/// functions may be called from any thread.
class PeerConnection {
 public:
  /// For connections to this host (a name, or an address) and port.
  PeerConnection(std::string host, uint16_t port);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  /// To be called after the library has made its connection. Finds one that no other object of this
  /// class has, unless the one that was found before is still open.
  void find();
  /// The number of bytes that were received so far, read or not. 0 if there is no connection.
  uint64_t received() const;
  /// Shuts the connection down: reading and writing return an error or the end.
  void shut_down() const;

 private:
  struct Socket {
    int descriptor;
    ino_t inode;
  };
  Descriptor second_descriptor() const;
  void release();

  const std::string host_;
  const uint16_t port_;
  mutable Mutex mutex_;  // protects `socket_`; the innermost
  std::optional<Socket> socket_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::hw

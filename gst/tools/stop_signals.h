// SPDX-License-Identifier: LGPL-2.1-or-later
// Ctrl-C and the other signals that end a command, as a GCancellable.

#pragma once

#include <gio/gio.h>

#include <atomic>
#include <thread>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

/// While it exists, SIGINT, SIGTERM and SIGHUP only cancel; but if it still exists 30 s after
/// SIGTERM, SIGHUP or the second SIGINT, the process is ended by force. It must be made before the
/// command starts other threads, because they inherit that these signals are blocked.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  GCancellable* cancellable() const { return cancellable_.get(); }
  /// The last signal that came; 0: none.
  int signal() const { return signal_; }
  /// Forgets a Ctrl-C that ended only a part of the command, so that the rest can be cancelled
  /// anew. Not while something waits for the cancellable. Returns whether there was one, and no
  /// other signal.
  bool forget_interrupt();

 private:
  const ObjectRef<GCancellable> cancellable_;
  Descriptor signals_, quit_;
  sigset_t before_;
  std::atomic<int> signal_ = 0, count_ = 0;
  std::thread thread_;
};

}  // namespace sphere::tool

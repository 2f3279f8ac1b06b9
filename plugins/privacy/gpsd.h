// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of gpsd, the daemon for receivers of satellite positions: JSON over TCP.

#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/position.h"
#include "gst/sphere/base/thread.h"

namespace sphere::privacy {

/// The position in one line that gpsd sends; nothing if it is another report, or there is no fix.
std::optional<Position> position_in_report(std::string_view line);

/// Its own thread is connected only while positions are wanted.
class GpsdClient {
 public:
  /// HOST or HOST:PORT.
  explicit GpsdClient(std::string address);
  ~GpsdClient();
  GpsdClient(const GpsdClient&) = delete;
  GpsdClient& operator=(const GpsdClient&) = delete;

  /// While it is not wanted, what is known is forgotten. Any thread may call.
  void set_wanted(bool wanted);
  /// The last position, if it is not older than ten seconds. Any thread may call.
  std::optional<Position> position() const;

 private:
  void run();
  void receive(GCancellable* cancellable);
  void take(std::string_view line, GCancellable* cancellable);

  const std::string address_;
  // Protects what follows; never held across a call of the network.
  mutable Mutex mutex_;
  ConditionVariable changed_;
  bool wanted_ SPHERE_GUARDED_BY(mutex_) = false, ends_ SPHERE_GUARDED_BY(mutex_) = false;
  ObjectRef<GCancellable> cancellable_ SPHERE_GUARDED_BY(mutex_);  // of the present connection
  std::optional<Position> position_ SPHERE_GUARDED_BY(mutex_);
  int64_t received_us_ SPHERE_GUARDED_BY(mutex_) = 0;  // by the monotonic clock
  std::thread thread_;                                 // the last member: it uses all others
};

}  // namespace sphere::privacy

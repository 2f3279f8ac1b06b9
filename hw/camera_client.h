// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that several parts of a program use over one connection, because a camera accepts one
// client at a time.

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/thread.h"
#include "hw/camera.h"

namespace sphere::hw {

/// It can be connected any number of times, one after the other.
class CameraClient {
 public:
  using Done = std::function<void(const std::optional<Failure>&)>;
  using Listener = std::function<void(const CameraEvent&)>;

  /// `options.location` is a URI of the family.
  CameraClient(const CameraFamily& family, CameraOptions options);
  /// disconnect()
  ~CameraClient();
  CameraClient(const CameraClient&) = delete;
  CameraClient& operator=(const CameraClient&) = delete;

  const CameraFamily& family() const { return family_; }
  const std::string& location() const { return options_.location; }

  /// Connects if there is no connection yet. `done` is called once: when commands can be given, or
  /// with the reason why not; in the camera's thread, or in this one. Not from a
  /// listener, and not from another `done`.
  void connect(Done done);
  /// Ends the connection and waits for that: less than a second. Not from a listener.
  void disconnect();

  /// The camera, also while it is being connected; null without a connection.
  std::shared_ptr<Camera> camera() const;
  bool is_ready() const;
  /// The last known state.
  CameraState state() const;

  /// Listeners are called in the camera's thread without a lock, with the events of every
  /// connection. After remove_listener() has returned, the listener is not called any more, unless
  /// it is removed within its own call.
  unsigned add_listener(Listener listener);
  void remove_listener(unsigned number);

 private:
  struct Entry {
    unsigned number;
    Listener listener;
    // Held during a call, so that remove_listener() can wait for its end. Recursive, because a
    // listener may remove itself. Protects `removed`.
    std::recursive_mutex mutex;
    bool removed = false;
  };

  void handle(const CameraEvent& event);

  const CameraFamily& family_;
  const CameraOptions options_;

  // Protects what follows. Never held during a call of the camera, a listener or a handler.
  mutable Mutex mutex_;
  std::shared_ptr<Camera> camera_ SPHERE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Camera>> closing_ SPHERE_GUARDED_BY(mutex_);  // they have ended
  std::vector<Done> waiting_ SPHERE_GUARDED_BY(mutex_);
  bool opening_ SPHERE_GUARDED_BY(mutex_) = false;  // connect() is making the camera
  bool ready_ SPHERE_GUARDED_BY(mutex_) = false;
  CameraState state_ SPHERE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Entry>> listeners_ SPHERE_GUARDED_BY(mutex_);
  unsigned last_listener_ SPHERE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sphere::hw

// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that several parts of a program use over one connection, because a camera accepts one
// client at a time.

#pragma once

#include <glib-object.h>

#include <functional>
#include <memory>
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
  /// disconnect(); not in a camera's own thread, except for those of shared(), see there.
  ~CameraClient();
  CameraClient(const CameraClient&) = delete;
  CameraClient& operator=(const CameraClient&) = delete;

  /// The client with which other parts of this program use this camera, or a new one, which they
  /// will find. `location` is any URI of the camera. `connect_timeout` is that of the first caller.
  /// Lens tables are stored on the disk as its users say, see hold(). If the last reference is
  /// dropped in the camera's own thread, another thread destroys it.
  static Result<std::shared_ptr<CameraClient>> shared(const std::string& location,
                                                      std::chrono::microseconds connect_timeout);
  /// The same, but null if no part of this program uses the camera.
  static std::shared_ptr<CameraClient> find(const std::string& location);

  const CameraFamily& family() const { return family_; }
  const std::string& location() const { return options_.location; }

  /// From now on, `user` (any address) needs the connection. It says whether lens tables, which
  /// identify a camera, may be stored: they are stored if all users agree. The function is not
  /// called after release() has returned.
  void hold(const void* user, std::function<bool()> may_store_tables = {});
  /// `user` no longer needs the connection. If nobody else needs it, the connection is ended;
  /// wait_until_free() waits for that.
  void release(const void* user);
  /// Waits for the end of connections that are being ended: less than a second. In a camera's own
  /// thread it does nothing; then the next connect() waits.
  void wait_until_free();

  /// Connects if there is no connection yet. `done` is called once: when commands can be given, or
  /// with the reason why not; in the camera's thread, or in this one. It may be empty. Not from a
  /// listener, and not from another `done`.
  void connect(Done done);
  /// Ends the connection for all users, and waits for that: less than a second. Not from a
  /// listener.
  void disconnect();

  /// The camera, also while it is being connected; null without a connection.
  std::shared_ptr<Camera> camera() const;
  bool is_ready() const;
  /// The last known state.
  CameraState state() const;
  /// Of all connections so far.
  CameraStats stats() const;

  /// Listeners are called in the camera's thread without a lock, with the events of every
  /// connection. After remove_listener() has returned, the listener is not called any more, unless
  /// it is removed within its own call.
  unsigned add_listener(Listener listener);
  /// The same, but first the listener is called in this thread with what a listener would have been
  /// told since the present connection was made: that the preview and the commands are ready, and
  /// the lens table.
  unsigned join_listeners(Listener listener);
  void remove_listener(unsigned number);

 private:
  struct Entry {
    unsigned number;
    Listener listener;
    // Held during a call, so that remove_listener() can wait for its end. Recursive, because a
    // listener may remove itself. Protects `removed`.
    RecursiveMutex mutex;
    bool removed SPHERE_GUARDED_BY(mutex) = false;
  };
  struct User {
    const void* user;
    std::function<bool()> may_store_tables;
    Mutex mutex;  // held during a call; protects `released`
    bool released SPHERE_GUARDED_BY(mutex) = false;
  };

  unsigned add(Listener listener, bool joins);
  void handle(const CameraEvent& event);
  bool may_store_tables() const;
  void begin_end(bool only_if_unused);

  const CameraFamily& family_;
  const CameraOptions options_;
  bool asks_users_ = false;  // about lens tables; set before it is shared

  // Protects what follows. Never held during a call of the camera, a listener or a handler.
  mutable Mutex mutex_;
  std::shared_ptr<Camera> camera_ SPHERE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Camera>> closing_ SPHERE_GUARDED_BY(mutex_);  // ended, or ending
  std::vector<Done> waiting_ SPHERE_GUARDED_BY(mutex_);
  bool opening_ SPHERE_GUARDED_BY(mutex_) = false;  // connect() is making the camera
  bool ready_ SPHERE_GUARDED_BY(mutex_) = false;
  CameraState state_ SPHERE_GUARDED_BY(mutex_);
  CameraStats past_stats_ SPHERE_GUARDED_BY(mutex_);                // of cameras that are gone
  std::vector<CameraEvent> past_events_ SPHERE_GUARDED_BY(mutex_);  // for join_listeners()
  std::vector<std::shared_ptr<Entry>> listeners_ SPHERE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<User>> users_ SPHERE_GUARDED_BY(mutex_);
  unsigned last_listener_ SPHERE_GUARDED_BY(mutex_) = 0;
};

/// Lets an object of the C API, which can't export C++, lend its client to elements.
void lend_client(GObject* object, std::shared_ptr<CameraClient> client);
/// That client; null if the object has none.
std::shared_ptr<CameraClient> lent_client(GObject* object);

}  // namespace sphere::hw

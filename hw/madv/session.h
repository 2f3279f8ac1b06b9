// SPDX-License-Identifier: LGPL-2.1-or-later
// A session with a camera over the network: SessionCore with sockets, a clock and a thread.

#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "hw/madv/core.h"
#include "hw/madv/table_cache.h"
#include "hw/madv/uri.h"

namespace sphere::madv {

struct SessionOptions {
  Uri uri;
  Duration connect_timeout = std::chrono::seconds(5);
  /// Pacing, clock, address and tables are filled in; the rest is taken as it is.
  CoreSettings core;
  /// None, by default, for a camera on this machine, which is software.
  std::optional<Duration> pacing;
  /// Whether lens tables, which tell one camera from another, may be kept on the disk; else this
  /// process alone remembers them. Asked in the session's thread whenever there is one to keep or
  /// to look for; empty: they may.
  std::function<bool()> may_store_tables;
  /// Where they are kept; empty for the user's cache directory.
  std::string table_folder;
};

class Session {
 public:
  /// Called in the session's thread with no lock held. It may call anything here but stop() and the
  /// destructor.
  using Handler = std::function<void(const Event&)>;

  Session(SessionOptions options, Handler handler);
  /// stop()
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Connects in the background; the outcome comes as an event.
  void start();

  /// Ends the session in order, so that the camera is free for the next client, and waits until it
  /// has ended: at most 0.8 s, also when the camera is mute (0.4 s for the request under way, 0.3 s
  /// for the goodbye, 0.1 s for its last bytes), or 0.85 s while the session is being started; less
  /// where `core` has other times. Any number of times, from any thread but its own.
  void stop();
  /// The same without waiting; `ended` tells.
  void request_stop();

  /// What is known of the camera by now.
  CameraState state() const;

  /// Asks the camera; `handler` is called once in any case, in the session's thread, or here and
  /// now when the session is over already, or too many requests wait.
  void request(Request request, ReplyHandler handler);
  /// Files; `sink`, `source` and `done` are called in the session's thread. The number by which the
  /// transfer can be cancelled.
  unsigned get_file(Download download);
  unsigned put_file(Upload upload);
  void cancel_transfer(unsigned number);

  /// Asks and waits for the reply: until `cancellable` says so, and no longer than `at_most`. A
  /// request that is given up before its turn is never sent. A "no" of the camera is an error here.
  /// Not from the session's thread.
  Result<std::shared_ptr<const Message>> call(Request request, GCancellable* cancellable = nullptr,
                                              Duration at_most = std::chrono::seconds(10));

 private:
  class Loop;

  /// What another thread wants of the core, and what happens where it can't be asked any more.
  struct Task {
    std::function<void(SessionCore&, Time)> run;
    std::function<void(const Failure&)> refuse;
  };

  void post(Task task);
  /// Wakes the session's thread.
  void wake();
  void run();
  /// Nothing when it can't be had within the connect timeout, and then why.
  ObjectRef<GSocketConnection> connect(std::optional<Failure>& failure);

  const SessionOptions options_;
  const Handler handler_;
  const ObjectRef<GCancellable> connecting_;  // cancelled by stop
  const int wake_;                            // an eventfd

  // Protects what the session's thread and others share. Never held across a handler or a socket.
  mutable Mutex mutex_;
  std::vector<Task> tasks_ SPHERE_GUARDED_BY(mutex_);  // ControlChannel::max_waiting at most
  bool stop_wanted_ SPHERE_GUARDED_BY(mutex_) = false;
  CameraState state_ SPHERE_GUARDED_BY(mutex_);
  bool over_ SPHERE_GUARDED_BY(mutex_) = false;  // nobody takes tasks any more
  unsigned last_transfer_ SPHERE_GUARDED_BY(mutex_) = ConnectSequence::lens_table_transfer;

  // Taken by stop(): two that stop at once must not both join. Before mutex_.
  Mutex join_mutex_;
  std::thread thread_ SPHERE_GUARDED_BY(join_mutex_);
};

}  // namespace sphere::madv

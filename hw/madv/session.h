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
  /// The session sets pacing, clock, address and tables; the other members are used as given.
  CoreSettings core;
  /// The interval between requests. By default 0 for a camera on this machine, because it is
  /// emulated.
  std::optional<Duration> pacing;
  /// Whether lens tables, which identify a camera, may be stored on the disk; otherwise they are
  /// kept only in this process. Called in the session's thread each time a table is stored or
  /// searched; empty: they may.
  std::function<bool()> may_store_tables;
  /// The folder of stored tables; empty for the user's cache directory.
  std::string table_folder;
};

class Session {
 public:
  /// Called in the session's thread without a lock. It may call everything in this class except
  /// stop() and the destructor.
  using Handler = std::function<void(const Event&)>;

  Session(SessionOptions options, Handler handler);
  /// stop()
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Connects in the background; the result comes as an event.
  void start();

  /// Ends the session in an orderly way, so that the camera is free for the next client, and waits
  /// until it has ended. With a camera that does not answer this takes 0.25 s: 0.15 s for the
  /// answer to the active request, or to the end of the session, and 0.1 s for the last bytes. It
  /// takes up to 0.4 s if only the last of them is missing. Other times in `core` change this. May
  /// be called any number of times, from any thread except the session's own.
  void stop();
  /// The same without waiting; the event `ended` comes at the end.
  void request_stop();

  /// The state of the camera.
  CameraState state() const;
  hw::CameraStats stats() const;

  /// Sends a request. `handler` is always called exactly once: in the session's thread, or within
  /// this call if the session has ended or too many requests wait.
  void request(Request request, ReplyHandler handler);
  /// Transfers a file; `sink`, `source` and `done` are called in the session's thread. Returns the
  /// number with which the transfer can be cancelled.
  unsigned get_file(Download download);
  unsigned put_file(Upload upload);
  unsigned get_thumbnail(ThumbnailRequest thumbnail);
  void cancel_transfer(unsigned number);

 private:
  class Loop;

  /// A call of the core for another thread, and what is called instead if the session has ended.
  struct Task {
    std::function<void(SessionCore&, Time)> run;
    std::function<void(const Failure&)> refuse;
  };

  void post(Task task);
  unsigned start_transfer(std::function<void(FileTransfers&, unsigned, Time)> start,
                          TransferDone done);
  /// Starts a transfer of a whole file.
  template <typename Transfer>
  unsigned start_file(Transfer transfer, void (FileTransfers::*function)(unsigned, Transfer, Time));
  /// Wakes the session's thread.
  void wake();
  void run();
  /// Passes the last event on.
  void end_with(const Event& event);
  /// The connection; null if it is not made within the connect timeout, with the reason.
  ObjectRef<GSocketConnection> connect(std::optional<Failure>& failure);

  const SessionOptions options_;
  const Handler handler_;
  const ObjectRef<GCancellable> connecting_;  // cancelled by stop()
  const int wake_;                            // an eventfd

  // Protects the data that the session's thread and others share. Never held during a handler or a
  // socket operation.
  mutable Mutex mutex_;
  std::vector<Task> tasks_ SPHERE_GUARDED_BY(mutex_);  // ControlChannel::max_waiting at most
  bool stop_wanted_ SPHERE_GUARDED_BY(mutex_) = false;
  CameraState state_ SPHERE_GUARDED_BY(mutex_);
  hw::CameraStats stats_ SPHERE_GUARDED_BY(mutex_);
  bool over_ SPHERE_GUARDED_BY(mutex_) = false;                 // no more tasks are executed
  std::optional<Failure> why_ended_ SPHERE_GUARDED_BY(mutex_);  // not if stop() ended it
  unsigned last_transfer_ SPHERE_GUARDED_BY(mutex_) = ConnectSequence::lens_table_transfer;

  // Held by stop(), so that of two simultaneous calls only one joins the thread. Must be locked
  // before mutex_.
  Mutex join_mutex_;
  std::thread thread_ SPHERE_GUARDED_BY(join_mutex_);
};

}  // namespace sphere::madv

// SPDX-License-Identifier: LGPL-2.1-or-later
// A main loop in its own thread, and sources that are removed with their owner.

#pragma once

#include <gio/gio.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere {

using SourceRef = std::unique_ptr<GSource, Call<g_source_unref>>;

/// A source in a context. It is removed when this object is destroyed.
class Watch {
 public:
  Watch() = default;
  Watch(SourceRef source, GMainContext* context) : source_(std::move(source)) {
    g_source_attach(source_.get(), context);
  }
  Watch(Watch&&) = default;
  Watch& operator=(Watch&& other) noexcept {
    stop();
    source_ = std::move(other.source_);
    return *this;
  }
  ~Watch() { stop(); }
  explicit operator bool() const { return source_ && !g_source_is_destroyed(source_.get()); }
  void stop() {
    if (source_) g_source_destroy(source_.get());
    source_.reset();
  }

 private:
  SourceRef source_;
};

/// The function of a source, called until it returns false.
using Function = std::function<bool()>;

inline gboolean call_function(gpointer data) { return (*static_cast<Function*>(data))(); }
inline gboolean call_socket_function(GSocket*, GIOCondition, gpointer data) {
  return (*static_cast<Function*>(data))();
}
inline void delete_function(gpointer data) { delete static_cast<Function*>(data); }

inline Watch watch_socket(GSocket* socket, GIOCondition condition, GMainContext* context,
                          Function function) {
  SourceRef source(g_socket_create_source(socket, condition, nullptr));
  g_source_set_callback(source.get(), G_SOURCE_FUNC(call_socket_function),
                        new Function(std::move(function)), delete_function);
  return {std::move(source), context};
}

inline Watch watch_time(std::chrono::microseconds delay, GMainContext* context, Function function,
                        int priority = G_PRIORITY_DEFAULT) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  SourceRef source(g_timeout_source_new(static_cast<guint>(std::max<int64_t>(ms, 0))));
  g_source_set_priority(source.get(), priority);
  g_source_set_callback(source.get(), call_function, new Function(std::move(function)),
                        delete_function);
  return {std::move(source), context};
}

/// Called once, in the thread that runs the context.
inline void later(GMainContext* context, std::function<void()> function) {
  const SourceRef source(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  g_source_set_callback(source.get(), call_function, new Function([function = std::move(function)] {
                          function();
                          return false;
                        }),
                        delete_function);
  g_source_attach(source.get(), context);
}

class LoopThread {
 public:
  LoopThread() : context_(g_main_context_new()), loop_(g_main_loop_new(context_.get(), FALSE)) {}
  ~LoopThread() { stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  GMainContext* context() const { return context_.get(); }

  void start() {
    thread_ = std::thread([this] {
      g_main_context_push_thread_default(context_.get());
      g_main_loop_run(loop_.get());
      g_main_context_pop_thread_default(context_.get());
    });
  }
  /// Ends the loop and waits for the thread.
  void stop() {
    if (!thread_.joinable()) return;
    // Called within the context, because g_main_loop_quit() has no effect on a loop that does not
    // run yet.
    sphere::later(context_.get(), [this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
  }
  /// To be called after stop(): executes waiting calls, so that their references are released.
  void drain() {
    while (g_main_context_iteration(context_.get(), FALSE)) {
    }
  }

  void later(std::function<void()> function) { sphere::later(context_.get(), std::move(function)); }
  /// Calls `function` in the thread and waits for it. Must not be called in the thread itself.
  template <typename T>
  T ask(std::function<T()> function) {
    std::promise<T> promise;
    later([&] { promise.set_value(function()); });
    return promise.get_future().get();
  }

 private:
  std::unique_ptr<GMainContext, Call<g_main_context_unref>> context_;
  std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop_;
  std::thread thread_;
};

}  // namespace sphere

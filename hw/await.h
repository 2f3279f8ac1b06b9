// SPDX-License-Identifier: LGPL-2.1-or-later
// Waits for the handler of an asynchronous function of a camera.

#pragma once

#include <gio/gio.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "gst/sphere/base/thread.h"

namespace sphere::hw {

/// Calls `start` with a handler of the type void(Values...), and waits until that was called.
/// Returns its arguments, or nothing if `cancellable` was cancelled before, or `at_most` has
/// passed. Not from the camera's thread, which calls the handler.
///   auto outcome = await<std::optional<Failure>>(cancellable, [&](auto handler) {
///     files.remove(path, handler);
///   });
template <typename... Values, typename Start>
std::optional<std::tuple<Values...>> await(
    GCancellable* cancellable, Start start,
    std::optional<std::chrono::microseconds> at_most = std::nullopt) {
  // Shared, because the handler may be called after this function has returned.
  struct Waiting {
    Mutex mutex;  // protects what follows; the innermost
    ConditionVariable changed;
    std::optional<std::tuple<Values...>> values SPHERE_GUARDED_BY(mutex);
    bool cancelled SPHERE_GUARDED_BY(mutex) = false;
  };
  const auto waiting = std::make_shared<Waiting>();
  const auto until = std::chrono::steady_clock::now() + at_most.value_or(std::chrono::seconds(0));
  start(std::function<void(Values...)>([waiting](Values... values) {
    const Lock lock(waiting->mutex);
    waiting->values.emplace(std::move(values)...);
    waiting->changed.notify_all();
  }));
  const auto cancelled = +[](GCancellable*, gpointer data) {
    auto* one = static_cast<Waiting*>(data);
    const Lock lock(one->mutex);
    one->cancelled = true;
    one->changed.notify_all();
  };
  const gulong connection = cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(cancelled),
                                                                waiting.get(), nullptr)
                                        : 0;
  std::optional<std::tuple<Values...>> values;
  {
    const Lock lock(waiting->mutex);
    while (!waiting->values && !waiting->cancelled) {
      if (!at_most)
        waiting->changed.wait(waiting->mutex);
      else if (waiting->changed.wait_until(waiting->mutex, until) == std::cv_status::timeout)
        break;
    }
    values = std::move(waiting->values);
  }
  if (connection) g_cancellable_disconnect(cancellable, connection);
  return values;
}

}  // namespace sphere::hw

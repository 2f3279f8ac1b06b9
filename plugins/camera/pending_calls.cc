// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/pending_calls.h"

#include <string>
#include <tuple>
#include <utility>

#include "hw/await.h"

namespace sphere::camera {

using Reason = hw::Failure::Reason;

hw::Camera::Answer PendingCalls::call(hw::Camera& camera, const Command& command,
                                      std::chrono::seconds timeout) {
  ObjectRef<GCancellable> stopped;
  {
    const Lock lock(mutex_);
    stopped.reset(G_CANCELLABLE(g_object_ref(stopped_.get())));
  }
  const auto answer = hw::await<hw::Camera::Answer>(
      stopped.get(), [&](auto handler) { command(camera, std::move(handler)); }, timeout);
  if (answer) return std::get<0>(*answer);
  if (g_cancellable_is_cancelled(stopped.get()))
    return {.failure = {Reason::stopped,
                        "the element was stopped before the camera answered; the camera may still "
                        "carry out the command",
                        {}}};
  return {.failure = {Reason::silent,
                      "the camera has not answered within " + std::to_string(timeout.count()) +
                          " s; it may still carry out the command",
                      {}}};
}

void PendingCalls::cancel() {
  ObjectRef<GCancellable> stopped(g_cancellable_new());
  {
    const Lock lock(mutex_);
    stopped_.swap(stopped);
  }
  g_cancellable_cancel(stopped.get());
}

}  // namespace sphere::camera

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/pending_calls.h"

#include <string>
#include <utility>

namespace sphere::camera {

using Reason = hw::Failure::Reason;

void PendingCalls::Call::set(const hw::Camera::Answer& given) {
  const Lock lock(mutex);
  if (!answer) answer = given;
  changed.notify_all();
}

hw::Camera::Answer PendingCalls::call(hw::Camera& camera, const Command& command,
                                      std::chrono::seconds timeout) {
  // Shared, because the answer may come after this function has returned.
  const auto waiting = std::make_shared<Call>();
  {
    const Lock lock(mutex_);
    std::erase_if(calls_, [](const auto& one) { return one.expired(); });
    calls_.push_back(waiting);
  }
  const auto until = std::chrono::steady_clock::now() + timeout;
  command(camera, [waiting](const hw::Camera::Answer& answer) { waiting->set(answer); });
  const Lock lock(waiting->mutex);
  while (!waiting->answer) {
    if (waiting->changed.wait_until(waiting->mutex, until) == std::cv_status::timeout &&
        !waiting->answer)
      return {.failure = {Reason::silent,
                          "the camera has not answered within " + std::to_string(timeout.count()) +
                              " s; it may still carry out the command",
                          {}}};
  }
  return *waiting->answer;
}

void PendingCalls::cancel() {
  std::vector<std::weak_ptr<Call>> calls;
  {
    const Lock lock(mutex_);
    calls.swap(calls_);
  }
  for (const auto& one : calls)
    if (const auto held = one.lock())
      held->set({.failure = {Reason::stopped,
                             "the element was stopped before the camera answered; the camera may "
                             "still carry out the command",
                             {}}});
}

}  // namespace sphere::camera

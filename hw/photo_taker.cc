// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/photo_taker.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "hw/await.h"
#include "hw/card_file.h"

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;

// The longest exposure takes 32 s, and the camera needs about as long to process it.
constexpr std::chrono::seconds longest_photo{90};
constexpr int longest_timer = 3600;  // s

bool is_jpeg(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot != std::string::npos && (g_ascii_strcasecmp(path.c_str() + dot, ".jpg") == 0 ||
                                      g_ascii_strcasecmp(path.c_str() + dot, ".jpeg") == 0);
}

/// Waits for the path of the next photo. Shared with the listener, which may be called until it is
/// removed.
struct Saved {
  Mutex mutex;  // protects what follows; the innermost
  ConditionVariable changed;
  std::string path SPHERE_GUARDED_BY(mutex);
  std::optional<Failure> lost SPHERE_GUARDED_BY(mutex);
  bool cancelled SPHERE_GUARDED_BY(mutex) = false;

  void cancel() {
    const Lock lock(mutex);
    cancelled = true;
    changed.notify_all();
  }

  void handle(const CameraEvent& event, const std::function<void()>& saved) {
    const bool has_ended = event.kind == CameraEvent::Kind::ended;
    if (!has_ended && !is_jpeg(event.file)) return;
    {
      const Lock lock(mutex);
      if (!path.empty()) return;
    }
    if (!has_ended && saved) saved();
    const Lock lock(mutex);
    if (has_ended)
      lost = event.failure.value_or(Failure(Reason::gone, "the camera was disconnected"));
    else
      path = event.file;
    changed.notify_all();
  }

  std::optional<Failure> wait(std::chrono::steady_clock::time_point until, std::string& result) {
    const Lock lock(mutex);
    while (path.empty() && !lost && !cancelled)
      if (changed.wait_until(mutex, until) == std::cv_status::timeout && path.empty() && !lost)
        return Failure(Reason::silent,
                       "the camera has not told that the photo is saved; look at its display");
    if (!path.empty()) {
      result = path;
      return std::nullopt;
    }
    if (cancelled) return Failure(Reason::stopped, "it was cancelled");
    return lost;
  }
};

}  // namespace

std::optional<Failure> take_photo_and_wait(CameraClient& client, const PhotoRequest& request,
                                           GCancellable* cancellable, std::string& path,
                                           std::function<void()> saved) {
  if (auto failure = connect_and_wait(client, cancellable)) return failure;
  const std::shared_ptr<Camera> camera = client.camera();
  if (!camera) return Failure(Reason::gone, "the connection to the camera was lost");
  const auto waiting = std::make_shared<Saved>();
  // From now on, because the camera may be faster than its answer.
  const unsigned listener = client.add_listener(
      [waiting, saved](const CameraEvent& event) { waiting->handle(event, saved); });
  const auto cancel = +[](GCancellable*, gpointer data) { static_cast<Saved*>(data)->cancel(); };
  const gulong connection =
      cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(cancel), waiting.get(), nullptr)
                  : 0;
  const auto answer = await<Camera::Answer>(
      cancellable, [&](auto handler) { camera->take_photo(request, std::move(handler)); });
  std::optional<Failure> failure;
  if (!answer) {
    failure = Failure(Reason::stopped, "it was cancelled");
  } else if (!std::get<0>(*answer).done) {
    failure = std::get<0>(*answer).failure;
  } else {
    const auto timer =
        std::chrono::seconds(std::clamp(request.seconds.value_or(0), 0, longest_timer));
    failure = waiting->wait(std::chrono::steady_clock::now() + longest_photo + timer, path);
  }
  if (connection) g_cancellable_disconnect(cancellable, connection);
  client.remove_listener(listener);
  return failure;
}

}  // namespace sphere::hw

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/camera_client.h"

#include <algorithm>
#include <utility>

namespace sphere::hw {

using Kind = CameraEvent::Kind;

CameraClient::CameraClient(const CameraFamily& family, CameraOptions options)
    : family_(family), options_(std::move(options)) {}

CameraClient::~CameraClient() { disconnect(); }

void CameraClient::connect(Done done) {
  std::vector<std::shared_ptr<Camera>> closing;
  bool ready = false;
  {
    const Lock lock(mutex_);
    ready = ready_;
    if (!ready) {
      waiting_.push_back(done);
      if (camera_ || opening_) return;
      opening_ = true;
      closing.swap(closing_);
    }
  }
  if (ready) return done(std::nullopt);
  // A camera accepts one client at a time.
  for (const std::shared_ptr<Camera>& one : closing) one->disconnect();
  const std::shared_ptr<Camera> camera =
      family_.make(options_, [this](const CameraEvent& event) { handle(event); });
  {
    const Lock lock(mutex_);
    camera_ = camera;
    opening_ = false;
  }
  camera->connect();
}

void CameraClient::disconnect() {
  std::vector<std::shared_ptr<Camera>> closing;
  {
    const Lock lock(mutex_);
    closing.swap(closing_);
    if (camera_) closing.push_back(camera_);
  }
  for (const std::shared_ptr<Camera>& one : closing) one->disconnect();
  const Lock lock(mutex_);
  closing_.clear();
}

std::shared_ptr<Camera> CameraClient::camera() const {
  const Lock lock(mutex_);
  return camera_;
}

bool CameraClient::is_ready() const {
  const Lock lock(mutex_);
  return ready_;
}

CameraState CameraClient::state() const {
  std::shared_ptr<Camera> camera;
  {
    const Lock lock(mutex_);
    if (!camera_) return state_;
    camera = camera_;
  }
  return camera->state();
}

unsigned CameraClient::add_listener(Listener listener) {
  const auto entry = std::make_shared<Entry>();
  entry->listener = std::move(listener);
  const Lock lock(mutex_);
  entry->number = ++last_listener_;
  listeners_.push_back(entry);
  return entry->number;
}

void CameraClient::remove_listener(unsigned number) {
  std::shared_ptr<Entry> entry;
  {
    const Lock lock(mutex_);
    const auto found =
        std::ranges::find_if(listeners_, [&](const auto& one) { return one->number == number; });
    if (found == listeners_.end()) return;
    entry = *found;
    listeners_.erase(found);
  }
  const std::lock_guard<std::recursive_mutex> lock(entry->mutex);
  entry->removed = true;
}

void CameraClient::handle(const CameraEvent& event) {
  std::vector<Done> waiting;
  std::vector<std::shared_ptr<Entry>> listeners;
  std::shared_ptr<Camera> camera;
  {
    const Lock lock(mutex_);
    camera = camera_;
  }
  // Outside of the lock, because the camera has a lock of its own.
  const CameraState state = camera ? camera->state() : CameraState();
  {
    const Lock lock(mutex_);
    if (camera) state_ = state;
    listeners = listeners_;
    switch (event.kind) {
      case Kind::ready:
        ready_ = true;
        waiting.swap(waiting_);
        break;
      case Kind::ended:
        ready_ = false;
        waiting.swap(waiting_);
        // Destroyed by another thread: here is the camera's own.
        if (camera_) closing_.push_back(std::exchange(camera_, nullptr));
        break;
      default:
        break;
    }
  }
  const bool has_ended = event.kind == Kind::ended;
  const std::optional<Failure> failure =
      !has_ended ? std::nullopt
                 : std::optional(event.failure.value_or(
                       Failure(Failure::Reason::stopped, "the connection was ended")));
  for (const Done& done : waiting)
    if (done) done(failure);
  for (const std::shared_ptr<Entry>& entry : listeners) {
    const std::lock_guard<std::recursive_mutex> lock(entry->mutex);
    if (!entry->removed) entry->listener(event);
  }
}

}  // namespace sphere::hw

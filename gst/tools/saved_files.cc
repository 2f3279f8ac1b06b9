// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/saved_files.h"

#include <utility>

namespace sphere::tool {

SavedFiles::SavedFiles(CameraCommand& command) : command_(command) {
  listener_ = command.client().add_listener([this](const hw::CameraEvent& event) {
    const Lock lock(mutex_);
    if (event.kind == hw::CameraEvent::Kind::ended) over_ = true;
    if (!event.file.empty()) paths_.push_back(event.file);
    changed_.notify_all();
  });
  cancelled_ =
      g_cancellable_connect(command.cancellable(), G_CALLBACK(+[](GCancellable*, gpointer data) {
                              auto* self = static_cast<SavedFiles*>(data);
                              const Lock lock(self->mutex_);
                              self->over_ = true;
                              self->changed_.notify_all();
                            }),
                            this, nullptr);
}

SavedFiles::~SavedFiles() {
  g_cancellable_disconnect(command_.cancellable(), cancelled_);
  command_.client().remove_listener(listener_);
}

Result<std::string> SavedFiles::next(std::chrono::seconds timeout) {
  if (std::optional<std::string> path = take(timeout)) return std::move(*path);
  const Lock lock(mutex_);
  if (!over_)
    return failed("the camera has not told within " + std::to_string(timeout.count()) +
                  " s that the file is saved; look at its display");
  return failed(g_cancellable_is_cancelled(command_.cancellable())
                    ? "interrupted"
                    : "the connection to the camera was lost; the file may be on its card");
}

std::optional<std::string> SavedFiles::take(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  const Lock lock(mutex_);
  while (paths_.empty() && !over_ &&
         changed_.wait_until(mutex_, until) != std::cv_status::timeout) {
  }
  if (paths_.empty()) return std::nullopt;
  std::string path = std::move(paths_.front());
  paths_.pop_front();
  return path;
}

}  // namespace sphere::tool

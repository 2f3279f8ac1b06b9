// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/saved_files.h"

#include <utility>

namespace sphere::tool {

SavedFiles::SavedFiles(CameraCommand& command) : command_(command) {
  listener_ = command.client().add_listener([this](const hw::CameraEvent& event) {
    const Lock lock(mutex_);
    if (event.kind == hw::CameraEvent::Kind::ended) lost_ = true;
    if (!event.file.empty()) files_.push_back({event.file, event.is_part});
    changed_.notify_all();
  });
  cancelled_ =
      g_cancellable_connect(command.cancellable(), G_CALLBACK(+[](GCancellable*, gpointer data) {
                              auto* self = static_cast<SavedFiles*>(data);
                              const Lock lock(self->mutex_);
                              self->cancelled_now_ = true;
                              self->changed_.notify_all();
                            }),
                            this, nullptr);
}

SavedFiles::~SavedFiles() {
  g_cancellable_disconnect(command_.cancellable(), cancelled_);
  command_.client().remove_listener(listener_);
}

Result<SavedFile> SavedFiles::next(std::chrono::seconds timeout) {
  if (std::optional<SavedFile> file = take(timeout)) return std::move(*file);
  const Lock lock(mutex_);
  if (!lost_ && !cancelled_now_)
    return failed("the camera has not told within " + std::to_string(timeout.count()) +
                  " s that the file is saved; look at its display");
  return failed(cancelled_now_
                    ? "interrupted"
                    : "the connection to the camera was lost; the file may be on its card");
}

void SavedFiles::wait_again() {
  const Lock lock(mutex_);
  cancelled_now_ = false;
}

void SavedFiles::connected_again() {
  const Lock lock(mutex_);
  lost_ = false;
}

std::optional<SavedFile> SavedFiles::take(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  const Lock lock(mutex_);
  while (files_.empty() && !lost_ && !cancelled_now_ &&
         changed_.wait_until(mutex_, until) != std::cv_status::timeout) {
  }
  if (files_.empty()) return std::nullopt;
  SavedFile file = std::move(files_.front());
  files_.pop_front();
  return file;
}

void SavedFiles::forget() {
  const Lock lock(mutex_);
  files_.clear();
}

}  // namespace sphere::tool

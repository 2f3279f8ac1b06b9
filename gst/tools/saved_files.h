// SPDX-License-Identifier: LGPL-2.1-or-later
// The files that a camera tells it has saved.

#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "gst/sphere/base/thread.h"
#include "gst/tools/camera_command.h"

namespace sphere::tool {

/// From its construction on, collects the paths of photos and videos.
class SavedFiles {
 public:
  explicit SavedFiles(CameraCommand& command);
  ~SavedFiles();
  SavedFiles(const SavedFiles&) = delete;
  SavedFiles& operator=(const SavedFiles&) = delete;

  /// Waits for the next path, relative to the card. Fails after `timeout`, when the connection is
  /// lost, or when the command is interrupted.
  Result<std::string> next(std::chrono::seconds timeout);
  /// After Ctrl-C: waits again.
  void wait_again();
  /// After a loss, when the camera is connected again.
  void connected_again();
  /// The path, if one has come already, or comes within this time.
  std::optional<std::string> take(std::chrono::milliseconds within = {});

 private:
  CameraCommand& command_;
  unsigned listener_ = 0;
  gulong cancelled_ = 0;
  Mutex mutex_;  // protects what follows; the innermost
  ConditionVariable changed_;
  std::deque<std::string> paths_ SPHERE_GUARDED_BY(mutex_);
  bool lost_ SPHERE_GUARDED_BY(mutex_) = false;
  bool cancelled_now_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace sphere::tool

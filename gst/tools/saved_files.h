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

/// A file relative to the card.
struct SavedFile {
  std::string path;
  bool is_part = false;  ///< of a recording that goes on in another file
};

/// From its construction on, collects photos and videos.
class SavedFiles {
 public:
  explicit SavedFiles(CameraCommand& command);
  ~SavedFiles();
  SavedFiles(const SavedFiles&) = delete;
  SavedFiles& operator=(const SavedFiles&) = delete;

  /// Waits for the next one. Fails after `timeout`, when the connection is lost, or when the
  /// command is interrupted.
  Result<SavedFile> next(std::chrono::seconds timeout);
  /// After Ctrl-C: waits again.
  void wait_again();
  /// After a loss, when the camera is connected again.
  void connected_again();
  /// The next one, if it has come already, or comes within this time.
  std::optional<SavedFile> take(std::chrono::milliseconds within = {});
  /// Forgets what has come up to now.
  void forget();

 private:
  CameraCommand& command_;
  unsigned listener_ = 0;
  gulong cancelled_ = 0;
  Mutex mutex_;  // protects what follows; the innermost
  ConditionVariable changed_;
  std::deque<SavedFile> files_ SPHERE_GUARDED_BY(mutex_);
  bool lost_ SPHERE_GUARDED_BY(mutex_) = false;
  bool cancelled_now_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace sphere::tool

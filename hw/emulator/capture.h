// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes the photos and videos of an emulated camera, into files of its card.

#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/emulator/card.h"
#include "hw/emulator/loop.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

/// What a family of cameras adds to its files: a function from the bytes of a file to its new
/// bytes. Called in any thread. An error leaves the file unchanged.
struct FileForms {
  using Form = std::function<Result<std::vector<uint8_t>>(std::span<const uint8_t> file)>;
  Form photo, video;  ///< null: nothing is added
};

/// To be used in the thread of a loop. Callbacks are called there, too. Slow work is done in other
/// threads.
class Capture {
 public:
  /// `photo_bytes` and `video_bytes` are the contents of a photo and a video; if they are empty,
  /// pictures of the scene are taken.
  Capture(LoopThread& loop, const Card& card, const SceneSettings& scene, std::string photo_bytes,
          std::string video_bytes, FileForms forms = {});
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// If a photo fails, its file is removed.
  void take_photo(const std::string& camera_path, std::function<void(bool good)> done);
  void start_recording(const std::string& camera_path);
  struct Recorded {
    std::string camera_path;
    bool good;
    std::chrono::milliseconds duration;
  };
  /// Empty if nothing is being recorded.
  void finish_recording(std::function<void(const Recorded&)> done);
  /// Closes the file without a notification.
  void abandon_recording();
  /// Waits for all threads. No function may be called afterwards.
  void stop();

 private:
  class Recording;

  bool save(const std::string& camera_path, std::string_view bytes);
  void in_thread(std::function<void()> work);

  LoopThread& loop_;
  const Card& card_;
  const SceneSettings scene_;
  const std::string photo_bytes_, video_bytes_;
  const FileForms forms_;
  std::unique_ptr<Recording> recording_;
  std::string recording_path_;
  std::chrono::steady_clock::time_point recording_since_;
  std::list<std::future<void>> workers_;
};

}  // namespace sphere::emulator

// SPDX-License-Identifier: LGPL-2.1-or-later
// The photos and videos that an emulated camera takes, into files of its card.

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

/// What a family of cameras adds to a file of its own: its bytes before and after. Called in any
/// thread; an error leaves the file as it was.
struct FileForms {
  using Form = std::function<Result<std::vector<uint8_t>>(std::span<const uint8_t> file)>;
  Form photo, video;  ///< null: nothing is added
};

/// Used in the thread of a loop, where what was asked for is told to be done. What takes time is
/// done in threads of its own.
class Capture {
 public:
  /// `photo_bytes` and `video_bytes` are what a photo and a video are, instead of pictures of the
  /// scene; empty for those.
  Capture(LoopThread& loop, const Card& card, const SceneSettings& scene, std::string photo_bytes,
          std::string video_bytes, FileForms forms = {});
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// A photo that could not be taken leaves no file behind.
  void take_photo(const std::string& camera_path, std::function<void(bool good)> done);
  void start_recording(const std::string& camera_path);
  struct Recorded {
    std::string camera_path;
    bool good;
    std::chrono::milliseconds duration;
  };
  /// Nothing where nothing is being recorded.
  void finish_recording(std::function<void(const Recorded&)> done);
  /// The file is closed, and nobody is told.
  void abandon_recording();
  /// Waits for all that is being done. Afterwards nothing more is asked of it.
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

// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes the photos and videos of an emulated camera, into files of its card.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/emulator/capture_request.h"
#include "hw/emulator/card.h"
#include "hw/emulator/loop.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

/// What a family of cameras adds to its files. Called in any thread, with the file as the muxer or
/// the encoder has written it. After an error, the capture has failed.
struct FileForms {
  using Form = std::function<Status(const Descriptor& file, const CaptureRequest& request,
                                    std::span<const uint8_t> thumbnail)>;
  Form photo, video;  ///< null: nothing is added

  /// The picture of a photo before it was coded: four bytes for a pixel, red, green, blue and one
  /// that is not used.
  struct Pixels {
    int width = 0, height = 0;
    std::span<const uint8_t> bytes;
  };
  /// Writes the raw picture beside a photo; null: the family has none.
  std::function<Status(const Descriptor& file, const CaptureRequest& request, const Pixels& pixels,
                       std::span<const uint8_t> thumbnail)>
      raw;
};

/// The whole contents of a file, and the same file with other contents.
Result<std::vector<uint8_t>> read_whole(const Descriptor& file);
Status write_whole(const Descriptor& file, std::span<const uint8_t> bytes);

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
  void take_photo(const CaptureRequest& request, std::function<void(bool good)> done);
  struct Recorded {
    std::string camera_path;
    bool good;
    std::chrono::milliseconds duration;
  };
  using Closed = std::function<void(const Recorded&)>;
  /// `segment_closed` is called with each file before the last one.
  void start_recording(const CaptureRequest& request, Closed segment_closed = {});
  /// Closes the last file. Does nothing if nothing is being recorded.
  void finish_recording(Closed done);
  /// Closes the file without a notification.
  void abandon_recording();
  /// Waits for all threads. No function may be called afterwards.
  void stop();

 private:
  class Recording;
  struct Active {
    CaptureRequest request;
    Closed segment_closed;
    std::chrono::steady_clock::time_point since;
    std::unique_ptr<Recording> recording;  // null if it could not be started
    std::list<CaptureRequest> closed;      // earlier files, the oldest first
    Watch segment_end;
  };

  bool save(const std::string& camera_path, std::string_view bytes);
  void in_thread(std::function<void()> work);
  void open_file();
  void close_file(Closed done);
  void next_segment();

  LoopThread& loop_;
  const Card& card_;
  const SceneSettings scene_;
  const std::string photo_bytes_, video_bytes_;
  const FileForms forms_;
  std::optional<Active> active_;
  std::list<std::future<void>> workers_;
};

}  // namespace sphere::emulator

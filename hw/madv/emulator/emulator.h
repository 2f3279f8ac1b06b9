// SPDX-License-Identifier: LGPL-2.1-or-later
// An emulated Mi Sphere: the control channel, the data port, the files over HTTP and the preview
// over RTSP, in its own threads. It is used by tests and by `sphere emulator`.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/emulator/camera.h"
#include "hw/emulator/scene.h"
#include "hw/madv/emulator/control.h"

namespace sphere::madv_emulator {

struct EmulatorOptions {
  /// The address and ports on which it listens. 0 means any free port.
  std::string host = "127.0.0.1";
  uint16_t port = 0, data_port = 0, rtsp_port = 0, http_port = 0, https_port = 0;
  ControlSettings control;
  /// The folder of its card; empty for a temporary one, which is removed at the end.
  std::string card_folder;
  emulator::SceneSettings scene;
  bool preview = true;
  /// A certificate and its key, as PEM: then files are served over HTTPS, too, and the firmware is
  /// one with which the vendor's client uses it. Empty: no HTTPS.
  std::string certificate;
  /// If `control.lens_table` is empty, the table is made from the lens of the scene. If this lens
  /// can't be written in the camera's format (the front one on the left), the camera has no table.
  bool make_table = false;
  /// A connection without a session is closed after this time without a request.
  std::chrono::seconds idle_time{30};
  /// The length of each file of a recording in segments. That of a real camera is not known.
  std::chrono::milliseconds segment_time = std::chrono::minutes(5);
  /// The contents of a photo and a video, instead of pictures of the scene.
  std::string photo_bytes, video_bytes;
};

/// Its ports: the names of their options, and in words.
inline constexpr emulator::EmulatorFamily::Named port_names[] = {{"port", "Control channel"},
                                                                 {"data-port", "Data port"},
                                                                 {"rtsp-port", "Preview"},
                                                                 {"http-port", "Files"},
                                                                 {"https-port", "Files, secure"}};

class Emulator final : public emulator::Camera {
 public:
  /// Returns when all ports answer.
  static Result<std::unique_ptr<Emulator>> start(EmulatorOptions options);
  ~Emulator() override;

  struct Ports {
    uint16_t control, data, rtsp, http, https;  // https: 0 without a certificate
  };
  Ports ports() const;
  /// madv://127.0.0.1:PORT/live?data-port=...
  std::string uri() const override;
  const std::string& card_folder() const override;
  std::vector<std::pair<std::string, uint16_t>> named_ports() const override;
  std::vector<Line> log(int64_t from) const override;
  Status execute(const std::string& line) override;

  Counters counters() const;
  /// The latest requests, at most most_asked, without the first `from` of all.
  std::vector<Asked> asked(int64_t from = 0) const;
  std::vector<std::string> position() const;
  std::string clock() const;
  /// Bytes of files that were sent: over HTTP since the last restart, and over the data port.
  uint64_t file_bytes() const;
  std::vector<int> tracks() const override;

  /// Events on the camera itself.
  void set_battery(int code);
  void set_card(int rval);
  void notify(int id, std::string more);
  /// Whether it answers nothing, like a camera out of reach.
  void set_silent(bool silent);
  /// Closes all connections and ports at once, and opens the ports after `pause`, or after that of
  /// a second call in the meantime.
  void reboot(Delay pause);
  /// The monotonic time since when all its ports answer again after its last restart; 0 if it was
  /// not restarted, or is not back yet.
  Delay back_since() const;
  /// Closes the preview's connections, but not the control channel.
  void cut_preview();

 private:
  class Impl;
  explicit Emulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sphere::madv_emulator

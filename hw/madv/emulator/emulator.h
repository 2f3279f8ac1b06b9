// SPDX-License-Identifier: LGPL-2.1-or-later
// A Mi Sphere in software: the control channel, the data port, the files over HTTP and the preview
// over RTSP, with a thread of their own. For tests, and as `sphere emulator`.

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
  /// Where it listens. Ports of 0 are any that are free.
  std::string host = "127.0.0.1";
  uint16_t port = 0, data_port = 0, rtsp_port = 0, http_port = 0;
  ControlSettings control;
  /// The folder that is its card; empty for one of its own, which goes with it.
  std::string card_folder;
  emulator::SceneSettings scene;
  bool preview = true;
  /// Where `control.lens_table` is empty: the table is made from the lens of the scene. Lenses that
  /// have none in the camera's form (the front one on the left) make a camera without one.
  bool make_table = false;
  /// A connection that has no session and asks nothing for so long is closed.
  std::chrono::seconds idle_time{30};
  /// What a photo and a video are, instead of pictures of the scene.
  std::string photo_bytes, video_bytes;
};

class Emulator final : public emulator::Camera {
 public:
  /// Returns when all ports answer.
  static Result<std::unique_ptr<Emulator>> start(EmulatorOptions options);
  ~Emulator() override;

  struct Ports {
    uint16_t control, data, rtsp, http;
  };
  Ports ports() const;
  /// madv://127.0.0.1:PORT/live?data-port=...
  std::string uri() const override;
  const std::string& card_folder() const override;
  std::vector<std::pair<std::string, uint16_t>> named_ports() const override;
  std::vector<Line> log(int64_t from) const override;

  Counters counters() const;
  /// Those of the latest most_asked requests that are not among the first `from`.
  std::vector<Asked> asked(int64_t from = 0) const;
  std::vector<std::string> position() const;
  std::string clock() const;
  std::vector<int> tracks() const override;

  /// What happens on the camera itself.
  void set_battery(int code);
  void set_card(int rval);
  void notify(int id, std::string more);
  /// Whether it answers nothing for now, as a camera out of reach.
  void set_silent(bool silent);
  /// All connections end at once and the ports are closed; back after `pause`, or that of a second
  /// call meanwhile.
  void reboot(Delay pause);
  /// The preview's connections end, the control channel stays.
  void cut_preview();

 private:
  class Impl;
  explicit Emulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sphere::madv_emulator

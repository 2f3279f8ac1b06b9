// SPDX-License-Identifier: LGPL-2.1-or-later
// A live stream of an emulated camera in this process, of which it is known when each element
// pushed each picture.

#pragma once

#include "tests/bench/push_times.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "gst/live/session.h"
#include "hw/madv/emulator/emulator.h"

namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", g_get_prgname(), what.c_str());
  std::exit(1);
}

/// Ends the program where something fails.
class CameraStream {
 public:
  CameraStream(int width, int latency, const char* target) {
    sphere::madv_emulator::EmulatorOptions emulated;
    emulated.scene.width = width;
    emulated.scene.height = width / 2;
    emulated.make_table = true;
    auto camera = sphere::madv_emulator::Emulator::start(std::move(emulated));
    if (!camera) give_up(camera.error().message);
    camera_ = std::move(*camera);

    sphere::live::SessionOptions options;
    options.source.uri = camera_->uri();
    options.source.width = width;
    options.source.latency = latency;
    options.adapt = false;
    const auto parsed = sphere::live::parse_target(target);
    if (!parsed) give_up(parsed.error().message);
    options.targets.push_back({*parsed, {}, {}});
    auto made = sphere::live::Session::make(options);
    if (!made) give_up(made.error().message);
    session_ = std::move(*made);
    if (const sphere::Status started = session_->start(); !started)
      give_up(started.error().message);
  }

  sphere::live::Session& session() { return *session_; }
  /// Ends the stream; the camera goes on.
  void end() { session_.reset(); }

 private:
  const sphere::GstRef<GstTracer> tracer_{
      static_cast<GstTracer*>(g_object_new(bench_tracer_get_type(), nullptr))};
  std::unique_ptr<sphere::madv_emulator::Emulator> camera_;
  std::unique_ptr<sphere::live::Session> session_;
};

}  // namespace

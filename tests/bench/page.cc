// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams an emulated camera to the page, so that a browser can be asked when it has a picture.
// Prints a line of JSON with the page's link once it answers, and at the end of standard input
// another one: when the camera saw each picture, in milliseconds since 1970, by its number.
//
// page WIDTH LATENCY

#define GST_USE_UNSTABLE_API
#include <gst/gst.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "gst/live/session.h"
#include "hw/madv/emulator/emulator.h"
#include "tests/bench/push_times.h"

using namespace sphere;
using namespace sphere::live;

namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "page: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 3) give_up("usage: page WIDTH LATENCY");
  const int width = std::atoi(argv[1]);
  madv_emulator::EmulatorOptions emulated;
  emulated.scene.width = width;
  emulated.scene.height = width / 2;
  emulated.make_table = true;
  const auto camera = madv_emulator::Emulator::start(std::move(emulated));
  if (!camera) give_up(camera.error().message);
  const GstRef<GstTracer> tracer(
      static_cast<GstTracer*>(g_object_new(bench_tracer_get_type(), nullptr)));

  SessionOptions options;
  options.source.uri = (*camera)->uri();
  options.source.width = width;
  options.source.latency = std::atoi(argv[2]);
  options.adapt = false;
  const auto target = parse_target("web:0");
  if (!target) give_up(target.error().message);
  options.targets.push_back({*target, {}, {}});
  auto session = Session::make(options);
  if (!session) give_up(session.error().message);
  if (const Status started = (*session)->start(); !started) give_up(started.error().message);

  std::atomic<bool> over = false;
  std::thread input([&over] {
    while (std::getchar() != EOF) {
    }
    over = true;
  });
  bool told = false;
  while (!over && (*session)->look(20)) {
    const SessionStatus status = (*session)->status();
    if (told || status.outputs[0].status.links.empty()) continue;
    std::printf("{\"link\": \"%s\"}\n", status.outputs[0].status.links[0].c_str());
    std::fflush(stdout);
    told = true;
  }
  if (!over) give_up((*session)->problem());
  input.join();
  session->reset();
  const gint64 since_1970 = g_get_real_time() - g_get_monotonic_time();
  std::printf("{\"seen\": [");
  const char* separator = "";
  for (const gint64 at : PushTimes::of_all().of("spheretestsrc")) {
    std::printf("%s%.3f", separator, static_cast<double>(at + since_1970) / 1e3);
    separator = ", ";
  }
  std::printf("]}\n");
  return 0;
}

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

#include "tests/bench/camera_stream.h"

using namespace sphere;
using namespace sphere::live;

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 3) give_up("usage: page WIDTH LATENCY");
  const int width = std::atoi(argv[1]);
  CameraStream stream(width, std::atoi(argv[2]), "web:0");

  std::atomic<bool> over = false;
  std::thread input([&over] {
    while (std::getchar() != EOF) {
    }
    over = true;
  });
  bool told = false;
  while (!over && stream.session().run_for(20)) {
    const SessionStatus status = stream.session().status();
    if (told || status.outputs[0].status.links.empty()) continue;
    std::printf("{\"link\": \"%s\"}\n", status.outputs[0].status.links[0].c_str());
    std::fflush(stdout);
    told = true;
  }
  if (!over) give_up(stream.session().problem());
  input.join();
  stream.end();
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

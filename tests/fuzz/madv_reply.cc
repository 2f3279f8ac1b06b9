// SPDX-License-Identifier: LGPL-2.1-or-later
// A session that gets any bytes from a camera: it may be lost, but it ends, it stops the session if
// it had a token, asks each request once, and answers each caller once.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/fuzz/madv_session.h"

using namespace sphere::madv;
using namespace std::chrono_literals;

// The first byte says what has happened before; a zero byte parts what comes over the control
// channel from what comes over the data port, and lets time go by.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 65536) return 0;
  CoreSettings settings;
  settings.pacing = 0ms;
  settings.clock = [] { return std::string("2017-12-16-12-00-04-7"); };
  settings.keep_table = [](const std::string&, std::string_view) {};
  SessionCore core(settings);
  Time now = 1s;
  int called = 0;

  core.start(now);
  if (data[0] & 1) core.received(R"({"rval":0,"msg_id":257,"param":7})", now);
  if (data[0] & 2)
    core.received(R"({"rval":0,"msg_id":261,"param":"d41d8cd98f00b204e9800998ecf8427e"})", now);
  if (data[0] & 4)
    for (int id : {4365, 6147, 4358, 4364})
      core.received("{\"rval\":0,\"msg_id\":" + std::to_string(id) + "}", now);
  core.transfers().data_ready(now);
  core.request(
      Request(513, "1"),
      [&](const Reply& reply) {
        if (!reply.message == !reply.failure) abort();
        ++called;
      },
      now);

  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool control = true;
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    const std::string_view part = rest.substr(0, end);
    if (control)
      core.received(part, now);
    else
      core.data_received(part, now);
    control = !control;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    pass_second(core, now);
  }
  end_session(core, now);
  if (called != 1) abort();
  return 0;
}

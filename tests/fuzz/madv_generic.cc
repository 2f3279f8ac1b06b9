// SPDX-License-Identifier: LGPL-2.1-or-later
// A session with a camera that speaks the generic protocol, and that answers everything after its
// model with any bytes: it ends, each caller is answered once, and all that is asked is
// well-formed.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "hw/madv/generic.h"
#include "tests/fuzz/madv_session.h"

using namespace sphere::madv;
using namespace std::chrono_literals;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65536) return 0;
  CoreSettings settings;
  settings.pacing = 0ms;
  settings.clock = [] { return std::string("2017-12-16-12-00-04-7"); };
  settings.generic_clock = [] { return std::string("2017-12-16 12:00:04"); };
  SessionCore core(settings);
  Time now = 1s;
  int called = 0;
  core.start(now);
  for (const char* known :
       {R"({"rval":0,"msg_id":257,"param":7})", R"({"rval":0,"msg_id":261})",
        R"({"rval":-23,"msg_id":4365})",
        R"({"rval":0,"msg_id":11,"brand":"SJCAM","model":"SJ8","firmwareVersion":"V1.3.2"})"})
    core.received(known, now);
  const auto answered = [&](const Reply& reply) {
    if (!reply.message == !reply.failure) abort();
    if (reply.message) {
      // What is read of the answers.
      (void)reply.message->entries("param");
      (void)reply.message->texts("options");
      (void)reply.message->param_text();
      (void)reply.message->redacted();
    }
    ++called;
  };
  core.request(Request(msg_all_settings), answered, now);
  core.request(Request(msg_setting_options, "White Balance"), answered, now);
  core.request(Request(msg_get_setting).with_type("White Balance"), answered, now);
  constexpr int asked = 3;

  // A zero byte parts what comes, and lets time go by.
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    core.received(rest.substr(0, end), now);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    pass_second(core, now);
  }
  end_session(core, now);
  if (called != asked) abort();
  return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests of the session's state machine: a core with a clock of the test's own, and a camera
// whose lines the test writes.

#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "hw/madv/core.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

using madv::CoreSettings;
using madv::Duration;
using madv::Event;
using madv::Failure;
using madv::Framer;
using madv::Message;
using madv::SessionCore;
using madv::Time;
using namespace std::chrono_literals;

/// A core, its clock, and the camera's lines that a test writes.
class SessionFixture {
 public:
  static CoreSettings usual() {
    CoreSettings settings;
    settings.client_address = "192.168.42.11";
    settings.clock = [] { return "2017-12-16-12-00-04-7"; };
    return settings;
  }

  explicit SessionFixture(CoreSettings settings = usual()) : core(std::move(settings)) {}

  /// What was written since the last call, as messages.
  std::vector<Message> sent() {
    Framer framer;
    framer.feed(core.output());
    core.output_sent(core.output().size());
    std::vector<Message> messages;
    for (;;) {
      Result<std::optional<std::string>> object = framer.next();
      fail_unless(bool(object));
      if (!*object) break;
      Result<Message> message = Message::parse(**object);
      fail_unless(bool(message));
      messages.push_back(std::move(*message));
    }
    fail_unless(framer.pending() == 0);
    return messages;
  }

  /// Exactly one message was written, of this id.
  Message sent_one(int id) {
    std::vector<Message> messages = sent();
    fail_unless(messages.size() == 1, "%zu messages, one expected: %d", messages.size(), id);
    fail_unless_equals_int(messages[0].id(), id);
    return std::move(messages[0]);
  }

  void sent_nothing() {
    const std::vector<Message> messages = sent();
    fail_unless(messages.empty(), "message %d was sent", messages.empty() ? 0 : messages[0].id());
  }

  void camera(const std::string& json) { core.received(json, time); }

  /// Lets time pass, in steps from deadline to deadline of the core.
  void pass(Duration duration) {
    const Time until = time + duration;
    for (int steps = 0;; ++steps) {
      fail_unless(steps < 10000, "the deadline does not move on");
      const std::optional<Time> due = core.deadline();
      if (!due || *due > until) break;
      time = std::max(time, *due);
      core.advance(time);
    }
    time = until;
    core.advance(time);
  }

  /// Answers all requests up to the open session; `md5` is that of the lens table, or there is
  /// none.
  void open(const std::string& md5 = "") {
    core.start(time);
    fail_unless_equals_int(*sent_one(257).number("token"), 0);
    camera(R"({"rval":0,"msg_id":257,"param":7})");
    answer(261, md5.empty() ? "" : ",\"param\":\"" + md5 + "\"");
    answer(4365, R"(,"status":0,"mode":1,"rec_time":0)");
    answer(6147);
    answer(4358,
           R"(,"remain_video":4073,"remain_jpg":3055,"sd_total":15343616,"sd_free":15328288)");
    answer(4364, R"(,"battery":132,"sn":"SERIAL","product":"sv1","ver":"1.3.97;2.0")");
  }

  /// The next request is this, in its own time, and gets its answer.
  Message answer(int id, const std::string& more = "", int rval = 0) {
    pass(150ms);
    Message asked = sent_one(id);
    fail_unless_equals_int(asked.number("token").value_or(-1), 7);
    camera("{\"rval\":" + std::to_string(rval) + ",\"msg_id\":" + std::to_string(id) + more + "}");
    return asked;
  }

  std::vector<Event> events() { return core.take_events(); }
  /// The kinds of the events so far.
  std::vector<Event::Kind> kinds() {
    std::vector<Event::Kind> kinds;
    for (const Event& event : core.take_events()) kinds.push_back(event.kind);
    return kinds;
  }

  /// Ended, for this reason.
  std::string expect_failure(Failure::Reason reason) {
    const std::vector<Event> all = core.take_events();
    fail_unless(core.ended() && !all.empty());
    fail_unless(all.back().kind == Event::Kind::ended && all.back().failure);
    fail_unless(all.back().failure->reason == reason, "another reason: %s",
                all.back().failure->message.c_str());
    fail_unless(!core.deadline());
    return all.back().failure->message;
  }

  Time time = 1000s;
  SessionCore core;
};

using K = Event::Kind;

}  // namespace sphere::test

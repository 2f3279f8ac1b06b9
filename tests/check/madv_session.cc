// SPDX-License-Identifier: LGPL-2.1-or-later
// The session's state machine with a clock of the test: what it asks, when, and what it does with
// what it receives. Transfers of files are tested in madv_session_files.cc.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "hw/madv/core.h"
#include "tests/check/madv_transcripts.h"
#include "tests/check/session_fixture.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using namespace sphere::test;
using namespace std::chrono_literals;

GST_START_TEST(connection_sequence_for_a_preview) {
  SessionFixture rig;
  rig.core.start(rig.time);
  rig.sent_one(257);
  rig.camera(R"({"rval":0,"msg_id":257,"param":7})");
  fail_unless(rig.kinds().empty());
  const Message info = rig.answer(261, R"(,"param":"not an md5")");
  same(*info.text("type"), "TCP");
  same(*info.param_text(), "192.168.42.11");
  // The preview is opened now, while the rest is still being asked.
  fail_unless(rig.kinds() == std::vector({K::preview_ready, K::no_lens_table}));
  rig.answer(4365, R"(,"status":3,"mode":1,"rec_time":12)");
  const Message clock = rig.answer(6147);
  same(*clock.param_text(), "2017-12-16-12-00-04-7");
  rig.answer(4358, R"(,"remain_video":4073,"sd_total":15343616,"sd_free":15328288,"sd_full":1)");
  rig.answer(4364, R"(,"battery":132,"sn":"SERIAL","product":"sv1","ver":"1.3.97;2.0")");
  fail_unless(rig.kinds() == std::vector({K::ready}));
  rig.pass(1s);
  rig.sent_nothing();

  const CameraState& state = rig.core.state();
  fail_unless(state.is_recording() && state.mode == 1 && state.recorded_seconds == 12);
  fail_unless(state.battery_percent == 100 && state.charging);
  fail_unless(state.card == Card::mounted && state.card_full == 1);
  fail_unless(state.video_seconds_left == 4073 && state.card_free_kb == 15328288);
  same(state.product, "sv1");
  same(state.firmware, "1.3.97");
}
GST_END_TEST;

GST_START_TEST(one_request_at_a_time_150_ms_apart) {
  SessionFixture rig;
  rig.open();
  rig.events();
  std::vector<int> done;
  for (int value : {1, 2, 3})
    rig.core.request(
        Request(5169, std::to_string(value)),
        [&done, value](const Reply& reply) {
          fail_unless(reply.message && reply.message->succeeded());
          done.push_back(value);
        },
        rig.time);
  rig.sent_nothing();  // the last request was just now
  rig.pass(149ms);
  rig.sent_nothing();
  rig.pass(1ms);
  fail_unless_equals_int(*rig.sent_one(5169).param_number(), 1);
  rig.pass(2s);
  rig.sent_nothing();  // there is no answer yet
  rig.camera(R"({"rval":0,"msg_id":5169})");
  fail_unless_equals_int(*rig.sent_one(5169).param_number(), 2);
  rig.camera(R"({"rval":0,"msg_id":5169})");
  rig.sent_nothing();
  rig.pass(150ms);
  fail_unless_equals_int(*rig.sent_one(5169).param_number(), 3);
  rig.camera(R"({"rval":0,"msg_id":5169})");
  fail_unless(done == std::vector({1, 2, 3}));

  CoreSettings fast = SessionFixture::usual();
  fast.pacing = 0ms;
  SessionFixture loopback(fast);
  loopback.core.start(loopback.time);
  loopback.sent_one(257);
  loopback.camera(R"({"rval":0,"msg_id":257,"param":7})");
  loopback.sent_one(261);
  loopback.camera(R"({"rval":0,"msg_id":261})");
  loopback.sent_one(4365);
}
GST_END_TEST;

GST_START_TEST(the_published_session_from_the_clients_side) {
  // A session of ours gets the answers of the sister camera, at the times of the transcript.
  SessionFixture rig;
  const Time begin = rig.time;
  const auto until = [&](double at) {
    const Time due = begin + Time(static_cast<int64_t>(at * 1e6));
    while (rig.time < due) {
      rig.pass(std::min<Duration>(due - rig.time, 100ms));
      // In its long pauses, ours asks how the camera is.
      for (const Message& asked : rig.sent()) {
        fail_unless_equals_int(asked.id(), 4365);
        rig.camera(R"({"rval":0,"msg_id":4365})");
      }
    }
  };
  const auto member_by_member = [](const Message& ours, const char* theirs) {
    const Result<Message> line = Message::parse(theirs);
    fail_unless(bool(line));
    fail_unless_equals_int(ours.id(), line->id());
    for (const char* member : {"param", "type", "token"})
      fail_unless(ours.text(member) == line->text(member), "%s: %s", theirs, member);
  };
  rig.core.start(rig.time);
  member_by_member(rig.sent_one(257), test::sister_session[0].json);
  until(test::sister_session[1].at);
  rig.camera(test::sister_session[1].json);
  // Requests of our own that the transcript does not have are answered like the others.
  for (int id : {261, 4365, 6147, 4358, 4364}) {
    fail_unless_equals_int(*rig.sent_one(id).number("token"), 2);
    rig.camera("{\"rval\":0,\"msg_id\":" + std::to_string(id) + "}");
    rig.pass(150ms);
  }
  fail_unless(rig.kinds().back() == K::ready);

  std::vector<std::shared_ptr<const Message>> replies;
  size_t notifications = 0, answers = 0;
  const Duration late = rig.time - begin;
  for (size_t i = 2; i < test::sister_session.size(); ++i) {
    const test::Line& line = test::sister_session[i];
    until(line.at + std::chrono::duration<double>(late).count());
    if (line.from_camera) {
      const Result<Message> said = Message::parse(line.json);
      rig.camera(line.json);
      const std::vector<Event> events = rig.events();
      if (said->id() == msg_transfer_result) {
        ++notifications;
        fail_unless(events.size() == 1 && events[0].kind == K::notification);
        fail_unless(events[0].message->text("type") == said->text("type"));
      } else {
        ++answers;
        fail_unless(events.empty() && replies.size() == answers);
        fail_unless(replies.back()->rval() == said->rval());
        for (const char* member : {"param", "type", "brand", "model", "api_ver", "media_folder"})
          fail_unless(replies.back()->text(member) == said->text(member), "%s", line.json);
      }
      continue;
    }
    const Result<Message> asked = Message::parse(line.json);
    Request request(asked->id());
    request.param = asked->param_text();
    request.type = asked->text("type");
    rig.core.request(
        std::move(request), [&](const Reply& reply) { replies.push_back(reply.message); },
        rig.time);
    // Two requests of the transcript came 34 ms after the one before; ours wait for longer.
    rig.pass(150ms);
    member_by_member(rig.sent_one(asked->id()), line.json);
  }
  fail_unless(answers == 8 && notifications == 2);
  fail_unless(rig.core.is_open());
}
GST_END_TEST;

GST_START_TEST(replies_are_matched_and_unexpected_ones_dropped) {
  SessionFixture rig;
  rig.open();
  rig.events();
  rig.pass(150ms);
  int answered = 0;
  rig.core.request(
      Request(4864),
      [&](const Reply& reply) {
        ++answered;
        fail_unless(reply.message && *reply.message->rval() == 0);
      },
      rig.time);
  rig.sent_one(4864);
  // These must be ignored: a notification of the same id, a late answer, an answer to nothing.
  rig.camera(R"({"rval":128,"msg_id":4864}{"rval":0,"msg_id":513}{"rval":-21,"msg_id":4321})");
  fail_unless_equals_int(answered, 0);
  rig.camera(R"({"rval":0,"msg_id":4864}{"rval":0,"msg_id":4864})");
  fail_unless_equals_int(answered, 1);
  fail_unless(rig.kinds() == std::vector({K::notification}));
  fail_unless(rig.core.is_open());
}
GST_END_TEST;

GST_START_TEST(notifications_reach_the_state) {
  SessionFixture rig;
  rig.open();
  rig.events();
  rig.pass(150ms);
  rig.camera(R"({"rval":128,"msg_id":4361,"param":1})");
  fail_unless(rig.core.state().battery_percent == 25 && !rig.core.state().charging);
  rig.camera(R"({"rval":128,"msg_id":513,"param":0})");
  fail_unless(rig.core.state().is_recording());
  rig.camera(R"({"msg_id":8192,"param":"C:\\DCIM\\a.MP4","remain_video":11,"sd_full":2})");
  fail_unless(!rig.core.state().is_recording());
  // A series of photos counts them, and tells its end.
  rig.camera(R"({"rval":128,"msg_id":5025,"param":0,"time":5})");
  fail_unless(rig.core.state().working_mode == madv::working_interval_photo);
  rig.camera(R"({"rval":128,"msg_id":5025,"param":-2})");
  fail_unless(rig.core.state().working_mode == madv::working_interval_photo);
  rig.camera(R"({"rval":128,"msg_id":5025,"param":-1})");
  fail_unless(rig.core.state().working_mode == madv::working_idle);
  fail_unless(rig.core.state().video_seconds_left == 11 && rig.core.state().card_full == 2);
  rig.camera(R"({"rval":128,"msg_id":4611,"param":1,"sub_mode":2})");
  fail_unless(rig.core.state().mode == 1 && rig.core.state().sub_mode == 2);
  rig.sent_nothing();
  // The card has changed, so the client has to ask for its state.
  rig.camera(R"({"rval":128,"msg_id":4353,"param":0})");
  fail_unless(rig.core.state().card == Card::none);
  rig.sent_one(4358);
  rig.camera(R"({"rval":-61,"msg_id":4358})");
  fail_unless(rig.core.state().card == Card::slow);
  fail_unless_equals_int(rig.events().size(), 8);
}
GST_END_TEST;

GST_START_TEST(client_answers_the_question_about_its_session) {
  SessionFixture rig;
  rig.open();
  rig.pass(1s);
  rig.core.request(
      Request(4864), [](const Reply&) {}, rig.time);
  rig.sent_one(4864);
  // The answer is sent at once, before waiting requests, because the camera waits for it.
  rig.camera(R"({"msg_id":1793})");
  const Message answer = rig.sent_one(1793);
  fail_unless_equals_int(*answer.number("token"), 7);
  same(*answer.param_text(), "7");
}
GST_END_TEST;

GST_START_TEST(busy_is_repeated_and_a_refusal_reported) {
  SessionFixture rig;
  rig.core.start(rig.time);
  for (int i = 0; i < 3; ++i) {
    rig.sent_one(257);
    rig.camera(R"({"rval":-21,"msg_id":257})");
    rig.sent_nothing();
    rig.pass(399ms);
    rig.sent_nothing();
    rig.pass(1ms);
  }
  rig.sent_one(257);
  rig.camera(R"({"rval":0,"msg_id":257,"param":7})");
  rig.answer(261);
  // A refusal of a question about the state is an answer, too.
  rig.answer(4365, "", -14);
  rig.answer(6147, "", -13);
  rig.answer(4358, "", -50);
  rig.answer(4364, "", -23);
  // It may be a related camera, but it does not say that it is one.
  rig.answer(11, "", -23);
  fail_unless(rig.kinds().back() == K::ready);
  fail_unless(rig.core.state().card == Card::none);

  // A request of the user is not repeated: the user gets the error.
  std::optional<int> rval;
  rig.core.request(
      Request(513), [&](const Reply& reply) { rval = reply.message->rval(); }, rig.time);
  rig.pass(150ms);
  rig.sent_one(513);
  rig.camera(R"({"rval":-21,"msg_id":513})");
  fail_unless(rval == -21);
  rig.pass(1s);
  rig.sent_nothing();

  SessionFixture stubborn;
  stubborn.core.start(stubborn.time);
  for (int i = 0; i < 100 && !stubborn.core.ended(); ++i) {
    stubborn.camera(R"({"rval":-21,"msg_id":257})");
    stubborn.pass(400ms);
  }
  const std::string words = stubborn.expect_failure(Failure::Reason::refused);
  fail_unless(words.find("busy") != std::string::npos, "%s", words.c_str());
}
GST_END_TEST;

GST_START_TEST(a_session_that_is_not_given) {
  const auto started_with = [](const char* reply, Failure::Reason reason, const char* words) {
    SessionFixture rig;
    rig.core.start(rig.time);
    rig.sent_one(257);
    rig.camera(reply);
    const std::string message = rig.expect_failure(reason);
    fail_unless(message.find(words) != std::string::npos, "%s", message.c_str());
    rig.sent_nothing();  // there is no session to end
  };
  using R = Failure::Reason;
  started_with(R"({"rval":-3,"msg_id":257})", R::held, "another phone");
  started_with(R"({"rval":-5,"msg_id":257})", R::held, "maximum number of clients");
  started_with(R"({"rval":-29,"msg_id":257})", R::refused, "does not accept");
  started_with(R"({"rval":0,"msg_id":257})", R::broken, "without a token");
  started_with(R"({"msg_id":257,"param":3})", R::broken, "no result");
  started_with("SSH-2.0-OpenSSH\r\n", R::broken, "the address of a Mi Sphere");
}
GST_END_TEST;

GST_START_TEST(session_is_ended_after_a_framing_error) {
  const std::vector<std::string> breaking = {
      "garbage",
      std::string(100000, '['),
      "{\"a\":" + std::string(100000, '['),
      "{\"msg_id\":1,\"param\":\"" + std::string(9 << 20, 'x'),
      "{}",
      "{\"msg_id\":[]}",
      "{\"msg_id\":1 \"rval\":0}"};
  for (const std::string& bytes : breaking) {
    SessionFixture rig;
    rig.open();
    rig.events();
    rig.pass(150ms);
    int failed = 0;
    const auto handler = [&](const Reply& reply) { failed += reply.failure.has_value(); };
    rig.core.request(Request(513), handler, rig.time);
    rig.core.request(Request(514), handler, rig.time);
    rig.sent_one(513);
    rig.camera(bytes);
    rig.expect_failure(Failure::Reason::broken);
    fail_unless_equals_int(*rig.sent_one(258).number("token"), 7);
    fail_unless_equals_int(failed, 2);
    // Later bytes are ignored.
    rig.camera(R"({"rval":0,"msg_id":513})");
    rig.core.request(Request(513), handler, rig.time);
    fail_unless_equals_int(failed, 3);
    rig.core.finish(rig.time);
    rig.core.connection_lost(rig.time);
    fail_unless(rig.events().empty());
  }
}
GST_END_TEST;

GST_START_TEST(silence_is_noticed_within_ten_seconds) {
  // In the middle of an open session, nothing being asked.
  SessionFixture rig;
  rig.open();
  rig.events();
  rig.pass(3999ms);
  rig.sent_nothing();
  rig.pass(1ms);
  rig.sent_one(4365);  // a request that changes nothing in the camera
  rig.camera(R"({"rval":0,"msg_id":4365,"status":0})");
  fail_unless(rig.core.is_open());
  // It is lost 9 s after the last message, whatever came before.
  rig.pass(8999ms);
  fail_unless(rig.core.is_open());
  rig.pass(1ms);
  const std::string words = rig.expect_failure(Failure::Reason::silent);
  fail_unless(words.find("5 s") != std::string::npos, "%s", words.c_str());
  // The keep-alive request was sent first, then the end of the session.
  const std::vector<Message> sent = rig.sent();
  fail_unless(sent.size() == 2 && sent[0].id() == 4365 && sent[1].id() == 258);

  // The same while a request is unanswered, and at the very beginning.
  SessionFixture asked;
  asked.open();
  asked.pass(150ms);
  asked.core.request(Request(513), nullptr, asked.time);
  asked.pass(9s);
  asked.expect_failure(Failure::Reason::silent);
  SessionFixture start;
  start.core.start(start.time);
  start.pass(9s);
  const std::string at_start = start.expect_failure(Failure::Reason::silent);
  fail_unless(at_start.find("start-session") != std::string::npos, "%s", at_start.c_str());

  // Formatting the card takes long.
  SessionFixture slow;
  slow.open();
  slow.pass(150ms);
  slow.core.request(Request(msg_format, "c"), nullptr, slow.time);
  slow.pass(59s);
  fail_unless(slow.core.is_open());
  slow.pass(1s);
  slow.expect_failure(Failure::Reason::silent);
}
GST_END_TEST;

GST_START_TEST(no_keep_alive_while_messages_come) {
  SessionFixture rig;
  rig.open();
  for (int i = 0; i < 10; ++i) {
    rig.pass(3s);
    rig.camera(R"({"rval":128,"msg_id":4361,"param":4})");
  }
  rig.sent_nothing();
}
GST_END_TEST;

// A camera that hangs may send incomplete messages, or other bytes, for ever.
GST_START_TEST(incomplete_message_is_not_a_sign_of_life) {
  for (const char* bytes : {" ", "x"}) {
    SessionFixture rig;
    rig.open();
    rig.events();
    if (*bytes == 'x') rig.camera(R"({"msg_id":4361,"param":")");
    for (int i = 0; i < 40; ++i) {
      rig.pass(100ms);
      rig.camera(bytes);
    }
    rig.sent_one(4365);
    for (int i = 0; i < 50; ++i) {
      rig.pass(100ms);
      rig.camera(bytes);
    }
    rig.expect_failure(Failure::Reason::silent);
  }
}
GST_END_TEST;

GST_START_TEST(state_request_waits_once_and_after_the_users) {
  SessionFixture rig;
  rig.open();
  rig.pass(1s);
  for (int i = 0; i < 500; ++i) {
    rig.camera(R"({"rval":128,"msg_id":4353,"param":1})");
    rig.camera(R"({"rval":128,"msg_id":4354,"param":0})");
  }
  rig.sent_one(4358);
  for (int id : {513, 4864}) rig.core.request(Request(id), nullptr, rig.time);
  for (int id : {4358, 513, 4864, 4358}) {
    rig.camera("{\"rval\":0,\"msg_id\":" + std::to_string(id) + "}");
    rig.pass(150ms);
    if (id == 4358 && rig.core.output().empty()) break;
    const std::vector<Message> sent = rig.sent();
    fail_unless_equals_int(sent.size(), 1);
    fail_unless_equals_int(sent[0].id(), id == 4358 ? 513 : id == 513 ? 4864 : 4358);
  }
  rig.pass(1s);
  rig.sent_nothing();
}
GST_END_TEST;

GST_START_TEST(flood_ends_the_session_with_an_error) {
  struct Case {
    std::string message;
    int at_most;  // so many are taken
    const char* words;
  };
  const std::string long_one =
      R"({"rval":128,"msg_id":4361,"param":")" + std::string(100 << 10, 'x') + "\"}";
  const char* unasked = "are not answers; switch it off and on";
  for (const Case& c : std::vector<Case>{
           {R"({"rval":128,"msg_id":4353,"param":1})", 2000, unasked},
           {R"({"msg_id":1793})", 2000, unasked},
           {R"({"rval":0,"msg_id":4321})", 2000, unasked},
           {long_one, 20, unasked},
           {std::string(100 << 10, ' '), 21, "too much white space"},
       }) {
    SessionFixture rig;
    rig.open();
    rig.events();
    rig.pass(1s);
    int taken = 0;
    for (; taken < 5000 && !rig.core.ended(); ++taken) {
      rig.camera(c.message);
      // The camera reads quickly.
      if (taken % 100 == 0) (void)rig.sent();
    }
    fail_unless(taken <= c.at_most && taken > c.at_most * 8 / 10, "%s: %d taken", c.words, taken);
    const std::string words = rig.expect_failure(Failure::Reason::broken);
    fail_unless(words.find(c.words) != std::string::npos, "%s", words.c_str());
    fail_unless_equals_int(rig.sent().back().id(), 258);
  }
  // Fifteen messages a second for ten minutes, and more once a minute, are no flood.
  SessionFixture usual;
  usual.open();
  for (int second = 0; second < 600; ++second) {
    usual.pass(1s);
    (void)usual.events();
    for (int i = 0; i < (second % 60 == 0 ? 60 : 15); ++i)
      usual.camera(R"({"rval":128,"msg_id":8193,"param":"C:\\DCIM\\a.JPG","remain_jpg":11})");
  }
  fail_unless(usual.core.is_open());
}
GST_END_TEST;

GST_START_TEST(unsent_output_is_limited) {
  SessionFixture rig;
  rig.open();
  size_t most = 0;
  for (int i = 0; i < 5000 && !rig.core.ended(); ++i) {
    rig.pass(100ms);
    rig.camera(R"({"msg_id":1793})");
    most = std::max(most, rig.core.output().size());
  }
  rig.expect_failure(Failure::Reason::silent);
  fail_unless(most <= ControlChannel::max_output, "%zu bytes wait", most);
  // The number of events that are not taken is limited, too.
  SessionFixture other;
  other.open();
  for (int i = 0; i < 10000; ++i) {
    other.pass(100ms);
    other.camera(R"({"rval":128,"msg_id":4361,"param":4})");
  }
  fail_unless_equals_int(other.events().size(), SessionCore::max_events);
}
GST_END_TEST;

GST_START_TEST(waiting_requests_are_limited) {
  SessionFixture rig;
  rig.open();
  int refused = 0;
  const auto handler = [&](const Reply& reply) {
    fail_unless(reply.failure->reason == Failure::Reason::refused);
    fail_unless(reply.failure->message.find("64 earlier requests") != std::string::npos);
    ++refused;
  };
  rig.pass(150ms);
  rig.core.request(Request(513), nullptr, rig.time);  // on its way
  for (size_t i = 0; i < ControlChannel::max_waiting; ++i)
    rig.core.request(Request(4864), nullptr, rig.time);
  fail_unless_equals_int(refused, 0);
  for (int i = 0; i < 3; ++i) rig.core.request(Request(4864), handler, rig.time);
  fail_unless_equals_int(refused, 3);
  rig.core.request(Request(4864), nullptr, rig.time);  // without a callback
}
GST_END_TEST;

GST_START_TEST(every_session_is_ended_with_a_request) {
  {  // idle
    SessionFixture rig;
    rig.open();
    rig.events();
    rig.core.finish(rig.time);
    // The end of the session is also sent 150 ms after the request before it.
    rig.pass(149ms);
    rig.sent_nothing();
    rig.pass(1ms);
    fail_unless_equals_int(*rig.sent_one(258).number("token"), 7);
    rig.camera(R"({"rval":0,"msg_id":258})");
    fail_unless(rig.core.ended());
    const std::vector<Event> events = rig.events();
    fail_unless(events.size() == 1 && events[0].kind == K::ended && !events[0].failure);
  }
  {  // during a request: the answer comes first
    SessionFixture rig;
    rig.open();
    rig.pass(150ms);
    int answers = 0, refusals = 0;
    const auto handler = [&](const Reply& reply) { ++(reply.message ? answers : refusals); };
    rig.core.request(Request(513), handler, rig.time);
    rig.core.request(Request(514), handler, rig.time);
    rig.sent_one(513);
    rig.core.finish(rig.time);
    rig.sent_nothing();
    fail_unless_equals_int(refusals, 1);
    rig.camera(R"({"rval":0,"msg_id":513})");
    fail_unless_equals_int(answers, 1);
    rig.pass(150ms);
    rig.sent_one(258);
    rig.core.connection_lost(rig.time);
    fail_unless(rig.core.ended());
  }
  {  // the answer does not come
    SessionFixture rig;
    rig.open();
    rig.pass(150ms);
    int told = 0;
    rig.core.request(
        Request(513), [&](const Reply& reply) { told += reply.failure.has_value(); }, rig.time);
    rig.sent_one(513);
    rig.core.finish(rig.time);
    rig.pass(149ms);
    rig.sent_nothing();
    rig.pass(1ms);
    // This camera would not answer the end of the session either.
    rig.sent_one(258);
    fail_unless_equals_int(told, 1);
    fail_unless(rig.core.ended() && !rig.core.stop_session_answered());
  }
  {  // the answer has not come for longer than that already
    SessionFixture rig;
    rig.open();
    rig.pass(150ms);
    rig.core.request(Request(513), nullptr, rig.time);
    rig.sent_one(513);
    rig.pass(200ms);
    rig.core.finish(rig.time);
    rig.pass(0ms);
    rig.sent_one(258);
    fail_unless(rig.core.ended());
  }
  {  // only the end of the session is not answered
    SessionFixture rig;
    rig.open();
    rig.pass(150ms);
    rig.core.finish(rig.time);
    rig.sent_one(258);
    rig.pass(149ms);
    fail_unless(!rig.core.ended());
    rig.pass(1ms);
    fail_unless(rig.core.ended() && !rig.core.stop_session_answered());
  }
  {  // while the session starts: it is ended as soon as it has started
    SessionFixture rig;
    rig.core.start(rig.time);
    rig.sent_one(257);
    rig.core.finish(rig.time);
    rig.sent_nothing();
    rig.pass(140ms);
    rig.camera(R"({"rval":0,"msg_id":257,"param":9})");
    rig.pass(10ms);
    fail_unless_equals_int(*rig.sent_one(258).number("token"), 9);
    rig.camera(R"({"rval":0,"msg_id":258})");
    fail_unless(rig.kinds() == std::vector({K::ended}) && rig.core.stop_session_answered());
  }
  {  // the same, but the camera does not answer
    SessionFixture rig;
    rig.core.start(rig.time);
    rig.core.finish(rig.time);
    rig.pass(149ms);
    fail_unless(!rig.core.ended());
    rig.pass(1ms);
    fail_unless(rig.kinds() == std::vector({K::ended}));
  }
  {  // the same, but the camera refuses the session
    SessionFixture rig;
    rig.core.start(rig.time);
    rig.core.finish(rig.time);
    rig.camera(R"({"rval":-3,"msg_id":257})");
    const std::vector<Event> events = rig.events();
    fail_unless(events.size() == 1 && events[0].kind == K::ended && !events[0].failure);
  }
  {  // forgotten by the camera
    SessionFixture rig;
    rig.open();
    rig.pass(150ms);
    rig.core.request(Request(513), nullptr, rig.time);
    rig.sent_one(513);
    rig.camera(R"({"rval":-4,"msg_id":513})");
    rig.expect_failure(Failure::Reason::gone);
    rig.sent_one(258);
  }
  {  // the connection is lost, so nothing can be sent
    SessionFixture rig;
    rig.open();
    rig.core.connection_lost(rig.time);
    rig.expect_failure(Failure::Reason::gone);
    rig.sent_nothing();
  }
}
GST_END_TEST;

static Suite* madv_session_suite() {
  Suite* suite = suite_create("madv_session");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, connection_sequence_for_a_preview);
  tcase_add_test(tcase, one_request_at_a_time_150_ms_apart);
  tcase_add_test(tcase, the_published_session_from_the_clients_side);
  tcase_add_test(tcase, replies_are_matched_and_unexpected_ones_dropped);
  tcase_add_test(tcase, notifications_reach_the_state);
  tcase_add_test(tcase, client_answers_the_question_about_its_session);
  tcase_add_test(tcase, busy_is_repeated_and_a_refusal_reported);
  tcase_add_test(tcase, a_session_that_is_not_given);
  tcase_add_test(tcase, session_is_ended_after_a_framing_error);
  tcase_add_test(tcase, silence_is_noticed_within_ten_seconds);
  tcase_add_test(tcase, no_keep_alive_while_messages_come);
  tcase_add_test(tcase, incomplete_message_is_not_a_sign_of_life);
  tcase_add_test(tcase, state_request_waits_once_and_after_the_users);
  tcase_add_test(tcase, flood_ends_the_session_with_an_error);
  tcase_add_test(tcase, unsent_output_is_limited);
  tcase_add_test(tcase, waiting_requests_are_limited);
  tcase_add_test(tcase, every_session_is_ended_with_a_request);
  return suite;
}

GST_CHECK_MAIN(madv_session)

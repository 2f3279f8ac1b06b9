// SPDX-License-Identifier: LGPL-2.1-or-later
// A build with one more row in the command table: client, emulated camera, logs and docs know the
// new command without any other change.

#include <chrono>
#include <string>

#include "hw/madv/core.h"
#include "hw/madv/emulator/control.h"
#include "tests/check/madv_commands_doc.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

/// The answer of an emulated camera to one request.
Message answered(madv_emulator::Control& control, const std::string& request) {
  (void)control.take_actions();  // such as its timers
  control.received(1, request);
  const std::vector<madv_emulator::Action> actions = control.take_actions();
  fail_unless_equals_int(actions.size(), 1);
  Result<Message> message = Message::parse(actions[0].bytes);
  fail_unless(bool(message));
  return std::move(*message);
}

}  // namespace

GST_START_TEST(client_has_the_new_command) {
  const Command* command = find_command("new-setting");
  fail_unless(command && command->id == msg_new_setting);
  fail_unless(takes(*command, "9") && !takes(*command, "10"));
  // The error has its name, and it may take as long as its row says.
  SessionCore core({});
  core.start(1s);
  core.received(R"({"rval":0,"msg_id":257,"param":7})", 1s);
  Time now = 1s;
  for (int id : {261, 4365, 4358, 4364}) {
    now += 150ms;
    core.advance(now);
    core.received("{\"rval\":0,\"msg_id\":" + std::to_string(id) + "}", now);
  }
  now += 150ms;
  core.request(Request(msg_new_setting, "5"), nullptr, now);
  core.advance(now + 59s);
  fail_unless(core.is_open());
  core.advance(now + 60s);
  const std::vector<Event> events = core.take_events();
  fail_unless(events.back().failure && has(events.back().failure->message, "new-setting (20000)"));
}
GST_END_TEST;

GST_START_TEST(emulated_camera_has_the_new_command) {
  Result<emulator::Card> card = emulator::Card::open("", madv::card_root);
  fail_unless(bool(card));
  madv_emulator::Control control({}, *card);
  control.connected(1);
  (void)answered(control, R"({"msg_id":257,"token":0})");
  fail_unless_equals_int(*answered(control, R"({"msg_id":20000,"token":1})").param_number(), 4);
  fail_unless_equals_int(*answered(control, R"({"msg_id":20000,"token":1,"param":"5"})").rval(), 0);
  fail_unless_equals_int(*answered(control, R"({"msg_id":20000,"token":1,"param":"10"})").rval(),
                         rval_invalid_operation);
  fail_unless_equals_int(*answered(control, R"({"msg_id":4364,"token":1})").number("new_one"), 5);
  (void)answered(control, R"({"msg_id":6152,"token":1})");
  fail_unless_equals_int(*answered(control, R"({"msg_id":4364,"token":1})").number("new_one"), 4);
}
GST_END_TEST;

GST_START_TEST(logs_and_docs_have_the_new_command) {
  fail_unless(has(redacted(R"({"msg_id":20000,"param":"WORD"})"), "WORD"));
  fail_unless(!has(redacted(R"({"msg_id":20001,"param":"WORD"})"), "WORD"));
  fail_unless(has(redacted(R"({"msg_id":4364,"new_one":815})"), "815"));
  const std::string document = test::commands_document(commands());
  fail_unless(has(document, "| 20000 | new-setting | R/W | 1 to 9 furlong | 4 | `new_one` |"));
}
GST_END_TEST;

static Suite* madv_new_command_suite() {
  Suite* suite = suite_create("madv_new_command");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, client_has_the_new_command);
  tcase_add_test(tcase, emulated_camera_has_the_new_command);
  tcase_add_test(tcase, logs_and_docs_have_the_new_command);
  return suite;
}

GST_CHECK_MAIN(madv_new_command)

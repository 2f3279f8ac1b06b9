// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera against published transcripts, and a session against the emulated camera over
// loopback.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "hw/madv/session.h"
#include "tests/check/emulator.h"
#include "tests/check/emulator_session.h"
#include "tests/check/http.h"
#include "tests/check/madv_transcripts.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;
using emulator::Card;
using madv::Event;
using madv::Failure;
using madv::Message;
using madv::Request;
using madv::Session;
using madv::SessionOptions;
using madv_emulator::Action;
using madv_emulator::Control;
using madv_emulator::ControlSettings;
using test::Client;
using test::control_only;
using test::Emulator;
using test::EmulatorOptions;
using test::open_files;
using test::reply_to;
using test::same;
using test::some_table;
using test::started;
using test::temporary_folder;

namespace {

/// The answers of the camera to one client, with their times.
struct Said {
  madv_emulator::Delay delay;
  std::string bytes;
};
std::vector<Said> said(Control& control) {
  std::vector<Said> all;
  for (Action& action : control.take_actions()) {
    if (action.kind == Action::Kind::send) all.push_back({action.delay, std::move(action.bytes)});
    if (action.kind != Action::Kind::stop_recording) continue;
    // As the owner does it when the file is closed.
    control.recording_saved("/tmp/SD0/DCIM/a.MP4", true, 1000);
    for (Action& later : control.take_actions())
      all.push_back({action.delay, std::move(later.bytes)});
  }
  return all;
}

/// GET, or a range of it; the body, and its status.
std::pair<guint, std::string> get(const std::string& url, const char* range = nullptr) {
  const test::Answer answer = test::http(url, "GET", range);
  return {answer.status, answer.body};
}

}  // namespace

// --- the camera's side, without sockets ------------------------------------------------------

GST_START_TEST(the_published_session_is_spoken_word_by_word) {
  Result<Card> card = Card::open("", madv::card_root);
  fail_unless(bool(card));
  madv_emulator::Delay clock{};
  ControlSettings settings;
  settings.model = madv_emulator::Model::sj8_pro;
  settings.timing = true;
  settings.now = [&] { return clock; };
  Control control(settings, *card);
  control.connected(1);

  std::vector<Said> answers;
  double asked_at = 0;
  for (const test::Line& line : test::sister_session) {
    clock = madv_emulator::Delay(static_cast<int64_t>(line.at * 1e6));
    if (!line.from_camera) {
      fail_unless(answers.empty(), "an answer too many: %s", answers[0].bytes.c_str());
      control.received(1, line.json);
      answers = said(control);
      asked_at = line.at;
      continue;
    }
    fail_unless(!answers.empty(), "no answer where '%s' was due", line.json);
    same(answers.front().bytes, line.json);
    // The delays of the emulator are medians of many measurements; each line is only one.
    const double delay = std::chrono::duration<double>(answers.front().delay).count();
    fail_unless(std::abs(delay - (line.at - asked_at)) < 0.05, "%s after %g s, not %g", line.json,
                delay, line.at - asked_at);
    answers.erase(answers.begin());
  }
  fail_unless(answers.empty());
  fail_unless_equals_int(control.counters().requests, 9);
}
GST_END_TEST;

GST_START_TEST(requests_split_at_every_byte_and_joined) {
  Result<Card> card = Card::open("", madv::card_root);
  const std::string start = R"({"msg_id":257,"token":0})";
  const std::string all = start + R"({"msg_id":4358,"token":1}{"msg_id":4365,"token":1})";
  std::string expected;
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    Control control({}, *card);
    control.connected(1);
    control.received(1, std::string_view(all).substr(0, cut));
    control.received(1, std::string_view(all).substr(cut));
    std::string got;
    for (const Said& answer : said(control)) got += answer.bytes;
    if (cut == 0) expected = got;
    same(got, expected);
    fail_unless_equals_int(control.counters().requests, 3);
  }
  fail_unless(
      expected.find(
          R"({"rval":0,"msg_id":4358,"remain_video":4073,"remain_jpg":3055,"sd_total":15343616,"sd_free":15328288,"sd_full":0,"sd_mid":65,"sd_oid":13362,"sd_pnm":"SD16G"})") !=
      std::string::npos);
}
GST_END_TEST;

GST_START_TEST(members_are_in_the_vendors_order) {
  Result<Card> card = Card::open("", madv::card_root);
  Control control({}, *card);
  control.connected(1);
  control.received(1, R"({"msg_id":257,"token":0})");
  control.take_actions();
  const auto members_of = [&](const std::string& bytes) {
    std::string names;
    const Result<JsonDocument> document = JsonDocument::parse(bytes, "", 4096);
    fail_unless(bool(document));
    g_autoptr(GList) list = json_object_get_members(json_node_get_object(document->root_node()));
    for (GList* l = list; l; l = l->next)
      names += (names.empty() ? "" : " ") + std::string(static_cast<const char*>(l->data));
    return names;
  };
  control.received(1, R"({"msg_id":4364,"token":1})");
  same(members_of(control.take_actions()[0].bytes),
       "rval msg_id v_res loop p_res video_wb video_ev video_iso video_shutter still_wb still_ev "
       "still_iso still_shutter buzzer standby_en standby_time poweroff_en poweroff_time cam_jpg "
       "cam_mp4 battery led sn product ver md5 pano_sound");
  control.received(1, R"({"msg_id":4365,"token":1})");
  same(members_of(control.take_actions()[0].bytes),
       "rval msg_id status mode rec_time second lapse timing timing_c cap_interval "
       "cap_interval_num speedx sensor_num burst_num surroundexp gyro_s sub_mode surexp_c");
  const std::string saved =
      "rval msg_id param remain_video remain_jpg total_mp4 sd_total sd_free sd_full";
  control.photo_taken("/tmp/SD0/DCIM/a.JPG", true);
  same(members_of(control.take_actions()[0].bytes), saved);
  control.recording_saved("/tmp/SD0/DCIM/aAA.MP4", true, 1000);
  same(members_of(control.take_actions()[0].bytes), saved + " mp4_time");
}
GST_END_TEST;

GST_START_TEST(second_client_gets_the_session_of_a_gone_client) {
  Result<Card> card = Card::open("", madv::card_root);
  const char* start = R"({"msg_id":257,"token":0})";
  Control control({}, *card);
  control.connected(1);
  control.received(1, start);
  control.take_actions();

  // The client with the session answers.
  control.connected(2);
  control.received(2, start);
  std::vector<Action> actions = control.take_actions();
  fail_unless(actions.size() == 2 && actions[0].client == 1);
  same(actions[0].bytes, R"({"rval":128,"msg_id":1793})");
  const int first = actions[1].number;
  control.received(1, R"({"msg_id":1793,"token":1,"param":"1"})");
  actions = control.take_actions();
  fail_unless(actions.size() == 1 && actions[0].client == 2);
  same(actions[0].bytes, R"({"rval":-3,"msg_id":257})");
  control.timer(first);
  fail_unless(control.take_actions().empty());

  // It does not answer.
  control.received(2, start);
  actions = control.take_actions();
  control.timer(actions[1].number);
  actions = control.take_actions();
  fail_unless(actions.size() == 1 && actions[0].client == 2);
  same(actions[0].bytes, R"({"rval":0,"msg_id":257,"param":2})");
  control.received(1, R"({"msg_id":4365,"token":1})");
  same(control.take_actions()[0].bytes, R"({"rval":-4,"msg_id":4365})");
  fail_unless_equals_int(control.counters().sessions_opened, 2);
  fail_unless_equals_int(control.counters().sessions_closed, 1);

  // It disconnects while it is being asked.
  control.connected(3);
  control.received(3, start);
  control.take_actions();
  control.disconnected(2);
  actions = control.take_actions();
  fail_unless(actions.size() == 1 && actions[0].client == 3);
  same(actions[0].bytes, R"({"rval":0,"msg_id":257,"param":3})");
}
GST_END_TEST;

GST_START_TEST(hostile_requests) {
  Result<Card> card = Card::open("", madv::card_root);
  for (const std::string& bytes :
       {std::string("garbage"), std::string(100000, '{'), "{\"a\":\"" + std::string(100000, 'x'),
        std::string("{}"), std::string(R"({"msg_id":4365,"token":"1x"})"),
        std::string(R"({"msg_id":1285,"token":1,"param":"/tmp/SD0/../../etc/passwd"})"),
        std::string(R"({"msg_id":1285,"token":1,"param":"/tmp/SD0/x","offset":-5})"),
        std::string(R"({"msg_id":1283,"token":1,"param":"/etc"})"),
        std::string(R"({"msg_id":1281,"token":1,"param":"/tmp/SD0/DCIM"})")}) {
    Control control({}, *card);
    control.connected(1);
    control.received(1, R"({"msg_id":257,"token":0})");
    control.take_actions();
    control.received(1, bytes);
    const std::vector<Said> answers = said(control);
    fail_unless(!answers.empty(), "no answer to '%.60s'", bytes.c_str());
    const Result<Message> answer = Message::parse(answers[0].bytes);
    fail_unless(answer && *answer->rval() < 0, "%s", answers[0].bytes.c_str());
  }
  // The test emulator_card has the rules for paths.
  fail_unless(g_file_test((card->folder() + "/DCIM").c_str(), G_FILE_TEST_IS_DIR));
}
GST_END_TEST;

GST_START_TEST(fault_names_are_checked) {
  for (const emulator::FaultInfo* fault : madv_emulator::fault_list())
    fail_unless(madv_emulator::parse_fault(fault->name)->n == fault->usual);
  fail_unless(madv_emulator::parse_fault("busy:7")->n == 7);
  fail_unless(!madv_emulator::parse_fault("busy:7")->in_seconds);
  fail_unless(madv_emulator::parse_fault("busy:7s")->n == 7);
  fail_unless(madv_emulator::parse_fault("busy:7s")->in_seconds);
  for (const char* wrong : {"", "nonsense", "busy:", "busy:x", "busy:-1", "busy:s", "late:20s",
                            "rtp-loss:101", "split:0"})
    fail_unless(!madv_emulator::parse_fault(wrong), "'%s' was taken", wrong);
  fail_unless(madv_emulator::parse_fault("x").error().message.find("wrong-token") !=
              std::string::npos);
}
GST_END_TEST;

// --- a session over loopback -----------------------------------------------------------------

/// Whoever is told the answer reads the state that it brought, and not the one before.
GST_START_TEST(an_answer_is_in_the_state_when_it_is_told) {
  const auto camera = started(control_only());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  fail_unless(!client.session().state().is_recording());
  client.call(Request(madv::msg_start_recording, "1"));
  const auto known = hw::await<bool>(nullptr, [&client](auto told) {
    client.session().request(Request(madv::msg_status), [&client, told](const madv::Reply& reply) {
      told(reply.message && client.session().state().is_recording());
    });
  });
  fail_unless(std::get<0>(*known));
}
GST_END_TEST;

GST_START_TEST(a_session_from_end_to_end) {
  const auto camera = started(control_only());
  {
    Client client(*camera);
    client.expect(Event::Kind::preview_ready);
    // Nothing waits for the table.
    client.expect(Event::Kind::ready);
    fail_unless(client.expect(Event::Kind::lens_table).bytes == some_table());
    const madv::CameraState state = client.session().state();
    fail_unless(state.battery_percent == 100 && state.card == madv::Card::mounted);
    fail_unless(state.working_mode == 0 && state.product == "sv1");

    // Neither the serial number nor the Wi-Fi's name is asked for.
    std::vector<int> ids;
    for (const madv_emulator::Asked& asked : camera->asked()) ids.push_back(asked.id);
    fail_unless(ids == std::vector({257, 261, 4365, 6147, 4358, 4364, 1285}));
    fail_unless_equals_int(camera->clock().size(), 21);

    camera->set_battery(0x81);
    client.expect_notification(4361);
    fail_unless(client.session().state().battery_percent == 25);
    client.session().stop();
    fail_unless(!client.expect(Event::Kind::ended).failure);
    client.session().stop();
  }
  const madv_emulator::Counters counters = camera->counters();
  fail_unless_equals_int(counters.sessions_opened, 1);
  fail_unless_equals_int(counters.sessions_closed, 1);
  fail_unless_equals_int(counters.session_stops, 1);
}
GST_END_TEST;

GST_START_TEST(a_known_lens_table_is_not_fetched_again) {
  const auto camera = started(control_only());
  const std::string folder = temporary_folder();
  for (int i = 0; i < 2; ++i) {
    Client client(*camera, [&](SessionOptions& options) { options.table_folder = folder; });
    fail_unless(client.expect_ready_with_table() == some_table());
  }
  int fetched = 0;
  for (const madv_emulator::Asked& asked : camera->asked()) fetched += asked.id == 1285;
  fail_unless_equals_int(fetched, 1);
}
GST_END_TEST;

GST_START_TEST(a_photo_is_taken_and_read_over_http) {
  const auto camera = started(control_only());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  fail_unless_equals_int(client.rval(Request(4864)), -56);  // it is in video mode
  client.call(Request(4611, "1"));
  client.call(Request(4864));
  const Event saved = client.expect_notification(8193);
  const std::string path = *saved.message->param_text();
  fail_unless(path.starts_with("C:\\DCIM\\") && path.ends_with(".JPG"), "%s", path.c_str());
  madv::Uri uri = *madv::Uri::parse(camera->uri());
  uri.file = madv::unix_path(path).substr(9);
  const std::string bytes = control_only().photo_bytes;
  fail_unless(get(uri.http_url()) == std::pair(200u, bytes));
  fail_unless(get(uri.http_url(), "bytes=5-") == std::pair(206u, bytes.substr(5)));
  uri.file = "DCIM/nothing.JPG";
  fail_unless(get(uri.http_url()).first == 404);
  uri.file = "DCIM/%2e%2e/%2e%2e/etc/passwd";
  fail_unless(get(uri.http_url()).first == 404);

  // Ended connections are closed by the camera, too. It may not have noticed the latest ones yet.
  const int before = open_files();
  for (int i = 0; i < 50; ++i) get(uri.http_url());
  fail_unless(open_files() < before + 25);

  // And over the control channel.
  client.call(Request(1283, madv::unix_path(path).substr(0, 22)));
  const auto list = client.call(Request(1282))->entries("listing");
  fail_unless(list.size() == 1 && path.ends_with(list[0].first));
  const auto info = client.call(Request(1026, madv::unix_path(path)));
  fail_unless(info->number("size") == static_cast<int64_t>(bytes.size()));
  client.call(Request(1281, madv::unix_path(path)));
  fail_unless(client.call(Request(1282))->entries("listing").empty());
}
GST_END_TEST;

GST_START_TEST(a_video_is_recorded) {
  const auto camera = started(control_only());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  fail_unless_equals_int(client.rval(Request(514)), -14);
  client.call(Request(513, "1"));
  fail_unless_equals_int(client.rval(Request(513, "1")), -14);
  fail_unless_equals_int(*client.call(Request(4362))->param_number(), 3);
  client.call(Request(514));
  const Event saved = client.expect_notification(8192);
  fail_unless(saved.message->param_text()->ends_with("AA.MP4"));
  fail_unless(saved.message->number("mp4_time").has_value());
  fail_unless(!client.session().state().is_recording());
}
GST_END_TEST;

GST_START_TEST(settings_are_kept_and_unknown_ones_refused) {
  const auto camera = started(control_only());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  client.call(Request(5169, "-3"));
  fail_unless_equals_int(*client.call(Request(5169))->param_number(), -3);
  fail_unless_equals_int(*client.call(Request(4364))->number("still_ev"), -3);
  fail_unless_equals_int(client.rval(Request(31337)), -23);
  const auto refused = madv::failure_of(*reply_to(client.session(), Request(31337)), "do it");
  fail_unless(refused && refused->message.find("does not know") != std::string::npos);
  Request position(4917);
  position.with("lat", "1.5").with("lon", "2.5").with("alt", "3.5");
  client.call(position);
  fail_unless(camera->position() == std::vector<std::string>({"1.5", "2.5", "3.5"}));
}
GST_END_TEST;

GST_START_TEST(the_second_client_is_told_that_the_camera_is_held) {
  const auto camera = started(control_only());
  Client first(*camera);
  first.expect(Event::Kind::ready);
  Client second(*camera);
  const std::string words = second.expect_failure(Failure::Reason::held);
  fail_unless(words.find("another phone") != std::string::npos, "%s", words.c_str());
  first.call(Request(4365));  // still works
  first.session().stop();
  Client third(*camera);
  third.expect(Event::Kind::ready);
  fail_unless_equals_int(camera->counters().refused, 1);
}
GST_END_TEST;

GST_START_TEST(each_fault_gives_its_error) {
  using R = Failure::Reason;
  struct Case {
    const char* fault;
    R reason;
    const char* words;
  };
  for (const Case& c : std::vector<Case>{
           {"refuse", R::held, "another phone"},
           {"busy:1000", R::refused, "busy"},
           {"garbage", R::broken, "can't be read"},
           {"garbage:3", R::broken, "can't be read"},
           {"huge", R::broken, "longer than 2097152"},
           {"huge:2", R::broken, "longer than 2097152"},
           {"brackets", R::broken, "deeper than 32"},
           {"brackets:4", R::broken, "deeper than 32"},
           {"wrong-token:2", R::gone, "wrong token"},
           {"drop:0", R::gone, "closed the connection"},
           {"drop:3", R::gone, "closed the connection"},
           {"reboot:2", R::gone, "closed the connection"},
           {"silent", R::silent, "no reply within 0.3 s"},
           {"silent:4", R::silent, "no reply within 0.3 s"},
       }) {
    const auto camera = started(control_only({c.fault}));
    {
      Client client(*camera, [&](SessionOptions& options) {
        // The timeout is short only where silence is tested, because a busy machine may answer
        // late.
        if (c.reason == R::silent) options.core.reply_timeout = 300ms;
        options.core.busy_pause = 1ms;
        options.core.finish_timeout = 300ms;
      });
      const std::string words = client.expect_failure(c.reason);
      fail_unless(words.find(c.words) != std::string::npos, "%s: '%s' does not say '%s'", c.fault,
                  words.c_str(), c.words);
    }
    // All sessions are closed.
    for (int i = 0;; ++i) {
      const madv_emulator::Counters counters = camera->counters();
      if (counters.sessions_opened == counters.sessions_closed) break;
      fail_unless(i < 10000, "%s: a session stays open", c.fault);
      g_usleep(1000);
    }
  }
}
GST_END_TEST;

GST_START_TEST(unusual_but_valid_answers) {
  for (const char* fault : {"split", "split:7", "chatty", "chatty:200", "late:20", "busy:2"}) {
    const auto camera = started(control_only({fault}));
    Client client(*camera, [](SessionOptions& options) { options.core.busy_pause = 1ms; });
    fail_unless(client.expect_ready_with_table() == some_table(), "%s", fault);
    client.call(Request(4365));
  }
}
GST_END_TEST;

GST_START_TEST(session_without_a_valid_lens_table) {
  for (const auto& [fault, words] :
       {std::pair("no-table", "does not tell"), std::pair("bad-table", "checksum"),
        std::pair("no-data", "data port for 0.2 s")}) {
    const auto camera = started(control_only({fault}));
    Client client(*camera,
                  [](SessionOptions& options) { options.core.lens_table_timeout = 200ms; });
    const Event event = client.expect(Event::Kind::no_lens_table);
    fail_unless(event.failure->message.find(words) != std::string::npos, "%s",
                event.failure->message.c_str());
    if (!client.saw(Event::Kind::ready)) client.expect(Event::Kind::ready);
    client.call(Request(4365));
  }
}
GST_END_TEST;

GST_START_TEST(full_or_missing_card_is_an_error) {
  for (const auto& [fault, rval] :
       {std::pair("card-full", -17), std::pair("no-card", -50), std::pair("low-battery", -58)}) {
    const auto camera = started(control_only({fault}));
    Client client(*camera);
    client.expect(Event::Kind::ready);
    fail_unless_equals_int(client.rval(Request(513, "1")), rval);
    const bool room = rval == -58;
    fail_unless_equals_int(static_cast<int>(*client.call(Request(4356))->number("param")),
                           room ? 4073 : 0);
    fail_unless_equals_int(static_cast<int>(*client.call(Request(4357))->number("param")),
                           room ? 3055 : 0);
  }
}
GST_END_TEST;

GST_START_TEST(no_camera_differs_from_a_closed_port) {
  // A port that was free a moment ago: no process listens on it.
  uint16_t port = 0;
  {
    const auto camera = started(control_only());
    port = camera->ports().control;
  }
  for (const auto& [host, reason, words] :
       {std::tuple("127.0.0.1", Failure::Reason::not_there, "does not listen"),
        std::tuple("camera.invalid", Failure::Reason::unreachable, "MJXJ-")}) {
    std::promise<Event> ended;
    SessionOptions options;
    options.uri.host = host;
    options.uri.port = port;
    Session session(options, [&](const Event& event) { ended.set_value(event); });
    session.start();
    const Event event = ended.get_future().get();
    fail_unless(event.failure && event.failure->reason == reason);
    fail_unless(event.failure->message.find(words) != std::string::npos, "%s",
                event.failure->message.c_str());
    // No other client could be asked.
    fail_unless(reply_to(session, Request(4365))->failure.has_value());
  }
}
GST_END_TEST;

GST_START_TEST(waiting_for_a_reply_ends_with_its_cancellable_and_with_the_session) {
  const auto camera = started(control_only({"silent:7"}));
  Client client(*camera);
  client.expect(Event::Kind::ready);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  auto cancelled = std::async(std::launch::async, [&] {
    return reply_to(client.session(), Request(4365), cancellable).has_value();
  });
  g_cancellable_cancel(cancellable);
  fail_unless(!cancelled.get());
  auto stopped = std::async(std::launch::async, [&] {
    return reply_to(client.session(), Request(515))->failure.has_value();
  });
  client.session().stop();
  fail_unless(stopped.get());
}
GST_END_TEST;

GST_START_TEST(many_sessions_are_all_closed) {
  const auto camera = started(control_only());
  const std::string folder = temporary_folder();
  const int count = g_getenv("SPHERE_VALGRIND") ? 20 : 300;
  for (int i = 0; i < count; ++i) {
    Client client(*camera, [&](SessionOptions& options) { options.table_folder = folder; });
    // Sessions are ended at different steps of connecting.
    if (i % 3 == 0) client.expect(Event::Kind::ready);
    if (i % 3 == 1) client.expect(Event::Kind::preview_ready);
    client.session().stop();
  }
  for (int i = 0;; ++i) {
    const madv_emulator::Counters counters = camera->counters();
    fail_unless(counters.sessions_opened >= 2 * count / 3);
    if (counters.sessions_opened == counters.sessions_closed) {
      fail_unless_equals_int(counters.session_stops, counters.sessions_opened);
      break;
    }
    fail_unless(i < 10000, "%d opened, %d closed", counters.sessions_opened,
                counters.sessions_closed);
    g_usleep(1000);
  }
}
GST_END_TEST;

GST_START_TEST(after_a_restart_the_camera_is_back_on_its_ports) {
  const auto camera = started(control_only());
  {
    Client client(*camera);
    client.expect(Event::Kind::ready);
    camera->reboot(0ms);
    client.expect_failure(Failure::Reason::gone);
  }
  for (int i = 0;; ++i) {
    std::promise<Event> first;
    bool told = false;
    SessionOptions options;
    options.uri = *madv::Uri::parse(camera->uri());
    options.core.want_lens_table = false;
    Session session(options, [&](const Event& event) {
      if (!std::exchange(told, true)) first.set_value(event);
    });
    session.start();
    if (first.get_future().get().kind == Event::Kind::preview_ready) break;
    fail_unless(i < 1000, "the camera does not come back");
  }
}
GST_END_TEST;

GST_START_TEST(logs_have_no_secrets) {
  // All output during a session with messages that contain secrets.
  static std::mutex mutex;
  static std::string logged;
  logged.clear();
  gst_debug_set_active(TRUE);
  gst_debug_set_default_threshold(GST_LEVEL_COUNT);
  const auto keep = +[](GstDebugCategory*, GstDebugLevel, const char*, const char*, int, GObject*,
                        GstDebugMessage* message, gpointer) {
    const std::lock_guard lock(mutex);
    logged += gst_debug_message_get(message);
    logged += '\n';
  };
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_add_log_function(keep, nullptr, nullptr);
  {
    EmulatorOptions options = control_only();
    options.control.serial = "SERIALSECRET";
    options.control.ssid = "NAMESECRET";
    options.control.password = "WORDSECRET";
    const auto camera = started(std::move(options));
    Client client(*camera);
    client.expect(Event::Kind::ready);
    same(*client.call(Request(4097))->param_text(), "SERIALSECRET");
    fail_unless(client.call(Request(1539))->param_text()->find("WORDSECRET") != std::string::npos);
    Request wifi(5634);
    wifi.with("ssid", "NEWNAMESECRET").with("passwd", "NEWWORDSECRET");
    client.call(wifi);
    for (const madv_emulator::Asked& asked : camera->asked())
      fail_unless(asked.redacted.find("SECRET") == std::string::npos);
  }
  gst_debug_remove_log_function(keep);
  gst_debug_set_default_threshold(GST_LEVEL_ERROR);
  const std::lock_guard lock(mutex);
  fail_unless(logged.find("SECRET") == std::string::npos);
  fail_unless(logged.find("get-wifi") != std::string::npos ||
              logged.find("\"msg_id\":1539") != std::string::npos);
}
GST_END_TEST;

static Suite* emulator_suite() {
  Suite* suite = suite_create("emulator");
  TCase* control = tcase_create("control");
  suite_add_tcase(suite, control);
  tcase_add_test(control, the_published_session_is_spoken_word_by_word);
  tcase_add_test(control, requests_split_at_every_byte_and_joined);
  tcase_add_test(control, members_are_in_the_vendors_order);
  tcase_add_test(control, second_client_gets_the_session_of_a_gone_client);
  tcase_add_test(control, hostile_requests);
  tcase_add_test(control, fault_names_are_checked);
  TCase* session = tcase_create("session");
  suite_add_tcase(suite, session);
  tcase_add_test(session, a_session_from_end_to_end);
  tcase_add_test(session, an_answer_is_in_the_state_when_it_is_told);
  tcase_add_test(session, a_known_lens_table_is_not_fetched_again);
  tcase_add_test(session, a_photo_is_taken_and_read_over_http);
  tcase_add_test(session, a_video_is_recorded);
  tcase_add_test(session, settings_are_kept_and_unknown_ones_refused);
  tcase_add_test(session, the_second_client_is_told_that_the_camera_is_held);
  tcase_add_test(session, each_fault_gives_its_error);
  tcase_add_test(session, unusual_but_valid_answers);
  tcase_add_test(session, session_without_a_valid_lens_table);
  tcase_add_test(session, full_or_missing_card_is_an_error);
  tcase_add_test(session, no_camera_differs_from_a_closed_port);
  tcase_add_test(session, waiting_for_a_reply_ends_with_its_cancellable_and_with_the_session);
  tcase_add_test(session, many_sessions_are_all_closed);
  tcase_add_test(session, after_a_restart_the_camera_is_back_on_its_ports);
  tcase_add_test(session, logs_have_no_secrets);
  return suite;
}

GST_CHECK_MAIN(emulator)

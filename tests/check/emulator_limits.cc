// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients of the emulated camera can't use up: its memory, its connections, its time.

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <glib/gstdio.h>

#include "hw/emulator/listener.h"
#include "tests/check/emulator.h"
#include "tests/check/http.h"
#include "tests/check/same.h"
#include "tests/check/side_by_side.h"
#include "tests/check/socket.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;
using madv::Message;
using test::control_only;
using test::ControlClient;
using test::Emulator;
using test::EmulatorOptions;
using test::Socket;
using test::started;
using test::with_preview;
using test::write_file;

GST_START_TEST(only_the_latest_requests_are_remembered) {
  Result<emulator::Card> card = emulator::Card::open("", madv::card_root);
  madv_emulator::Control control({}, *card);
  control.connected(1);
  const int count = 2 * static_cast<int>(madv_emulator::most_asked) + 3;
  const std::string long_one = std::string(4000, 'x');
  // These requests come without a session.
  for (int i = 0; i < count; ++i) {
    control.received(1, R"({"msg_id":4365,"token":7,"param":")" + long_one + "\"}");
    control.take_actions();
  }
  fail_unless_equals_int(static_cast<int>(control.counters().requests), count);
  fail_unless_equals_int(control.asked().size(), madv_emulator::most_asked);
  fail_unless_equals_int(static_cast<int>(control.asked().back().number), count - 1);
  for (const madv_emulator::Asked& asked : control.asked())
    fail_unless(asked.param.size() <= 512 && asked.redacted.size() <= 512);
}
GST_END_TEST;

GST_START_TEST(client_that_reads_no_answers_is_not_read) {
  const auto camera = started(control_only());
  const std::string folder = camera->card_folder() + "/DCIM/20200101";
  fail_unless(g_mkdir(folder.c_str(), 0700) == 0);
  for (int i = 0; i < 200; ++i)
    write_file(folder + "/IMG_20200101_000000_" + std::to_string(i) + ".JPG", "");
  ControlClient client(*camera);
  client.socket().limit_buffers(64 << 10);
  client.open();
  fail_unless(client.ask(1283, R"(,"param":"/tmp/SD0/DCIM/20200101")").succeeded());
  const size_t answer =
      200 * std::string("{\"IMG_20200101_000000_0.JPG\":\"2020-01-01 00:00:00\"}").size();
  // Sends requests and reads no answer, until the camera reads no more requests.
  const std::string request =
      R"({"msg_id":1282,"token":1,"more":")" + std::string(4000, 'x') + "\"}";
  size_t sent = 0;
  int64_t asked = 0;
  // It stops when for 200 ms no byte was accepted and no request was answered.
  for (int still = 0; still < 200;) {
    const size_t more = client.socket().send_some(request, sent % request.size());
    const int64_t before = std::exchange(asked, camera->counters().requests);
    sent += more;
    still = more || asked > before ? 0 : still + 1;
    if (!more) g_usleep(1000);
    // The buffers of the connection hold some megabytes. Without a limit, it would never end.
    fail_unless(sent < 64u << 20, "%zu bytes of requests were taken", sent);
    fail_unless(static_cast<size_t>(asked) * answer < 32u << 20, "%d requests were answered",
                static_cast<int>(asked));
  }
  // No answer is lost for a client that reads again.
  for (size_t i = 0; i < sent / request.size(); ++i)
    fail_unless_equals_int(client.next(1282).entries("listing").size(), 200);
}
GST_END_TEST;

GST_START_TEST(one_transfer_at_a_time) {
  const auto camera = started(control_only());
  write_file(camera->card_folder() + "/DCIM/A.MP4", std::string(48 << 20, 'x'));
  ControlClient client(*camera);
  client.open();
  const std::string all = R"(,"param":"/tmp/SD0/DCIM/A.MP4","offset":"0","fetch_size":0)";
  Socket data(camera->ports().data);
  fail_unless(client.ask(1285, all).succeeded());
  for (int i = 0; i < 20; ++i) fail_unless_equals_int(*client.ask(1285, all).rval(), -21);
  fail_unless(client.ask(1287, R"(,"param":"/tmp/SD0/DCIM/A.MP4")").succeeded());
  fail_unless(client.ask(1285, all).succeeded());
}
GST_END_TEST;

GST_START_TEST(idle_client_is_disconnected) {
  EmulatorOptions options = with_preview();
  options.idle_time = 1s;
  const auto camera = started(std::move(options));
  const Emulator::Ports ports = camera->ports();
  // All at once: each of them waits for its own end.
  std::list<Socket> mute;
  for (const uint16_t port : {ports.control, ports.data, ports.http, ports.rtsp})
    mute.emplace_back(port);
  // An incomplete request does not keep a connection open.
  std::list<Socket> slow;
  for (const auto& [port, begin] : {std::pair(ports.control, R"({"msg_id":257,)"),
                                    std::pair(ports.http, "GET / HTTP/1.1\r\nHost:"),
                                    std::pair(ports.rtsp, "OPTIONS rtsp://camera/live")})
    slow.emplace_back(port).send(begin);
  for (int sent = 0; !slow.empty(); ++sent) {
    std::erase_if(slow,
                  [](Socket& one) { return !one.send_some("x", 0) || one.ended_within(30ms); });
    fail_unless(sent < 600, "%zu ports take one byte after the other", slow.size());
  }
  for (Socket& one : mute) fail_unless(one.receive().empty(), "something is said");
  // The client with the session is never disconnected for its silence, nor its data connection.
  ControlClient holder(*camera);
  holder.open();
  Socket data(ports.data);
  Socket late(ports.control);
  fail_unless(late.receive().empty());
  fail_unless(!data.ended_within(1ms));
  fail_unless(holder.ask(4365).succeeded());
}
GST_END_TEST;

GST_START_TEST(one_connection_too_many_is_closed) {
  const auto camera = started(with_preview());
  const Emulator::Ports ports = camera->ports();
  for (const uint16_t port : {ports.control, ports.data, ports.http, ports.rtsp}) {
    std::vector<std::unique_ptr<Socket>> all;
    for (size_t i = 0; i < emulator::most_connections; ++i)
      all.push_back(std::make_unique<Socket>(port));
    fail_unless(Socket(port).receive().empty(), "port %u", port);
    // The other clients are not affected. When one leaves, another can connect.
    fail_unless(!all.front()->ended_within(1ms) && !all.back()->ended_within(1ms), "port %u", port);
    all.clear();
    for (int i = 0;; ++i) {
      Socket next(port);
      if (!next.ended_within(20ms)) break;
      fail_unless(i < 1000, "port %u stays full", port);
    }
  }
}
GST_END_TEST;

static Suite* emulator_limits_suite() {
  Suite* suite = suite_create("emulator_limits");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, only_the_latest_requests_are_remembered);
  tcase_add_test(tcase, client_that_reads_no_answers_is_not_read);
  tcase_add_test(tcase, one_transfer_at_a_time);
  tcase_add_test(tcase, idle_client_is_disconnected);
  tcase_add_test(tcase, one_connection_too_many_is_closed);
  return suite;
}

SIDE_BY_SIDE_MAIN(emulator_limits)

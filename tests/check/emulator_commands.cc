// SPDX-License-Identifier: LGPL-2.1-or-later
// All commands of the vendor's table against the emulated camera, by name, through the public
// library; its data port in both directions; its faults over sockets.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <glib/gstdio.h>

#include "gst/sphere/base/gstsphereerror.h"
#include "gst/sphere/base/md5.h"
#include "tests/check/camera_application.h"
#include "tests/check/emulator_user.h"
#include "tests/check/same.h"
#include "tests/check/side_by_side.h"
#include "tests/check/socket.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;
using hw::Failure;
using madv::Message;
using test::Application;
using test::control_only;
using test::ControlClient;
using test::Emulator;
using test::EmulatorOptions;
using test::same;
using test::Socket;
using test::started;
using test::User;
using test::write_file;

namespace {

constexpr const char* a_photo = "/tmp/SD0/DCIM/A.JPG";

/// How a row is called so that it succeeds.
struct RowCall {
  std::vector<std::pair<std::string, std::string>> before = {};  // commands with their values
  std::optional<std::string> value = {};
  std::map<std::string, std::string> fields = {};
  const char* refused = "";  // instead: words of the right refusal
};

RowCall call_of(const madv::Command& row) {
  using Before = std::vector<std::pair<std::string, std::string>>;
  const Before photos = {{"camera-mode", "1"}}, recording = {{"start-recording", "1"}};
  static const std::string md5(32, '0');
  const std::map<std::string, RowCall> calls = {
      {"format-card", {.value = "c"}},
      {"card-space", {.fields = {{"type", "total"}}}},
      {"file-count", {.fields = {{"type", "photo"}}}},
      {"flash-firmware", {.refused = "no update"}},
      {"client-info", {.value = "127.0.0.1", .fields = {{"type", "TCP"}}}},
      {"start-recording", {.value = "1"}},
      {"stop-recording", {.before = recording}},
      {"get-thumbnail", {.value = a_photo, .fields = {{"type", "thumb"}}}},
      {"media-info", {.value = a_photo}},
      {"delete-file", {.value = a_photo}},
      {"change-folder", {.value = "/tmp/SD0/DCIM"}},
      {"get-file", {.value = a_photo, .fields = {{"offset", "0"}, {"fetch_size", "2"}}}},
      {"put-file",
       {.value = "tmp/SD0/update/rc_firmware.bin",
        .fields = {{"offset", "0"}, {"size", "5"}, {"md5sum", md5}, {"ftype", "2"}}}},
      {"mark", {.before = recording}},
      {"take-photo", {.before = photos}},
      {"start-timed-photo", {.before = photos}},
      {"start-interval-photo", {.before = photos, .value = "3"}},
      {"start-burst-photo", {.before = photos}},
      {"start-bracketing", {.before = photos}},
      {"start-single-sensor-photo", {.before = photos}},
      {"set-location", {.fields = {{"lat", "1"}, {"lon", "2"}, {"alt", "3"}}}},
      {"set-wifi", {.fields = {{"ssid", "madv"}, {"passwd", "87654321"}}}},
      {"set-clock", {.value = "2017-12-16-12-00-04-6"}},
      {"remote-serial", {.before = {{"set-remote-serial", "S1"}}}},
      {"remote-box-serial", {.before = {{"set-remote-box-serial", "S2"}}}},
      {"set-remote-serial", {.value = "S1"}},
      {"set-remote-box-serial", {.value = "S2"}},
      {"remote-update-version", {.refused = "no update"}},
      {"test-remote-update", {.refused = "no update"}},
  };
  const auto found = calls.find(row.name);
  if (found != calls.end()) return found->second;
  return row.is_setting() ? RowCall{.value = std::to_string(*row.factory)} : RowCall{};
}

}  // namespace

namespace {

/// All values of a setting that are in its row, and the ends of its range. The factory's is the
/// last, so that each of them is a change.
std::vector<std::string> values_of(const madv::Command& row) {
  std::set<int64_t> values;
  for (const madv::Choice& choice : row.value.choices) values.insert(choice.value);
  if (row.value.kind == madv::Value::Kind::number) values.insert({row.value.min, row.value.max});
  values.erase(*row.factory);
  // Those of its successor, which the emulated camera refuses.
  if (row.id == madv::msg_video_resolution)
    for (const int64_t later : {6, 8, 11}) fail_unless(values.erase(later) == 1);
  std::vector<std::string> all;
  for (const int64_t value : values) all.push_back(std::to_string(value));
  all.push_back(std::to_string(*row.factory));
  return all;
}

/// The rows that stand twice in the vendor's table.
const std::map<std::string, RowCall>& second_calls() {
  static const std::string md5(32, '0');
  static const std::map<std::string, RowCall> calls = {
      {"card-space", {.fields = {{"type", "free"}}}},
      {"file-count", {.fields = {{"type", "video"}}}},
      {"put-file",
       {.value = "tmp/SD0/update/MadvSysFW.bin",
        .fields = {{"offset", "0"}, {"size", "5"}, {"md5sum", md5}, {"ftype", "1"}}}},
  };
  return calls;
}

}  // namespace

GST_START_TEST(each_row_is_answered) {
  auto emulated = started(control_only());
  auto user = std::make_unique<Application>(emulated->uri());
  // The camera goes on from its first state.
  const auto renew = [&] {
    user.reset();
    emulated = started(control_only());
    write_file(emulated->card_folder() + "/DCIM/A.JPG", "\xff\xd8 a photo \xff\xd9");
    user = std::make_unique<Application>(emulated->uri());
  };
  const auto make = [&](const madv::Command& row, const RowCall& call) {
    renew();
    for (const auto& [name, value] : call.before) {
      const auto [answer, failure] = user->call(name, value);
      fail_unless(failure.empty(), "%s: %s", name.c_str(), failure.c_str());
    }
    const auto [answer, failure] = user->call(row.name, call.value, call.fields);
    if (*call.refused)
      fail_unless(failure.find(call.refused) != std::string::npos, "%s: '%s'", row.name,
                  failure.c_str());
    else
      fail_unless(failure.empty(), "%s: %s", row.name, failure.c_str());
    // What a row says that it tells is there.
    const bool tells = !*call.refused && row.access == madv::Access::read &&
                       row.value.kind != madv::Value::Kind::none;
    fail_unless(!tells || !answer.empty(), "%s tells nothing", row.name);
  };
  int answered = 0, told = 0, twice = 0;
  for (const madv::Command& row : madv::commands()) {
    if (row.access == madv::Access::notice) {
      // 1793 is a question of the session, and 7 is for transfers: these have tests of their own.
      if (row.id == madv::msg_query_holder || row.id == madv::msg_transfer_result) continue;
      fail_unless(bool(emulated->execute("notify " + std::string(row.name) + " C:\\DCIM\\A.JPG")));
      user->expect(row.name);
      ++told;
      continue;
    }
    // The session itself; and the viewfinder, which no source has for this camera.
    if (row.id == madv::msg_start_session || row.id == madv::msg_stop_session ||
        row.id == madv::msg_reset_viewfinder || row.id == madv::msg_stop_viewfinder)
      continue;
    make(row, call_of(row));
    if (const auto second = second_calls().find(row.name); second != second_calls().end()) {
      make(row, second->second);
      ++twice;
    }
    if (row.is_setting())
      for (const std::string& value : values_of(row)) {
        const auto [nothing, refused] = user->call(row.name, value);
        fail_unless(refused.empty(), "%s %s: %s", row.name, value.c_str(), refused.c_str());
        const auto [read, wrong] = user->call(row.name);
        fail_unless(wrong.empty() && read == value, "%s: '%s', not '%s' %s", row.name, read.c_str(),
                    value.c_str(), wrong.c_str());
      }
    ++answered;
  }
  fail_unless_equals_int(answered + told, static_cast<int>(madv::commands().size()) - 6);
  fail_unless_equals_int(twice, 3);
}
GST_END_TEST;

GST_START_TEST(the_state_notifies) {
  const auto emulated = started(control_only());
  Application user(emulated->uri());
  int told = 0;
  g_signal_connect(
      user.camera(), "notify::state",
      G_CALLBACK(+[](GObject*, GParamSpec*, gpointer count) { ++*static_cast<int*>(count); }),
      &told);
  const auto battery = [&] {
    GstStructure* state = nullptr;
    g_object_get(user.camera(), "state", &state, nullptr);
    int percent = -1;
    gst_structure_get_int(state, "battery", &percent);
    gst_structure_free(state);
    return percent;
  };
  fail_unless_equals_int(battery(), 100);
  emulated->set_battery(1);
  user.expect("battery");
  fail_unless(told > 0);
  fail_unless_equals_int(battery(), 25);
  g_signal_handlers_disconnect_by_data(user.camera(), &told);
}
GST_END_TEST;

GST_START_TEST(thumbnails_come_over_the_data_port) {
  const auto emulated = started(control_only());
  const std::string photo = "\xff\xd8 a photo \xff\xd9";
  write_file(emulated->card_folder() + "/DCIM/A.JPG", photo);
  write_file(emulated->card_folder() + "/DCIM/VAA.MP4", "a video");
  write_file(emulated->card_folder() + "/DCIM/L.JPG", std::string(2 << 20, 'x'));
  User user(*emulated);
  for (int again = 0; again < 2; ++again) {
    const auto outcome = hw::await<hw::Thumbnail, std::optional<Failure>>(
        nullptr, [&](auto handler) { user->files()->thumbnail("DCIM/A.JPG", handler); });
    const auto& [thumbnail, failure] = *outcome;
    fail_unless(!failure, "%s", failure ? failure->message.c_str() : "");
    fail_unless(thumbnail.bytes == photo);
  }
  fail_unless(user.call("get-thumbnail", "/tmp/SD0/DCIM/none.JPG", {{"type", "thumb"}})
                  .second.find("no such file") != std::string::npos);
  fail_unless(!user.call("get-thumbnail", a_photo, {{"type", "other"}}).second.empty());
  // Without a thumbnail of its own, a long file has none.
  fail_unless(
      !user.call("get-thumbnail", "/tmp/SD0/DCIM/L.JPG", {{"type", "thumb"}}).second.empty());
}
GST_END_TEST;

/// The bytes of firmware, which are those of no other kind of file.
std::string bytes_of_firmware(size_t size = 1500000) {
  std::string firmware(size, '\0');
  for (size_t i = 0; i < firmware.size(); ++i) firmware[i] = static_cast<char>(i * 7 + i / 256);
  return firmware;
}

/// Sends it to the camera; "", or what went wrong. `md5`: "" for the right one.
std::string send_firmware(User& user, const std::string& bytes, const std::string& name,
                          bool remote_control = false, const std::string& md5 = "") {
  hw::FirmwareUpload upload;
  upload.file.name = name;
  upload.file.size = bytes.size();
  upload.file.beginning = bytes.substr(0, hw::FirmwareFile::beginning_size);
  upload.file.remote_control = remote_control;
  upload.md5 = md5.empty() ? md5_of(bytes) : md5;
  upload.source = [&bytes, sent = size_t{0}](size_t most) mutable {
    const std::string piece = bytes.substr(sent, most);
    sent += piece.size();
    return piece;
  };
  const auto outcome = hw::await<std::optional<Failure>>(
      nullptr, [&](auto handler) { user->upkeep()->upload_firmware(std::move(upload), handler); });
  const auto& failure = std::get<0>(*outcome);
  return failure ? failure->message : std::string();
}

GST_START_TEST(what_is_no_firmware_is_not_sent) {
  const auto emulated = started(control_only());
  User user(*emulated);
  const std::string good = bytes_of_firmware(), name = "MadvSysFW.bin";
  const auto after = [&](std::string_view beginning) {
    return std::string(beginning) + good.substr(beginning.size());
  };
  using namespace std::string_view_literals;
  const struct {
    std::string bytes, name;
    bool remote_control;
    const char* says;
  } wrong[] = {
      {"", name, false, "empty"},
      {good.substr(0, 100000), name, false, "100000 bytes"},
      {bytes_of_firmware(20 << 20), "rc_firmware.bin", true, "20971520 bytes"},
      {good, "router.bin", false, "MadvSysFW.bin"},
      {good, "MadvSysFW.zip", false, "MadvSysFW.bin"},
      {good, "rc_firmware.bin", false, "remote control's firmware"},
      {good, name, true, "camera's firmware"},
      {after("\xff\xd8\xff\xe1"), name, false, "JPEG"},
      {after("\0\0\0\x20"
             "ftypmp42"sv),
       name, false, "MP4"},
      {after("PK\x03\x04"), name, false, "unpack"},
      {after("\x7f"
             "ELF"),
       name, false, "program"},
      {std::string(1500000, '\xff'), name, false, "same"},
      {std::string(1500000, 'x') + "\n", name, false, "text"},
      // A character of two bytes is cut where the check ends.
      {"x" +
           [] {
             std::string text;
             while (text.size() < 1500000) text += "é";
             return text;
           }(),
       name, false, "text"},
  };
  for (const auto& one : wrong) {
    const std::string said = send_firmware(user, one.bytes, one.name, one.remote_control);
    fail_unless(said.find(one.says) != std::string::npos, "%s: '%s'", one.says, said.c_str());
  }
  // Nothing has come to the camera.
  fail_unless(user.call("flash-firmware").second.find("no update") != std::string::npos);
  // A second download has a number.
  same(send_firmware(user, good, "madvsysfw (1).BIN"), "");
}
GST_END_TEST;

GST_START_TEST(an_application_sends_only_firmware) {
  const auto emulated = started(control_only());
  Application user(emulated->uri());
  const GString_ folder(g_dir_make_tmp(nullptr, nullptr));
  const std::string path = std::string(folder.get()) + "/MadvSysFW.bin";
  const auto upload = [&](const std::string& bytes) {
    write_file(path, bytes);
    const auto result = test::wait_for([&](GAsyncReadyCallback done, gpointer data) {
      gst_sphere_camera_upload_firmware_async(user.camera(), path.c_str(), FALSE, nullptr, done,
                                              data);
    });
    g_autoptr(GError) error = nullptr;
    if (gst_sphere_camera_upload_firmware_finish(user.camera(), result.get(), &error))
      return std::string();
    fail_unless(g_error_matches(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_INVALID), "%s",
                error->message);
    return std::string(error->message);
  };
  fail_unless(upload("\xff\xd8\xff\xe1").find("JPEG") != std::string::npos);
  fail_unless(upload("").find("empty") != std::string::npos);
  fail_unless(user.call("flash-firmware").second.find("no update") != std::string::npos);
  same(upload(bytes_of_firmware()), "");
  g_unlink(path.c_str());
  g_rmdir(folder.get());
}
GST_END_TEST;

GST_START_TEST(firmware_is_uploaded_and_flashed) {
  const auto emulated = started(control_only());
  const std::string firmware = bytes_of_firmware();
  User user(*emulated);
  const auto upload = [&](const std::string& md5) {
    return send_firmware(user, firmware, "MadvSysFW.bin", false, md5);
  };
  fail_unless(upload(std::string(32, 'a')).find("not sent") != std::string::npos);
  fail_unless(user.call("flash-firmware").second.find("no update") != std::string::npos);
  same(upload(""), "");
  // It restarts with the new one.
  (void)user.expect(hw::CameraEvent::Kind::ended);
}
GST_END_TEST;

GST_START_TEST(an_upload_that_breaks_off) {
  const auto emulated = started(control_only());
  ControlClient client(*emulated);
  client.open();
  const std::string request =
      R"(,"param":"tmp/SD0/update/MadvSysFW.bin","offset":0,"size":100,"md5sum":")" +
      std::string(32, '0') + R"(","ftype":1)";
  {
    Socket data(emulated->ports().data);
    fail_unless(client.ask(1286, request).succeeded());
    data.send("only this");
  }
  const Message failed = client.next(7);
  same(*failed.text("type"), "put_file_fail");
  same(failed.entries("param").front().second, "9");
  // More than announced is not taken for the file.
  Socket data(emulated->ports().data);
  fail_unless(client.ask(1286, request).succeeded());
  data.send(std::string(150, '0'));
  same(*client.next(7).text("type"), "put_file_fail");
}
GST_END_TEST;

GST_START_TEST(the_last_answer_comes_before_the_end) {
  for (const int id : {6155, 1537, 1540}) {
    EmulatorOptions options = control_only();
    options.control.timing = true;
    const auto emulated = started(std::move(options));
    ControlClient client(*emulated);
    client.open();
    fail_unless(client.ask(id).succeeded());
    if (id == 6155) (void)client.next(6155);
    fail_unless(client.socket().receive().empty(), "%d: it stays", id);
  }
}
GST_END_TEST;

GST_START_TEST(faults_of_the_data_port) {
  const std::string file(300000, 'f');
  const std::string all = R"(,"param":"/tmp/SD0/DCIM/A.MP4","offset":"0","fetch_size":0)";
  const auto emulated = started(control_only());
  write_file(emulated->card_folder() + "/DCIM/A.MP4", file);
  ControlClient client(*emulated);
  client.open();
  const auto execute = [&](const char* line) {
    fail_unless(bool(emulated->execute(line)), "%s", line);
  };
  {
    execute("fault wrong-md5");
    Socket data(emulated->ports().data);
    fail_unless(client.ask(1285, all).succeeded());
    fail_unless(data.receive(file.size()) == file);
    const Message done = client.next(7);
    fail_unless(done.entries("param").back().second != md5_of(file));
    execute("clear wrong-md5");
    fail_unless(client.ask(1285, all).succeeded());
    (void)data.receive(file.size());
    same(client.next(7).entries("param").back().second, md5_of(file));
  }
  {
    execute("fault short-file:10");
    Socket data(emulated->ports().data);
    const Message answer = client.ask(1285, all);
    fail_unless_equals_int(*answer.number("size"), file.size());
    const Message done = client.next(7);
    same(done.entries("param").front().second, std::to_string(file.size() - 10));
    (void)data.receive(file.size() - 10);
    fail_unless(!data.ended_within(1ms));
    execute("clear all");
  }
  {
    execute("fault cut-data:100");
    Socket data(emulated->ports().data);
    fail_unless(client.ask(1285, all).succeeded());
    (void)data.receive(100 << 10);
    fail_unless(data.receive().empty());
    same(*client.next(7).text("type"), "get_file_fail");
    execute("clear all");
  }
  {
    // 300,000 bytes with 1000 KiB a second.
    execute("fault slow-data:1000");
    Socket data(emulated->ports().data);
    const gint64 begin = g_get_monotonic_time();
    fail_unless(client.ask(1285, all).succeeded());
    fail_unless(data.receive(file.size()) == file);
    const gint64 time = g_get_monotonic_time() - begin;
    fail_unless(time > 200000, "it took only %d us", static_cast<int>(time));
    (void)client.next(7);
  }
}
GST_END_TEST;

GST_START_TEST(faults_of_http) {
  const std::string file(300000, 'f');
  const auto emulated = started(control_only());
  write_file(emulated->card_folder() + "/DCIM/A.MP4", file);
  const auto get = [&](const std::string& more) {
    Socket web(emulated->ports().http);
    web.send("GET /A.MP4 HTTP/1.1\r\nHost: camera\r\nConnection: close\r\n" + more + "\r\n");
    std::string answer;
    for (std::string some = web.receive(); !some.empty(); some = web.receive()) answer += some;
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  fail_unless(get("") == file);
  fail_unless(bool(emulated->execute("fault http-cut:100")));
  fail_unless_equals_int(get("").size(), 100 << 10);
  fail_unless_equals_int(get("Range: bytes=200000-\r\n").size(), 100000);
  fail_unless(bool(emulated->execute("clear all")));
  fail_unless(bool(emulated->execute("fault http-slow:1000")));
  const gint64 begin = g_get_monotonic_time();
  fail_unless(get("") == file);
  const gint64 time = g_get_monotonic_time() - begin;
  fail_unless(time > 200000, "it took only %d us", static_cast<int>(time));
}
GST_END_TEST;

GST_START_TEST(faults_of_the_control_channel) {
  const auto emulated = started(control_only({"joined:100"}));
  ControlClient client(*emulated);
  client.open();
  // An answer and the notifications after it come in one piece.
  client.send(R"({"msg_id":4365,"token":1})");
  while (emulated->counters().requests < 3) g_usleep(100);
  emulated->set_battery(1);
  emulated->set_battery(2);
  const std::string piece = client.socket().receive();
  fail_unless(piece.find("4365") != std::string::npos, "%s", piece.c_str());
  fail_unless(std::ranges::count(piece, '}') == 3, "%s", piece.c_str());
  fail_unless(bool(emulated->execute("clear joined")));

  // A dead connection stays open; the next one is served.
  fail_unless(bool(emulated->execute("fault half-open:0")));
  client.send(R"({"msg_id":4365,"token":1})");
  fail_unless(!client.socket().ended_within(50ms));
  ControlClient next(*emulated);
  next.open();
  fail_unless(!client.socket().ended_within(1ms));
  // The camera restarts by itself.
  fail_unless(bool(emulated->execute("fault reboot:0s")));
  fail_unless(next.socket().receive().empty());
  fail_unless(!emulated->execute("nonsense"));
}
GST_END_TEST;

GST_START_TEST(formatting_empties_a_temporary_card_alone) {
  for (const bool temporary : {true, false}) {
    EmulatorOptions options = control_only();
    g_autofree char* folder = g_dir_make_tmp("sphere-test-XXXXXX", nullptr);
    if (!temporary) options.card_folder = folder;
    const auto emulated = started(std::move(options));
    const std::string dcim = emulated->card_folder() + "/DCIM";
    fail_unless(g_mkdir((dcim + "/20200101").c_str(), 0700) == 0);
    const std::string path = dcim + "/20200101/A.JPG";
    write_file(path, "a photo");
    write_file(emulated->card_folder() + "/other", "a file");
    ControlClient client(*emulated);
    client.open();
    fail_unless_equals_int(*client.ask(4, R"(,"param":"d")").rval(), -14);
    fail_unless(client.ask(4, R"(,"param":"c")").succeeded());
    fail_unless(g_file_test(path.c_str(), G_FILE_TEST_EXISTS) != temporary);
    fail_unless(g_file_test((emulated->card_folder() + "/other").c_str(), G_FILE_TEST_EXISTS) !=
                temporary);
    fail_unless(g_file_test(dcim.c_str(), G_FILE_TEST_IS_DIR));
  }
}
GST_END_TEST;

static Suite* emulator_commands_suite() {
  Suite* suite = suite_create("emulator_commands");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, each_row_is_answered);
  tcase_add_test(tcase, the_state_notifies);
  tcase_add_test(tcase, thumbnails_come_over_the_data_port);
  tcase_add_test(tcase, what_is_no_firmware_is_not_sent);
  tcase_add_test(tcase, an_application_sends_only_firmware);
  tcase_add_test(tcase, firmware_is_uploaded_and_flashed);
  tcase_add_test(tcase, an_upload_that_breaks_off);
  tcase_add_test(tcase, the_last_answer_comes_before_the_end);
  tcase_add_test(tcase, faults_of_the_data_port);
  tcase_add_test(tcase, faults_of_http);
  tcase_add_test(tcase, faults_of_the_control_channel);
  tcase_add_test(tcase, formatting_empties_a_temporary_card_alone);
  return suite;
}

SIDE_BY_SIDE_MAIN(emulator_commands)

// SPDX-License-Identifier: LGPL-2.1-or-later
// The sister camera SJ8 Pro of the emulator: published sessions with a real one, replayed; and what
// they don't contain.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gst/rtsp/rtsp.h>

#include "hw/madv/emulator/control.h"
#include "hw/madv/message.h"
#include "tests/check/emulator.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using emulator::Card;
using madv::Message;
using madv_emulator::Action;
using madv_emulator::Control;
using madv_emulator::ControlSettings;
using test::same;

namespace {

/// The camera's side of a connection, with a session.
class Sister {
 public:
  Sister() : card_(Card::open("", madv::card_root)) {
    fail_unless(bool(card_));
    ControlSettings settings;
    settings.model = madv_emulator::Model::sj8_pro;
    settings.now = [] { return madv_emulator::Delay{}; };
    control_.emplace(settings, *card_);
    control_->connected(1);
  }
  void ask(const std::string& request) { control_->received(1, request); }
  std::vector<std::string> answers() {
    std::vector<std::string> all;
    for (Action& action : control_->take_actions()) {
      if (action.kind == Action::Kind::send) all.push_back(std::move(action.bytes));
      if (action.kind == Action::Kind::take_photo) photo_ = action.bytes;
      if (action.kind != Action::Kind::stop_recording) continue;
      // As the owner does it when the file is closed.
      control_->recording_saved("/tmp/SD0/DCIM/a.MP4", true, 1000);
      for (Action& later : control_->take_actions()) all.push_back(std::move(later.bytes));
    }
    return all;
  }
  /// The only answer.
  std::string answer(const std::string& request) {
    ask(request);
    const std::vector<std::string> all = answers();
    fail_unless(all.size() == 1, "%zu answers to %s", all.size(), request.c_str());
    return all[0];
  }
  void start() {
    ask(R"({"msg_id":257,"token":0})");
    answers();
  }
  Control& control() { return *control_; }
  const std::string& photo() const { return photo_; }

 private:
  Result<Card> card_;
  std::optional<Control> control_;
  std::string photo_;
};

}  // namespace

GST_START_TEST(published_sessions_are_repeated) {
  g_autofree char* path =
      g_build_filename(g_getenv("SPHERE_SHARED"), "data", "sj8-sessions.txt", nullptr);
  g_autofree char* contents = nullptr;
  if (!g_file_get_contents(path, &contents, nullptr, nullptr)) {
    g_print("SKIP: %s is not here\n", path);
    return;
  }
  std::optional<Sister> camera;
  std::vector<std::string> pending;
  int messages = 0, identical = 0, sessions = 0;
  bool begins = false;
  g_auto(GStrv) lines = g_strsplit(contents, "\n", -1);
  for (char** l = lines; *l; ++l) {
    const std::string line = *l;
    if (line.starts_with("##")) {
      messages += static_cast<int>(pending.size());  // answers too many
      pending.clear();
      camera.emplace();
      begins = true;
      ++sessions;
    }
    const bool from_camera = line.find(" << ") < 12, from_client = line.find(" >> ") < 12;
    if (!from_camera && !from_client) continue;
    const std::string json = line.substr(line.find('{'));
    if (from_client) {
      // Two of the captures begin within a session.
      if (begins && json.find("\"msg_id\":257,") == std::string::npos) camera->start();
      begins = false;
      camera->ask(json);
      for (std::string& answer : camera->answers()) pending.push_back(std::move(answer));
      continue;
    }
    ++messages;
    const auto found = std::ranges::find(pending, json);
    if (found == pending.end()) {
      g_print("not said: %.100s\n", json.c_str());
      continue;
    }
    ++identical;
    pending.erase(found);
  }
  messages += static_cast<int>(pending.size());
  g_print("%d of %d messages in %d sessions are identical\n", identical, messages, sessions);
  fail_unless_equals_int(sessions, 3);
  fail_unless(messages >= 85 && identical * 100 >= messages * 95, "%d of %d", identical, messages);
}
GST_END_TEST;

GST_START_TEST(settings_are_kept_and_wrong_values_refused) {
  Sister camera;
  camera.start();
  same(camera.answer(R"({"param":"Cloudy","msg_id":2,"type":"White Balance","token":2})"),
       R"({"rval":0,"msg_id":2,"type":"White Balance"})");
  same(camera.answer(R"({"msg_id":1,"type":"White Balance","token":2})"),
       R"({"rval":0,"msg_id":1,"type":"White Balance","param":"Cloudy"})");
  fail_unless(camera.answer(R"({"msg_id":3,"token":2})").find(R"({"White Balance":"Cloudy"})") !=
              std::string::npos);
  same(camera.answer(R"({"param":"Purple","msg_id":2,"type":"White Balance","token":2})"),
       R"({"rval":-25,"msg_id":2,"type":"White Balance"})");
  same(camera.answer(R"({"param":"no such","msg_id":9,"token":2})"), R"({"rval":-25,"msg_id":9})");
  // The commands of the Mi Sphere are not its own.
  same(camera.answer(R"({"msg_id":4364,"token":2})"), R"({"rval":-23,"msg_id":4364})");
  camera.answer(R"({"param":"OK","msg_id":2,"type":"Default Setting","token":2})");
  same(camera.answer(R"({"msg_id":1,"type":"White Balance","token":2})"),
       R"({"rval":0,"msg_id":1,"type":"White Balance","param":"Auto"})");
}
GST_END_TEST;

GST_START_TEST(the_mode_decides_which_settings_there_are) {
  Sister camera;
  camera.start();
  const auto mode = [&](const char* name) {
    camera.ask(std::string(R"({"param":")") + name +
               R"(","msg_id":2,"type":"camera_mode","token":2})");
    return camera.answers();
  };
  fail_unless(mode("normal_capture") ==
              std::vector<std::string>({R"({"rval":0,"msg_id":2,"type":"camera_mode"})",
                                        R"({"msg_id":7,"type":"normal_capture"})"}));
  const std::string settings = camera.answer(R"({"msg_id":2053,"token":2})");
  fail_unless(settings.find("\"Photo ISO\"") != std::string::npos &&
                  settings.find("\"RAW\"") != std::string::npos &&
                  settings.find("\"Resolution\"") == std::string::npos,
              "%s", settings.c_str());
  fail_unless_equals_int(static_cast<int>(mode("no_such_mode").size()), 1);
  same(camera.answer(R"({"msg_id":1,"type":"camera_mode","token":2})"),
       R"({"rval":0,"msg_id":1,"type":"camera_mode","param":"normal_capture"})");
}
GST_END_TEST;

GST_START_TEST(a_photo_is_told_with_its_path) {
  Sister camera;
  camera.start();
  camera.ask(R"({"msg_id":769,"token":2})");
  fail_unless(
      camera.answers() ==
      std::vector<std::string>({R"({"rval":0,"msg_id":769})", R"({"msg_id":7,"type":"vf_stop"})",
                                R"({"msg_id":7,"type":"start_capture"})"}));
  fail_unless(camera.photo().starts_with("/tmp/SD0/DCIM/100MEDIA/") &&
              camera.photo().ends_with(".JPG"));
  same(camera.answer(R"({"msg_id":769,"token":2})"), R"({"rval":-21,"msg_id":769})");
  camera.control().photo_taken(camera.photo(), true);
  const std::vector<std::string> told = camera.answers();
  fail_unless(told.size() == 1);
  same(told[0], R"({"msg_id":7,"type":"photo_taken","param":")" + camera.photo() + "\"}");
  // A second recording, and the end of one that is not made.
  camera.ask(R"({"msg_id":513,"token":2})");
  camera.answers();
  same(camera.answer(R"({"msg_id":513,"token":2})"), R"({"rval":-1,"msg_id":513})");
  camera.ask(R"({"msg_id":514,"token":2})");
  camera.answers();
  same(camera.answer(R"({"msg_id":514,"token":2})"), R"({"rval":-14,"msg_id":514})");
}
GST_END_TEST;

GST_START_TEST(the_preview_answers_as_a_camera) {
  const auto camera = test::started(test::with_preview());
  const std::string url = "rtsp://127.0.0.1:" + std::to_string(camera->ports().rtsp) + "/live";
  GstRTSPUrl* parsed = nullptr;
  fail_unless(gst_rtsp_url_parse(url.c_str(), &parsed) == GST_RTSP_OK);
  GstRTSPConnection* connection = nullptr;
  fail_unless(gst_rtsp_connection_create(parsed, &connection) == GST_RTSP_OK);
  gst_rtsp_url_free(parsed);
  constexpr gint64 patience = 60 * G_USEC_PER_SEC;
  fail_unless(gst_rtsp_connection_connect_usec(connection, patience) == GST_RTSP_OK);
  struct Answer {
    int status;
    std::string methods, transport, body;
  };
  const auto ask = [&](GstRTSPMethod method, const std::string& of, const char* transport) {
    GstRTSPMessage message = {};
    gst_rtsp_message_init_request(&message, method, of.c_str());
    if (transport) gst_rtsp_message_add_header(&message, GST_RTSP_HDR_TRANSPORT, transport);
    fail_unless(gst_rtsp_connection_send_usec(connection, &message, patience) == GST_RTSP_OK);
    gst_rtsp_message_unset(&message);
    fail_unless(gst_rtsp_connection_receive_usec(connection, &message, patience) == GST_RTSP_OK);
    // A list is divided at its commas.
    const auto header = [&](GstRTSPHeaderField field) {
      std::string all;
      char* value = nullptr;
      for (int i = 0; gst_rtsp_message_get_header(&message, field, &value, i) == GST_RTSP_OK; ++i)
        all += (i ? ", " : "") + std::string(value);
      return all;
    };
    GstRTSPStatusCode status = GST_RTSP_STS_INVALID;
    gst_rtsp_message_parse_response(&message, &status, nullptr, nullptr);
    guint8* body = nullptr;
    guint size = 0;
    gst_rtsp_message_get_body(&message, &body, &size);
    const Answer answer{status, header(GST_RTSP_HDR_PUBLIC), header(GST_RTSP_HDR_TRANSPORT),
                        std::string(reinterpret_cast<char*>(body), size)};
    gst_rtsp_message_unset(&message);
    return answer;
  };

  same(ask(GST_RTSP_OPTIONS, url, nullptr).methods,
       "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER");
  const std::string sdp = ask(GST_RTSP_DESCRIBE, url, nullptr).body;
  // As in the capture, without the numbers of the session and of the stream's form.
  std::string kinds;
  g_auto(GStrv) lines = g_strsplit(sdp.c_str(), "\r\n", -1);
  for (char** l = lines; *l && **l; ++l) {
    const std::string line = *l;
    kinds += line.starts_with("o=") ? "o=" : line.substr(0, line.find("profile-level-id="));
    kinds += "\n";
  }
  same(kinds,
       "v=0\no=\ns=Ambarella streaming\ni=Ambarella streaming\nt=0 0\n"
       "a=tool:Ambarella streaming 2012.03.12\na=type:broadcast\na=control:*\na=range:npt=0-\n"
       "a=x-qt-text-nam:Ambarella streaming\na=x-qt-text-inf:Ambarella streaming\n"
       "m=video 0 RTP/AVP 96\nc=IN IP4 0.0.0.0\nb=AS:10000\na=rtpmap:96 H264/90000\n"
       "a=fmtp:96 packetization-mode=1;\na=control:track1\n");
  fail_unless(sdp.find("sprop-parameter-sets=Z") != std::string::npos, "%s", sdp.c_str());
  const Answer setup =
      ask(GST_RTSP_SETUP, url + "/track1", "RTP/AVP;unicast;client_port=48614-48615");
  fail_unless_equals_int(setup.status, 200);
  fail_unless(setup.transport.find("server_port=") != std::string::npos);
  gst_rtsp_connection_close(connection);
  gst_rtsp_connection_free(connection);
}
GST_END_TEST;

static Suite* sister_suite() {
  Suite* suite = suite_create("emulator_sister");
  TCase* tc = tcase_create("sister");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, published_sessions_are_repeated);
  tcase_add_test(tc, settings_are_kept_and_wrong_values_refused);
  tcase_add_test(tc, the_mode_decides_which_settings_there_are);
  tcase_add_test(tc, a_photo_is_told_with_its_path);
  tcase_add_test(tc, the_preview_answers_as_a_camera);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(sister)

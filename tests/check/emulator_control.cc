// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel of the emulated camera with a clock of the test: photos, recordings,
// settings, power and faults. No sockets, no waiting.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/md5.h"
#include "tests/check/emulator_rig.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;
using madv::Message;
using madv_emulator::ControlSettings;
using test::Rig;
using test::same;

namespace {

constexpr const char* video_mode = R"("param":"0")";
constexpr const char* photo_mode = R"("param":"1")";

}  // namespace

// --- recordings ------------------------------------------------------------------------------

GST_START_TEST(each_kind_of_recording) {
  struct Case {
    int start, setting, value, working_mode, sub_mode;
  };
  for (const Case& c :
       {Case{513, 0, 0, 3, 0}, Case{4620, 4618, 20, 4, 1}, Case{4623, 4621, 5, 5, 2},
        Case{5028, 4916, 2, 13, 3}, Case{5026, 4914, 1, 3, 0}}) {
    Rig rig;
    if (c.setting) fail_unless_equals_int(rig.set(c.setting, c.value), 0);
    rig.heard();
    fail_unless_equals_int(rig.rval(c.start), 0);
    same(rig.heard(), "");
    fail_unless_equals_int(rig.recorded.start, c.start);
    fail_unless_equals_int(rig.recorded.value, c.value);
    fail_unless(rig.recording.ends_with("AA.MP4"));
    rig.pass(3500ms);
    fail_unless_equals_int(rig.status("status"), c.working_mode);
    fail_unless_equals_int(rig.status("sub_mode"), c.sub_mode);
    fail_unless_equals_int(rig.status("rec_time"), 3);
    fail_unless_equals_int(*rig.ask(515).param_number(), 3);
    fail_unless_equals_int(*rig.ask(4362).param_number(), c.working_mode);
    // Neither a second one, nor another mode, nor a photo.
    fail_unless_equals_int(rig.rval(c.start), -14);
    fail_unless_equals_int(rig.rval(4611, photo_mode), -14);
    fail_unless_equals_int(rig.rval(4864), -21);
    fail_unless_equals_int(rig.rval(4625), 0);
    fail_unless_equals_int(rig.control.counters().marks, 1);
    fail_unless_equals_int(rig.rval(514), 0);
    fail_unless_equals_int(rig.stops, 1);
    fail_unless_equals_int(rig.status("status"), 0);
    rig.recording_saved();
    same(rig.heard(), "8192");
    fail_unless_equals_int(rig.rval(514), -14);
    fail_unless_equals_int(rig.rval(4625), -14);
    fail_unless_equals_int(rig.rval(4611, photo_mode), 0);
    fail_unless_equals_int(rig.rval(c.start), -56);
  }
}
GST_END_TEST;

GST_START_TEST(a_short_video_ends_by_itself) {
  Rig rig;
  fail_unless_equals_int(rig.set(4618, 10), 0);
  rig.heard();
  fail_unless_equals_int(rig.rval(4620), 0);
  rig.pass(9999ms);
  fail_unless_equals_int(rig.stops, 0);
  rig.pass(1ms);
  fail_unless_equals_int(rig.stops, 1);
  same(rig.heard(), "514:0");
  fail_unless_equals_int(rig.status("status"), 0);
  // The end of one that was stopped is not the end of the next one.
  fail_unless_equals_int(rig.rval(4620), 0);
  rig.pass(5s);
  fail_unless_equals_int(rig.rval(514), 0);
  fail_unless_equals_int(rig.rval(513, R"("param":"1")"), 0);
  fail_unless(!rig.recorded.sound);
  rig.pass(60s);
  fail_unless_equals_int(rig.stops, 2);
  fail_unless_equals_int(rig.status("rec_time"), 60);
}
GST_END_TEST;

// --- photos ----------------------------------------------------------------------------------

GST_START_TEST(a_timed_photo_counts_down) {
  Rig rig;
  fail_unless_equals_int(rig.rval(4868), -56);
  (void)rig.ask(4611, photo_mode);
  fail_unless_equals_int(rig.set(4866, 7), 0);
  rig.heard();
  fail_unless_equals_int(rig.rval(4868), 0);
  fail_unless_equals_int(rig.status("status"), 7);
  fail_unless_equals_int(rig.status("timing_c"), 7);
  rig.pass(2500ms);
  fail_unless_equals_int(rig.status("timing_c"), 5);
  fail_unless(rig.photos.empty());
  rig.pass(4500ms);
  fail_unless_equals_int(rig.photos.size(), 1);
  fail_unless_equals_int(rig.status("timing_c"), 0);
  // As a client that was written against a real camera expects it: nothing before 8193.
  same(rig.heard(), "");
  rig.photo_taken();
  same(rig.heard(), "8193");
  fail_unless_equals_int(rig.status("status"), 0);
  // It can be ended before.
  fail_unless_equals_int(rig.rval(4868), 0);
  fail_unless_equals_int(rig.rval(514), 0);
  rig.pass(60s);
  fail_unless(rig.photos.empty());
}
GST_END_TEST;

GST_START_TEST(photos_at_intervals_until_they_are_ended) {
  for (const auto& [stop, more] : {std::pair(5025, R"("param":"-1")"), std::pair(514, ""),
                                   std::pair(5025, R"("param":"-2")")}) {
    Rig rig;
    (void)rig.ask(4611, photo_mode);
    fail_unless_equals_int(rig.set(4929, 10), 0);
    rig.heard();
    fail_unless_equals_int(rig.rval(5025, R"("param":"-1")"), -14);  // there is none
    fail_unless_equals_int(rig.rval(5025), 0);
    same(rig.heard(), "5025:0");
    fail_unless_equals_int(rig.status("status"), 12);
    for (int photo = 1; photo <= 3; ++photo) {
      fail_unless_equals_int(rig.photos.size(), 1);
      rig.pass(1s);
      rig.photo_taken();
      fail_unless_equals_int(*rig.said.back().number("time"), 10);
      same(rig.heard(), "8193 5025:" + std::to_string(photo));
      fail_unless_equals_int(rig.status("cap_interval_num"), photo);
      rig.pass(8999ms);
      fail_unless(rig.photos.empty());
      rig.pass(1ms);
    }
    // During a photo: it is the last one.
    fail_unless_equals_int(rig.rval(stop, more), 0);
    same(rig.heard(), "5025:-2");
    rig.photo_taken();
    same(rig.heard(), "8193 5025:4 5025:-1");
    fail_unless_equals_int(rig.status("status"), 0);
    // Between two photos.
    fail_unless_equals_int(rig.rval(5025), 0);
    rig.photo_taken();
    rig.heard();
    fail_unless_equals_int(rig.rval(stop, more), 0);
    same(rig.heard(), "5025:-1");
    rig.pass(1000s);
    fail_unless(rig.photos.empty());
  }
}
GST_END_TEST;

GST_START_TEST(burst_and_bracketing) {
  Rig rig;
  (void)rig.ask(4611, photo_mode);
  fail_unless_equals_int(rig.set(4915, 6), 0);
  rig.heard();
  fail_unless_equals_int(rig.rval(5027), 0);
  std::set<std::string> paths;
  for (int photo = 1; photo <= 6; ++photo) {
    fail_unless_equals_int(rig.status("status"), 14);
    fail_unless_equals_int(rig.rval(5027), -21);
    paths.insert(rig.photos.front().second);
    rig.photo_taken();
    same(rig.heard(), "8193 5027:" + std::to_string(photo));
  }
  fail_unless(rig.photos.empty() && !paths.empty());
  fail_unless_equals_int(rig.status("status"), 0);

  fail_unless_equals_int(rig.set(4918, 4), 0);
  rig.heard();
  fail_unless_equals_int(rig.rval(5029), 0);
  fail_unless_equals_int(rig.status("status"), 15);
  for (const int exposure : {-4, 0, 4}) {
    fail_unless_equals_int(rig.photos.front().first.exposure, exposure);
    rig.photo_taken();
    fail_unless_equals_int(*rig.said.back().number("sur_exp"), 4);
  }
  same(rig.heard(), "8193 5029:1 8193 5029:2 8193 5029:3");
  fail_unless_equals_int(rig.status("status"), 0);
  // The other meaning of 5029: one photo with one lens.
  fail_unless_equals_int(rig.set(4914, 1), 0);
  rig.heard();
  fail_unless_equals_int(rig.rval(5029), 0);
  fail_unless_equals_int(rig.photos.front().first.value, 1);
  fail_unless(rig.photos.front().first.lens == 1);
  rig.photo_taken();
  same(rig.heard(), "8193");
  fail_unless_equals_int(rig.status("status"), 0);
  // A photo that fails ends a series.
  fail_unless_equals_int(rig.rval(5027), 0);
  rig.photo_taken(false);
  same(rig.heard(), "4354:2");
  fail_unless_equals_int(rig.status("status"), 0);
}
GST_END_TEST;

// --- time without a command ------------------------------------------------------------------

GST_START_TEST(positions_are_checked) {
  Rig rig;
  const auto told = [&](const char* latitude, const char* longitude, const char* altitude) {
    return rig.rval(4917, std::string(R"("lat":")") + latitude + R"(","lon":")" + longitude +
                              R"(","alt":")" + altitude + '"');
  };
  fail_unless_equals_int(told("52.5", "-13.25", "40"), 0);
  for (const auto& [latitude, longitude] :
       {std::pair("91", "0"), std::pair("0", "181"), std::pair("", "1"), std::pair("1", "east")})
    fail_unless_equals_int(told(latitude, longitude, "0"), -14);
  fail_unless_equals_int(rig.rval(4917), -14);
  fail_unless(rig.control.position() == std::vector<std::string>({"52.5", "-13.25", "40"}));
}
GST_END_TEST;

GST_START_TEST(it_goes_to_standby_by_itself) {
  Rig rig;
  fail_unless_equals_int(rig.set(6149, 3), 0);
  rig.heard();
  // What only tells does not count.
  for (int i = 0; i < 17; ++i) {
    rig.pass(10s);
    fail_unless_equals_int(rig.status("status"), 0);
  }
  same(rig.heard(), "");
  rig.pass(10s);
  same(rig.heard(), "4362:1");
  fail_unless_equals_int(rig.status("status"), 1);
  fail_unless_equals_int(rig.rval(6154), 0);
  same(rig.heard(), "4362:0");
  // A recording keeps it awake, also when it has just ended.
  fail_unless_equals_int(rig.rval(513), 0);
  rig.pass(1h);
  fail_unless_equals_int(rig.rval(514), 0);
  rig.recording_saved();
  rig.heard();
  rig.pass(170s);
  same(rig.heard(), "");
  rig.pass(70s);
  same(rig.heard(), "4362:1");
  // Never, if that is set.
  fail_unless_equals_int(rig.rval(6154), 0);
  fail_unless_equals_int(rig.set(6149, 0), 0);
  rig.heard();
  rig.pass(5h);
  same(rig.heard(), "");
}
GST_END_TEST;

GST_START_TEST(it_switches_itself_off_without_a_client) {
  Rig rig;
  fail_unless_equals_int(rig.set(6151, 10), 0);
  rig.pass(2h);
  fail_unless_equals_int(rig.reboots, 0);
  fail_unless_equals_int(rig.rval(258), 0);
  rig.pass(599s);
  fail_unless_equals_int(rig.reboots, 0);
  rig.pass(1s);
  fail_unless_equals_int(rig.reboots, 1);
  // The time counts from there.
  rig.pass(599s);
  fail_unless_equals_int(rig.reboots, 1);
  rig.pass(1s);
  fail_unless_equals_int(rig.reboots, 2);
}
GST_END_TEST;

GST_START_TEST(the_button_is_told_of) {
  Rig rig;
  rig.execute("button");
  same(rig.heard(), "513:0");
  rig.execute("button");
  same(rig.heard(), "514:0");
  rig.execute("set camera-mode 1");
  same(rig.heard(), "4611:1");
  rig.execute("set burst-count 3");
  rig.heard();
  rig.execute("button");
  same(rig.heard(), "5027:0");
  for (int i = 0; i < 3; ++i) rig.photo_taken();
  fail_unless_equals_int(rig.status("status"), 0);
  fail_unless_equals_int(*rig.ask(4915).param_number(), 3);
}
GST_END_TEST;

// --- state and settings ----------------------------------------------------------------------

GST_START_TEST(status_tells_what_is_set) {
  Rig rig;
  // The vendor's sample, where it has values of the vendor's table.
  for (const auto& [name, value] :
       {std::pair("status", 0), std::pair("mode", 0), std::pair("second", 10),
        std::pair("lapse", 1), std::pair("timing", 3), std::pair("timing_c", 0),
        std::pair("cap_interval", 5), std::pair("speedx", 1), std::pair("burst_num", 3),
        std::pair("surroundexp", 1), std::pair("gyro_s", 0), std::pair("sub_mode", 0)})
    fail_unless_equals_int(rig.status(name), value);
  struct Case {
    int id;
    const char* member;
    int value;
    int mode, sub_mode;
    bool zero;  // whether 0 goes back to the ordinary kind
  };
  for (const Case& c :
       {Case{4618, "second", 30, 0, 1, true}, Case{4621, "lapse", 60, 0, 2, true},
        Case{4916, "speedx", 4, 0, 3, true}, Case{4866, "timing", 10, 1, 1, true},
        Case{4929, "cap_interval", 60, 1, 2, true}, Case{4915, "burst_num", 6, 1, 3, true},
        Case{4918, "surroundexp", 5, 1, 4, true}, Case{4914, "sensor_num", 1, 1, 0, false},
        Case{6164, "gyro_s", 1, 1, 0, false}}) {
    (void)rig.ask(4611, c.mode ? photo_mode : video_mode);
    rig.heard();
    fail_unless_equals_int(rig.set(c.id, c.value), 0);
    fail_unless_equals_int(rig.status(c.member), c.value);
    fail_unless_equals_int(rig.status("mode"), c.mode);
    fail_unless_equals_int(rig.status("sub_mode"), c.sub_mode);
    const Message mode = rig.ask(4611);
    fail_unless_equals_int(*mode.number("sub_mode"), c.sub_mode);
    fail_unless_equals_int(*mode.number("sub_mode_param"), c.sub_mode ? c.value : 0);
    if (!c.zero) continue;
    fail_unless_equals_int(rig.set(c.id, 0), 0);
    fail_unless_equals_int(rig.status("sub_mode"), 0);
    fail_unless_equals_int(rig.status(c.member), c.value);
  }
  // Each mode has a kind of its own.
  (void)rig.ask(4611, video_mode);
  fail_unless_equals_int(rig.set(4621, 5), 0);
  (void)rig.ask(4611, photo_mode);
  fail_unless_equals_int(rig.status("sub_mode"), 0);
  rig.heard();
  const Message back = rig.ask(4611, video_mode);
  fail_unless_equals_int(*back.number("sub_mode"), 2);
  fail_unless_equals_int(*back.number("sub_mode_param"), 5);
  // A client that changes it gets no notification besides; one that was written against a real
  // camera takes the next message for the next answer.
  same(rig.heard(), "");
  rig.execute("set camera-mode 1");
  fail_unless_equals_int(*rig.said.front().rval(), 128);
  fail_unless_equals_int(*rig.said.front().number("sub_mode"), 0);
  same(rig.heard(), "4611:1");
}
GST_END_TEST;

GST_START_TEST(read_alls_have_everything) {
  Rig rig;
  fail_unless_equals_int(rig.set(5169, -3), 0);
  fail_unless_equals_int(rig.set(4618, 20), 0);
  const Message all = rig.ask(4363);
  const Message few = rig.ask(4366);
  const Message settings = rig.ask(4364), status = rig.ask(4365), card = rig.ask(4358);
  int members = 0;
  for (const madv::Command& command : madv::commands()) {
    if (*command.settings_member) {
      fail_unless(all.number(command.settings_member) == settings.number(command.settings_member));
      ++members;
    }
    if (*command.status_member) {
      fail_unless(all.number(command.status_member) == status.number(command.status_member));
      fail_unless(few.number(command.status_member) == status.number(command.status_member));
      ++members;
    }
  }
  fail_unless_equals_int(members, 26);
  fail_unless_equals_int(*all.number("still_ev"), -3);
  fail_unless_equals_int(*few.number("second"), 20);
  fail_unless(all.number("sd_free") == card.number("sd_free") && all.text("sn").has_value());
  fail_unless(few.number("battery") == 4 && few.json().size() < all.json().size() / 2);
}
GST_END_TEST;

GST_START_TEST(each_setting_is_kept_as_its_row_says) {
  Rig rig;
  std::map<int, int> given;
  for (const madv::Command& command : madv::commands()) {
    if (!command.is_setting()) continue;
    // Every value that the row has is taken and told, and the last one is another than at first.
    std::vector<int64_t> values;
    for (const madv::Choice& choice : command.value.choices) values.push_back(choice.value);
    if (command.value.kind == madv::Value::Kind::number)
      values.insert(values.end(), {command.value.min, command.value.max});
    for (const int64_t value : values) {
      const bool later_model = command.id == 4612 && (value == 6 || value == 8 || value == 11);
      fail_unless_equals_int(rig.set(command.id, static_cast<int>(value)), later_model ? -14 : 0);
      if (later_model) continue;
      fail_unless_equals_int(*rig.ask(command.id).param_number(), value);
      if (value != *command.factory) given[command.id] = static_cast<int>(value);
    }
    if (given.contains(command.id)) (void)rig.set(command.id, given[command.id]);
    for (const char* wrong : {"99999", "-99999", "x", ""})
      fail_unless_equals_int(rig.rval(command.id, "\"param\":\"" + std::string(wrong) + "\""), -14);
    fail_unless_equals_int(*rig.ask(command.id).param_number(),
                           given.contains(command.id) ? given[command.id] : *command.factory);
  }
  fail_unless_equals_int(rig.set(4612, 99), -14);
  const auto check = [&](auto wanted) {
    for (const madv::Command& command : madv::commands()) {
      if (!command.is_setting() || !given.contains(command.id)) continue;
      const int64_t value = *rig.ask(command.id).param_number();
      fail_unless(value == wanted(command), "%s is %d", command.name, static_cast<int>(value));
    }
  };
  // A new session changes nothing, and switching off what is not kept.
  (void)rig.ask(258);
  rig.control.disconnected(rig.client);
  rig.connect();
  check([&](const madv::Command& c) { return given[c.id]; });
  rig.execute("reboot");
  rig.connect();
  check([&](const madv::Command& c) { return c.kept ? given[c.id] : *c.factory; });
  for (const int reset : {6153, 6152}) {
    fail_unless_equals_int(rig.set(6145, 1), 0);
    rig.heard();
    fail_unless_equals_int(rig.rval(reset), 0);
    same(rig.heard(), reset == 6153 ? "6153" : "");
    check([&](const madv::Command& c) { return *c.factory; });
  }
}
GST_END_TEST;

GST_START_TEST(wifi_and_factory_reset) {
  Rig rig;
  const auto wifi = [&] { return *rig.ask(1539).param_text(); };
  const std::string before = wifi();
  same(before, "AP_SSID=MJXJ-emulator\nAP_PASSWD=12345678\nAP_PUBLIC=no\n");
  fail_unless_equals_int(rig.rval(5634, R"("ssid":"madv")"), -14);
  fail_unless_equals_int(rig.rval(5634, R"("ssid":"madv","passwd":"1234567")"), -14);
  fail_unless_equals_int(rig.rval(5634, R"("ssid":"madv","passwd":"87654321")"), 0);
  same(wifi(), before);
  fail_unless_equals_int(rig.rval(1542), 0);
  fail_unless_equals_int(rig.rval(1541), 0);
  fail_unless_equals_int(rig.reboots, 0);
  fail_unless_equals_int(rig.rval(1537), 0);
  fail_unless_equals_int(rig.reboots, 1);
  rig.connect();
  const std::string after = "AP_SSID=madv\nAP_PASSWD=87654321\nAP_PUBLIC=no\n";
  same(wifi(), after);
  fail_unless_equals_int(rig.rval(6147, R"("param":"2017-12-16-12-00-04-6")"), 0);
  fail_unless_equals_int(rig.rval(6147, R"("param":"now")"), -14);
  same(rig.control.clock(), "2017-12-16-12-00-04-6");
  (void)rig.ask(6153);
  same(wifi(), after);
  same(rig.control.clock(), "2017-12-16-12-00-04-6");
  (void)rig.ask(6152);
  same(wifi(), before);
  same(rig.control.clock(), "");
  // Off: it comes back later.
  fail_unless_equals_int(rig.rval(1540), 0);
  fail_unless_equals_int(rig.reboots, 2);
  fail_unless(rig.pause == madv_emulator::wifi_off_time);
}
GST_END_TEST;

GST_START_TEST(standby_and_power) {
  Rig rig;
  fail_unless_equals_int(rig.rval(6160), 0);
  same(rig.heard(), "4362:1");
  fail_unless_equals_int(rig.status("status"), 1);
  for (const int refused : {513, 4620, 514, 4, 1281, 6160, 6165})
    fail_unless_equals_int(rig.rval(refused), -14);
  fail_unless_equals_int(rig.set(6145, 1), -14);
  for (const int works : {4358, 4364, 6145, 4097, 1539, 1282})
    fail_unless_equals_int(rig.rval(works), 0);
  fail_unless_equals_int(rig.rval(6154), 0);
  same(rig.heard(), "4362:0");
  fail_unless_equals_int(rig.rval(6154), 0);
  same(rig.heard(), "");
  fail_unless_equals_int(rig.rval(513), 0);
  fail_unless_equals_int(rig.rval(6160), -14);
  fail_unless_equals_int(rig.rval(514), 0);
  fail_unless_equals_int(rig.rval(6161), 0);
  same(rig.heard(), "6161");
  fail_unless_equals_int(rig.rval(6162), 0);
  fail_unless_equals_int(rig.rval(6165), 0);
  fail_unless_equals_int(rig.rval(6155), 0);
  same(rig.heard(), "6155");
  fail_unless_equals_int(rig.reboots, 1);
}
GST_END_TEST;

GST_START_TEST(remote_control) {
  Rig rig;
  for (const int id : {12288, 12294, 12295, 12306}) fail_unless_equals_int(rig.rval(id), 0);
  for (const int set : {12289, 12291}) {
    same(*rig.ask(set + 1).param_text(), "");
    fail_unless_equals_int(rig.rval(set), -14);
    fail_unless_equals_int(rig.rval(set, "\"param\":\"S" + std::to_string(set) + "\""), 0);
  }
  rig.execute("reboot");
  rig.connect();
  same(*rig.ask(12290).param_text(), "S12289");
  same(*rig.ask(12292).param_text(), "S12291");
  (void)rig.ask(12294);
  same(*rig.ask(12290).param_text(), "");
  for (const int id : {12293, 12296, 12297}) fail_unless(rig.ask(id).has("param"));
  for (const int id : {12304, 12305}) fail_unless_equals_int(rig.rval(id), -57);
}
GST_END_TEST;

// --- files -----------------------------------------------------------------------------------

GST_START_TEST(an_upload_is_checked) {
  const std::string file(100000, 'f');
  const auto request = [&](const std::string& md5, const std::string& type) {
    return R"("param":"tmp/SD0/update/MadvSysFW.bin","offset":0,"size":100000,"md5sum":")" + md5 +
           "\"," + type;
  };
  Rig rig;
  fail_unless_equals_int(rig.rval(8), -57);
  for (const std::string& wrong :
       {request(md5_of(file), "\"ftype\":3"), request("x", "\"ftype\":1"),
        std::string(R"("param":"tmp/SD0/update/MadvSysFW.bin","size":0)"),
        request(md5_of(file), "\"more\":1")})
    fail_unless_equals_int(rig.rval(1286, wrong), -14);
  // The notification comes before the next answer.
  const auto result_of = [&](const std::string& asked, const std::string& bytes) {
    fail_unless_equals_int(rig.rval(1286, asked), 0);
    rig.control.data_received(rig.client, std::string_view(bytes).substr(0, 3));
    rig.control.data_received(rig.client, std::string_view(bytes).substr(3));
    const std::vector<Message> all = rig.send(4358);
    fail_unless_equals_int(all.size(), 2);
    fail_unless_equals_int(all[0].id(), 7);
    same(all[0].entries("param").front().first, "bytes received");
    same(all[0].entries("param").front().second, "100000");
    return *all[0].text("type");
  };
  // Both spellings; the vendor's table and its client differ.
  same(result_of(request(md5_of(file), "\"fType\":\"1\""), file), "put_file_complete");
  std::string damaged = file;
  damaged[5] = 'x';
  same(result_of(request(md5_of(file), "\"ftype\":1"), damaged), "put_file_fail");
  same(result_of(request(md5_of(file), "\"ftype\":2"), file), "put_file_complete");
  fail_unless_equals_int(rig.rval(12304), 0);
  fail_unless_equals_int(rig.rval(12305), 0);
  // 1287 ends one.
  fail_unless_equals_int(rig.rval(1286, request(md5_of(file), "\"ftype\":1")), 0);
  fail_unless_equals_int(rig.rval(1286, request(md5_of(file), "\"ftype\":1")), -21);
  rig.control.data_received(rig.client, "12345");
  fail_unless_equals_int(*rig.ask(1287).number("transferred_size"), 5);
  fail_unless(!rig.control.is_uploading(rig.client));
  // The battery must not end during it.
  rig.execute("battery 0");
  fail_unless_equals_int(rig.rval(8), -58);
  rig.execute("battery 0 charging");
  rig.execute("card none");
  fail_unless_equals_int(rig.rval(8), -50);
  rig.execute("card ok");
  fail_unless_equals_int(rig.rval(8), 0);
  fail_unless_equals_int(rig.reboots, 1);
}
GST_END_TEST;

GST_START_TEST(rem_size_has_two_meanings) {
  for (const bool chunk : {false, true}) {
    ControlSettings settings;
    settings.lens_table = std::string(5000, 't');
    Rig rig(chunk ? std::vector{"rem-size-chunk"} : std::vector<const char*>(), settings);
    const Message answer =
        rig.ask(1285, R"("param":"/tmp/FL0/lut/app_lut.bin","offset":"1000","fetch_size":1024)");
    fail_unless_equals_int(*answer.number("rem_size"), chunk ? 1024 : 4000);
    fail_unless_equals_int(*answer.number("size"), 5000);
    fail_unless_equals_int(rig.data.size(), 1024);
  }
}
GST_END_TEST;

// --- what goes wrong -------------------------------------------------------------------------

GST_START_TEST(each_error_of_the_card_and_the_battery) {
  struct Case {
    const char* order;
    const char* heard;
    int video, photo, storage, list;
  };
  for (const Case& c :
       {Case{"card none", "4353:0", -50, -50, -50, -50},
        Case{"card bad", "4353:-1", -59, -59, -59, -59},
        Case{"card full", "4354:2", -17, -17, 0, 0}, Case{"card slow", "", -61, 0, -61, 0},
        Case{"battery 0", "4361:0", -58, 0, 0, 0}}) {
    Rig rig;
    rig.execute(c.order);
    same(rig.heard(), c.heard);
    fail_unless_equals_int(rig.rval(513), c.video);
    fail_unless_equals_int(rig.rval(5028), c.video);
    fail_unless_equals_int(rig.rval(4358), c.storage);
    fail_unless_equals_int(rig.rval(1282), c.list);
    (void)rig.ask(4611, photo_mode);
    fail_unless_equals_int(rig.rval(4864), c.photo);
  }
  // The same as a fault.
  for (const auto& [fault, rval] :
       {std::pair("no-card", -50), std::pair("bad-card", -59), std::pair("card-full", -17),
        std::pair("slow-card", -61), std::pair("low-battery", -58)}) {
    Rig rig({fault});
    fail_unless_equals_int(rig.rval(513), rval);
    rig.execute("clear " + std::string(fault));
    fail_unless_equals_int(rig.rval(513), 0);
  }
}
GST_END_TEST;

GST_START_TEST(what_ends_a_recording) {
  struct Case {
    const char* order;
    const char* heard;
    int stops, abandoned, reboots;
  };
  for (const Case& c :
       {Case{"card slow", "4359 514:0", 1, 0, 0}, Case{"card full", "4354:2 514:0", 1, 0, 0},
        Case{"card none", "4353:0 514:0", 0, 1, 0}, Case{"overheat", "6158", 1, 0, 1}}) {
    Rig rig;
    fail_unless_equals_int(rig.rval(4623), 0);
    rig.execute(c.order);
    same(rig.heard(), c.heard);
    fail_unless_equals_int(rig.stops, c.stops);
    fail_unless_equals_int(rig.abandoned, c.abandoned);
    fail_unless_equals_int(rig.reboots, c.reboots);
    if (c.reboots) rig.connect();
    fail_unless_equals_int(rig.status("status"), 0);
  }
}
GST_END_TEST;

GST_START_TEST(faults_count_requests_or_seconds) {
  // The restart comes with the last of the requests.
  for (const int count : {1, 20}) {
    Rig rig;
    rig.execute("fault reboot:" + std::to_string(count));
    for (int i = 1; i <= count; ++i) {
      fail_unless_equals_int(rig.reboots, 0);
      fail_unless_equals_int(rig.rval(4365), 0);
    }
    fail_unless_equals_int(rig.reboots, 1);
    rig.connect();
    for (int i = 0; i < 50; ++i) (void)rig.ask(4365);
    fail_unless_equals_int(rig.reboots, 1);
  }
  // Without a request.
  for (const char* at_start : {"", "reboot:20s"}) {
    Rig rig(*at_start ? std::vector{at_start} : std::vector<const char*>());
    if (!*at_start) rig.execute("fault reboot:20s");
    rig.pass(19999ms);
    fail_unless_equals_int(rig.reboots, 0);
    rig.pass(1ms);
    fail_unless_equals_int(rig.reboots, 1);
    rig.pass(100s);
    fail_unless_equals_int(rig.reboots, 1);
  }
  Rig rig;
  rig.execute("fault busy:5s");
  fail_unless_equals_int(rig.rval(4365), -21);
  rig.pass(5s);
  fail_unless_equals_int(rig.rval(4365), 0);
  rig.execute("fault busy:2");
  for (const int rval : {-21, -21, 0}) fail_unless_equals_int(rig.rval(4365), rval);
  rig.execute("fault silent:3s");
  fail_unless_equals_int(rig.rval(4365), 0);
  rig.pass(3s);
  fail_unless(rig.send(4365).empty());
  rig.execute("clear all");
  fail_unless_equals_int(rig.rval(4365), 0);
  // A dead connection: the next one is served.
  rig.execute("fault half-open:1");
  fail_unless_equals_int(rig.rval(4365), 0);
  fail_unless(rig.send(4365).empty() && rig.send(4365).empty());
  rig.connect();
  fail_unless_equals_int(rig.rval(4365), 0);
}
GST_END_TEST;

GST_START_TEST(orders_are_checked) {
  Rig rig;
  for (const char* wrong :
       {"x",       "fault",          "fault x",     "fault late:2s", "clear",
        "clear x", "battery",        "battery 5",   "battery x",     "battery 1 full",
        "card",    "card wet",       "set led",     "set led 2",     "set x 1",
        "notify",  "notify led x y", "notify beep", "reboot now",    "button 2"}) {
    const Status done = madv_emulator::execute(rig.control, wrong);
    fail_unless(!done && !done.error().message.empty(), "'%s' was taken", wrong);
  }
  for (const char* fine : {"", "  ", "battery 3", " card\tok ", "set led 0\r"}) rig.execute(fine);
  rig.heard();
  rig.execute("notify segment-saved C:\\DCIM\\a.MP4");
  same(*rig.said.front().param_text(), "C:\\DCIM\\a.MP4");
  fail_unless_equals_int(*rig.said.front().rval(), 128);
  rig.execute("notify card-too-slow");
  rig.execute("notify segmented-recording-failed");
  rig.execute("notify overheated");
  rig.execute("notify working-mode 3");
  same(rig.heard(), "8195 4359 4626 6158 4362:3");
  fail_unless_equals_int(*rig.ask(6156).param_number(), 0);
  // Each of the list is understood in some form.
  fail_unless_equals_int(madv_emulator::order_list().size(), 9);
}
GST_END_TEST;

GST_START_TEST(calls_of_a_client_that_was_written_for_a_real_camera) {
  // What pysphere sends, with its values; in this order, so that the modes are right.
  const auto ok = [](Rig& rig, int id, const std::string& more = "") {
    const int rval = rig.rval(id, more);
    fail_unless(rval == 0, "%d %s: %d", id, more.c_str(), rval);
  };
  const auto value = [](int number) { return "\"param\":\"" + std::to_string(number) + "\""; };
  Rig rig;
  for (const int id : {4365, 4358, 4364}) ok(rig, id);
  ok(rig, 4611, value(1));
  for (const int id : {4866, 4929, 4918}) {
    ok(rig, id, value(5));
    ok(rig, id, value(0));
  }
  ok(rig, 4864);
  rig.photo_taken();
  ok(rig, 4868);
  rig.pass(10s);
  rig.photo_taken();
  for (const int id : {4872, 5168, 5169, 5171, 5172}) ok(rig, id, value(0));
  ok(rig, 5171, value(32768 + 30));
  ok(rig, 4611, value(0));
  for (const auto& [id, one] : {std::pair(4618, 20), std::pair(4621, 2), std::pair(4916, 2)}) {
    ok(rig, id, value(one));
    ok(rig, id, value(0));
  }
  for (const int resolution : {0, 1, 2, 7, 9, 10}) ok(rig, 4612, value(resolution));
  for (const int id : {5136, 5137}) ok(rig, id, value(0));
  for (const int start : {5028, 4623}) {
    ok(rig, start);
    ok(rig, 514);
  }
  ok(rig, 4917, R"("lat":"1","lon":"2","alt":"3")");
  for (const auto& [id, one] : {std::pair(6151, 5), std::pair(6145, 0), std::pair(6156, 1)})
    ok(rig, id, value(one));
  ok(rig, 1283, R"("param":"/tmp/SD0/DCIM/")");
  for (const int id : {1282, 4097, 1539, 6165}) ok(rig, id);
  ok(rig, 6147, R"("param":"2017-12-16-12-00-04-6")");
  ok(rig, 6155);
}
GST_END_TEST;

static Suite* emulator_control_suite() {
  Suite* suite = suite_create("emulator_control");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, each_kind_of_recording);
  tcase_add_test(tcase, a_short_video_ends_by_itself);
  tcase_add_test(tcase, a_timed_photo_counts_down);
  tcase_add_test(tcase, photos_at_intervals_until_they_are_ended);
  tcase_add_test(tcase, burst_and_bracketing);
  tcase_add_test(tcase, positions_are_checked);
  tcase_add_test(tcase, it_goes_to_standby_by_itself);
  tcase_add_test(tcase, it_switches_itself_off_without_a_client);
  tcase_add_test(tcase, the_button_is_told_of);
  tcase_add_test(tcase, status_tells_what_is_set);
  tcase_add_test(tcase, read_alls_have_everything);
  tcase_add_test(tcase, each_setting_is_kept_as_its_row_says);
  tcase_add_test(tcase, wifi_and_factory_reset);
  tcase_add_test(tcase, standby_and_power);
  tcase_add_test(tcase, remote_control);
  tcase_add_test(tcase, an_upload_is_checked);
  tcase_add_test(tcase, rem_size_has_two_meanings);
  tcase_add_test(tcase, each_error_of_the_card_and_the_battery);
  tcase_add_test(tcase, what_ends_a_recording);
  tcase_add_test(tcase, faults_count_requests_or_seconds);
  tcase_add_test(tcase, orders_are_checked);
  tcase_add_test(tcase, calls_of_a_client_that_was_written_for_a_real_camera);
  return suite;
}

GST_CHECK_MAIN(emulator_control)

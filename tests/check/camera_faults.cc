// SPDX-License-Identifier: LGPL-2.1-or-later
// The live preview while the camera has each of its faults: the pictures go on, or they are back
// soon after the camera is.

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/check/bus.h"
#include "tests/check/camera.h"
#include "tests/check/rtsp_warnings.h"
#include "tests/check/side_by_side.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

/// From the camera's return to the next picture.
constexpr double most_seconds = 5;

constexpr const char* usual_options = "protocols=tcp timeout=60";

double now() { return static_cast<double>(g_get_monotonic_time()) / G_USEC_PER_SEC; }

/// A camera and its preview, which plays.
class Live {
 public:
  explicit Live(const std::string& options = usual_options, bool timing = false)
      : camera(camera_with({}, timing)),
        pipeline("spherecamsrc name=camera latency=0 location=\"" + camera->uri() + "\" " +
                 options + " ! appsink name=sink sync=false"),
        said(pipeline) {
    const double since = now();
    pipeline.play();
    last_ = pull(pipeline, 10);
    // A busy machine needs longer for each connection.
    slower_ = std::max(now() - since - 1, 0.0);
  }

  void execute(const std::string& order) {
    const Status done = camera->execute(order);
    fail_unless(bool(done), "%s", order.c_str());
  }
  bool take_photo() {
    gboolean done = FALSE;
    g_signal_emit_by_name(pipeline.child("camera").get(), "take-photo", &done);
    return done;
  }
  void go_on(int pictures) { last_ = pull(pipeline, pictures, last_); }
  int stat(const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(pipeline.child("camera").get(), "stats", &stats, nullptr);
    int value = -1;
    fail_unless(gst_structure_get_int(stats, name, &value), "%s", name);
    gst_structure_free(stats);
    return value;
  }

  /// Waits for the first picture that comes after the camera has returned.
  void expect_back(const char* what, const std::function<double()>& returned) {
    double since = 0, at = 0;
    do {
      go_on(1);
      at = now();
      since = returned();
    } while (since <= 0 || at <= since);
    check(what, at - since);
  }
  /// The camera is there all the time: the longest time without a picture until it is connected
  /// to again.
  void expect_back_from_cut(const char* what) {
    const int before = stat("connections");
    double longest = 0, last = now();
    for (int more = 5; more > 0; more -= stat("connections") > before) {
      go_on(1);
      longest = std::max(longest, now() - last);
      last = now();
    }
    check(what, longest);
  }
  void expect_back_from_restart(const char* what, const std::function<void()>& restart) {
    const double asked = now();
    restart();
    expect_back(what, [&] {
      const double back = std::chrono::duration<double>(camera->back_since()).count();
      return back > asked ? back : 0;
    });
  }
  void clear() {
    cleared_ = now();
    execute("clear all");
  }
  void expect_back_from_clearing(const char* what) {
    // What had come before the loss.
    const GstRef<GstElement> sink = pipeline.child("sink");
    while (SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 0))) {
    }
    clear();
    expect_back(what, [this] { return cleared_; });
  }

  const std::unique_ptr<Emulator> camera;
  Pipeline pipeline;
  BusLog said;

 private:
  void check(const char* what, double seconds) const {
    g_print("%s: a picture after %.2f s\n", what, seconds);
    fail_unless(seconds < most_seconds + slower_, "%s: a picture after %.2f s", what, seconds);
  }

  GstClockTime last_ = GST_CLOCK_TIME_NONE;
  double slower_ = 0, cleared_ = 0;
};

/// Faults that the preview does not need to notice.
constexpr const char* harmless[] = {
    "late:200",   "split",      "joined",      "chatty",       "busy:2",     "no-card",
    "card-full",  "slow-card",  "bad-card",    "low-battery",  "no-table",   "bad-table",
    "no-data",    "cut-data:0", "slow-data:1", "wrong-md5",    "short-file", "rem-size-chunk",
    "http-cut:0", "http-slow",  "refuse",      "rtp-loss:100", "rtp-mtu:20", "rtsp-404",
    "rtsp-401",   "rtsp-453"};
/// Those that end the control connection, ...
constexpr const char* ending[] = {"garbage", "huge", "brackets", "wrong-token:0", "drop:0"};
/// ... or leave it dead, which is noticed when an answer does not come.
constexpr const char* deaf[] = {"silent", "half-open:0"};
/// Those that end the preview. Each has a test of its own.
constexpr const char* cutting[] = {"reboot", "rtsp-gone"};

/// Until the camera takes a photo again.
void expect_photo(Live& live, const char* fault, double within) {
  const double since = now();
  while (!live.take_photo()) {
    fail_unless(now() - since < within, "%s: no photo for %.1f s", fault, now() - since);
    live.go_on(5);
  }
}

void expect_pictures(const char* fault, double photo_within) {
  Live live;
  // Of signals; the preview keeps the one with which it was started.
  g_object_set(live.pipeline.child("camera").get(), "timeout", 1, nullptr);
  live.execute("fault " + std::string(fault));
  (void)live.take_photo();
  live.go_on(30);
  live.clear();
  expect_photo(live, fault, photo_within);
  live.go_on(5);
  fail_unless(live.stat("connections") == 1 && live.stat("losses") == 0, "%s: %s", fault,
              live.said.all().c_str());
  fail_unless_equals_int(live.said.count("error: "), 0);
}

}  // namespace

GST_START_TEST(no_fault_is_forgotten) {
  std::set<std::string> tried;
  const auto add = [&](const auto& names) {
    for (const char* name : names) tried.insert(madv_emulator::parse_fault(name)->info->name);
  };
  add(harmless);
  add(ending);
  add(deaf);
  add(cutting);
  for (const emulator::FaultInfo* fault : madv_emulator::fault_list())
    fail_unless(tried.contains(fault->name), "%s", fault->name);
}
GST_END_TEST;

GST_START_TEST(pictures_go_on) {
  for (size_t i = static_cast<size_t>(__i__); i < std::size(harmless); i += 3)
    expect_pictures(harmless[i], 5);
}
GST_END_TEST;

GST_START_TEST(pictures_go_on_without_control) {
  for (const char* fault : ending) expect_pictures(fault, 5);
}
GST_END_TEST;

GST_START_TEST(pictures_go_on_with_a_dead_control) { expect_pictures(deaf[__i__], 15); }
GST_END_TEST;

GST_START_TEST(back_after_a_restart) {
  Live live;
  live.expect_back_from_restart("reboot", [&] { live.execute("reboot"); });
  live.go_on(90);
  live.expect_back_from_restart("reboot after a request", [&] {
    live.execute("fault reboot:1");
    (void)live.take_photo();
  });
  live.go_on(90);
  live.expect_back_from_restart("overheating", [&] { live.execute("overheat"); });
  fail_unless_equals_int(live.stat("losses"), 3);
}
GST_END_TEST;

/// The pauses between attempts have grown meanwhile. The camera answers as slowly as a real one.
GST_START_TEST(back_after_a_long_time) {
  Live live(usual_options, true);
  live.expect_back_from_restart("a long restart", [&] { live.camera->reboot(7700ms); });
  fail_unless_equals_int(live.stat("losses"), 1);
}
GST_END_TEST;

GST_START_TEST(back_after_a_cut) {
  Live live;
  live.execute("fault rtsp-gone:3");
  live.expect_back_from_cut("a cut preview");
  live.execute("clear all");
  live.go_on(60);
  live.camera->cut_preview();
  live.expect_back_from_cut("another cut");
}
GST_END_TEST;

GST_START_TEST(back_when_packets_arrive_again) {
  Live live("protocols=udp");
  live.execute("fault rtp-loss:100");
  const double since = now();
  live.said.wait_for("No picture has come");
  g_print("lost packets: noticed after %.2f s\n", now() - since);
  live.expect_back_from_clearing("lost packets");
}
GST_END_TEST;

/// It is in reach again, but has no preview yet, or another client has it.
GST_START_TEST(back_when_the_preview_is) {
  constexpr const char* faults[] = {"rtsp-404", "rtsp-401", "rtsp-453", "refuse"};
  Live live;
  live.execute("fault " + std::string(faults[__i__]));
  live.camera->reboot(0ms);
  live.said.wait_for_count("connection: lost", 4);
  live.expect_back_from_clearing(faults[__i__]);
  fail_unless_equals_int(live.stat("losses"), 1);
}
GST_END_TEST;

/// The sink of the sound holds its first buffer until the pipeline plays, and the pipeline waits
/// for the other sink. The preview can't be closed meanwhile, neither to try TCP nor at the end.
GST_START_TEST(sound_that_waits_for_pictures_holds_up_nothing) {
  const auto camera = camera_with({"rtp-mtu:700"}, false, true);
  const auto line = [&camera](const std::string& more) {
    return "spherecamsrc name=camera latency=0 location=\"" + camera->uri() +
           "\" consent=\"consent/audio,state=(string)given,purpose=(string)live\" " + more +
           " camera.audio ! fakesink camera.video ! appsink name=sink";
  };
  Pipeline pipeline(line("timeout=60"));
  pipeline.play();
  pull(pipeline, 10);
  Pipeline only_udp(line("timeout=3 protocols=udp"));
  only_udp.play();
  fail_unless(only_udp.wait().find("No picture") != std::string::npos);
}
GST_END_TEST;

static Suite* camera_faults_suite() {
  forgive_rtsp();
  Suite* suite = suite_create("camera_faults");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, no_fault_is_forgotten);
  tcase_add_loop_test(tcase, pictures_go_on, 0, 3);
  tcase_add_test(tcase, pictures_go_on_without_control);
  tcase_add_loop_test(tcase, pictures_go_on_with_a_dead_control, 0, 2);
  tcase_add_test(tcase, back_after_a_restart);
  tcase_add_test(tcase, back_after_a_long_time);
  tcase_add_test(tcase, back_after_a_cut);
  tcase_add_test(tcase, back_when_packets_arrive_again);
  tcase_add_loop_test(tcase, back_when_the_preview_is, 0, 4);
  tcase_add_test(tcase, sound_that_waits_for_pictures_holds_up_nothing);
  return suite;
}

SIDE_BY_SIDE_MAIN(camera_faults)

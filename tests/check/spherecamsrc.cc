// SPDX-License-Identifier: LGPL-2.1-or-later
// spherecamsrc against the emulated camera.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "tests/check/camera.h"
#include "tests/check/imperfect.h"
#include "tests/check/listening.h"
#include "tests/check/rtsp_warnings.h"
#include "tests/check/side_by_side.h"

#include <gst/check/gstcheck.h>
#include <gst/rtsp/gstrtsptransport.h>

using namespace sphere;
using namespace std::chrono_literals;
using namespace sphere::test;

GST_START_TEST(preview_is_coded_and_has_a_lens_event) {
  const auto camera = camera_with();
  for (const char* protocols : {"tcp", "udp"}) {
    test::Pipeline pipeline(to_sink(*camera, std::string("latency=0 protocols=") + protocols));
    pipeline.play();
    const test::SampleRef sample = pipeline.pull();
    fail_unless(sample != nullptr);
    const GstStructure* caps = gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0);
    fail_unless(gst_structure_has_name(caps, "video/x-h264"));
    pull(pipeline, 30, GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())));

    const GstRef<GstElement> sink = pipeline.child("sink");
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    const EventRef lens(gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
    const char* profile = nullptr;
    fail_unless(lens && gst_event_parse_sphere_lens(lens.get(), &profile));
    fail_unless_equals_string(profile, "mi-sphere");
    // The camera's own table is in it by now, or will be with a later picture.
    GstClockTime last = GST_CLOCK_TIME_NONE;
    for (;;) {
      const EventRef event(
          gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
      const GValue* table = gst_structure_get_value(gst_event_get_structure(event.get()), "table");
      if (table) {
        fail_unless_equals_int(g_bytes_get_size(static_cast<GBytes*>(g_value_get_boxed(table))),
                               100000);
        break;
      }
      last = pull(pipeline, 1, last);
    }
  }
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(decodebin_and_the_stitcher_take_it) {
  const auto camera = camera_with();
  test::Pipeline pipeline(source(*camera) +
                          " ! decodebin ! cpuspherestitch ! appsink name=sink sync=false");
  pipeline.play();
  pull(pipeline, 10);
}
GST_END_TEST;

GST_START_TEST(live_with_right_timestamps) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera, "latency=70"));
  fail_unless(pipeline.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_NO_PREROLL);
  pipeline.play();
  pull(pipeline, 5);
  const GstRef<GstElement> sink = pipeline.child("sink");
  const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  GstClockTime least = 0, most = 0;
  fail_unless(gst_pad_peer_query(pad.get(), query));
  gst_query_parse_latency(query, &live, &least, &most);
  gst_query_unref(query);
  fail_unless(live && least >= 70 * GST_MSECOND && least < 200 * GST_MSECOND, "%" GST_TIME_FORMAT,
              GST_TIME_ARGS(least));
}
GST_END_TEST;

GST_START_TEST(errors_are_helpful) {
  struct Case {
    std::vector<const char*> faults;
    GQuark domain;
    int code;
    const char* words;
    const char* detail = "";
  };
  for (const Case& c : std::vector<Case>{
           {{"refuse"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY, "another phone"},
           {{"garbage:1"}, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "can't be read"},
           {{"huge:1"}, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "off and on", "longer than"},
           {{"brackets:1"}, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "off and on", "deeper than"},
           {{"drop:2"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "closed the connection"},
           // Before the preview is opened; later, the preview may fail first.
           {{"reboot:1"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "be restarting"},
           {{"wrong-token:1"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "connect again"},
           {{"silent:1"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "in reach of its Wi-Fi"},
           {{"rtsp-404"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "no preview"},
           {{"rtsp-401"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "password"},
           {{"rtsp-453"}, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY, "another client"},
       }) {
    const auto camera = camera_with(c.faults);
    test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
    pipeline.play();
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
    const MessageRef message(
        gst_bus_timed_pop_filtered(bus.get(), test::deadline, GST_MESSAGE_ERROR));
    fail_unless(message != nullptr, "%s: no error", c.faults[0]);
    g_autoptr(GError) error = nullptr;
    g_autofree char* debug = nullptr;
    gst_message_parse_error(message.get(), &error, &debug);
    fail_unless(g_error_matches(error, c.domain, c.code), "%s: %s", c.faults[0], error->message);
    fail_unless(std::string(error->message).find(c.words) != std::string::npos, "%s: %s",
                c.faults[0], error->message);
    // The exact error in the bytes is in the detail for developers.
    fail_unless(to_string(debug).find(c.detail) != std::string::npos, "%s: %s", c.faults[0], debug);
    pipeline.set_state(GST_STATE_NULL);
    expect_all_closed(*camera);
  }

  std::string location;
  {
    const auto camera = camera_with();
    location = camera->uri();
  }
  test::Pipeline nobody("spherecamsrc location=\"" + location + "\" ! fakesink");
  fail_unless(nobody.run().find("does not listen") != std::string::npos);
  // If there is no machine, nobody even refuses the connection.
  const UnreachablePort unreachable;
  test::Pipeline lonely("spherecamsrc timeout=1 location=madv://127.0.0.1:" +
                        std::to_string(unreachable.port()) + " ! fakesink");
  const std::string words = lonely.run();
  fail_unless(words.find("no answer within 1 s") != std::string::npos &&
                  words.find("MJXJ-") != std::string::npos,
              "%s", words.c_str());
  for (const auto& [wrong, words] :
       {std::pair("rtsp://192.168.42.1/live", "madv://"), std::pair("madv://a/?x=1", "'x'"),
        std::pair("madv://a/DCIM/a.MP4", "names a file")}) {
    test::Pipeline pipeline("spherecamsrc location=\"" + std::string(wrong) + "\" ! fakesink");
    fail_unless(pipeline.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
    const std::string error = pipeline.wait();
    fail_unless(error.find(words) != std::string::npos, "%s: %s", wrong, error.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(a_lost_camera_comes_back_and_time_goes_on) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  pipeline.play();
  GstClockTime last = pull(pipeline, 20);
  // The preview alone, then the whole camera.
  camera->cut_preview();
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "lost"); });
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  last = pull(pipeline, 40, last);
  fail_unless_equals_int(camera->counters().sessions_opened, 1);
  camera->reboot(300ms);
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "lost"); });
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  last = pull(pipeline, 60, last);
  fail_unless(camera->counters().sessions_opened >= 2);
  fail_unless(losses(pipeline) >= 2);
  // What is shown now is of now.
  const GstRef<GstClock> clock(gst_element_get_clock(pipeline.element()));
  const GstClockTime now =
      gst_clock_get_time(clock.get()) - gst_element_get_base_time(pipeline.element());
  fail_unless(last < now + GST_SECOND && last + 3 * GST_SECOND > now,
              "%" GST_TIME_FORMAT " is shown at %" GST_TIME_FORMAT, GST_TIME_ARGS(last),
              GST_TIME_ARGS(now));
  pipeline.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(reconnect_delays_grow) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  pipeline.play();
  const GstClockTime last = pull(pipeline, 10);
  // The camera stays away until three pauses were reported.
  camera->reboot(1h);
  std::vector<guint64> pauses;
  expect_message(pipeline, "sphere-connection", [&](auto* s) {
    guint64 pause = 0;
    if (has_state(s, "lost") && gst_structure_get_uint64(s, "pause", &pause))
      pauses.push_back(pause);
    return pauses.size() == 3;
  });
  fail_unless(pauses[0] == 500 * GST_MSECOND);
  // From the beginning of an attempt, which fails at once here; a busy machine takes longer.
  fail_unless(pauses[1] >= 500 * GST_MSECOND && pauses[1] <= GST_SECOND);
  fail_unless(pauses[2] >= 500 * GST_MSECOND && pauses[2] <= 2 * GST_SECOND);
  fail_unless(pauses[2] > pauses[1] || pauses[2] == 500 * GST_MSECOND);
  camera->reboot(0ms);
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  pull(pipeline, 10, last);
  pipeline.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(silent_camera_is_noticed_and_reconnected) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp timeout=5"));
  pipeline.play();
  GstClockTime last = pull(pipeline, 10);
  // The preview continues meanwhile. That noticing it takes 9 s is tested in madv_session, with a
  // clock of its own.
  camera->set_silent(true);
  const gint64 since = g_get_monotonic_time();
  std::thread pulling([&] {
    // The pictures continue without a gap: the preview is not opened again.
    while (camera->counters().sessions_opened < 2) {
      const GstClockTime next = pull(pipeline, 1, last);
      fail_unless(next - last < 2 * GST_SECOND, "a gap of %" GST_TIME_FORMAT,
                  GST_TIME_ARGS(next - last));
      last = next;
    }
  });
  expect_message(pipeline, "sphere-connection", [](auto* s) {
    const char* reason = gst_structure_get_string(s, "reason");
    return has_state(s, "preview-only") && strstr(reason, "does not answer");
  });
  GST_INFO("noticed after %.1f s", static_cast<double>(g_get_monotonic_time() - since) / 1e6);
  camera->set_silent(false);
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  pulling.join();
  pull(pipeline, 10, last);
  fail_unless_equals_int(losses(pipeline), 0);
  pipeline.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(stitcher_uses_the_cameras_own_table) {
  const g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string file = std::string(folder) + "/imperfect.json";
  fail_unless(g_file_set_contents(file.c_str(), test::imperfect_profile, -1, nullptr));
  EmulatorOptions options;
  options.scene.width = 640;
  options.scene.height = 320;
  options.scene.lens = file;
  options.make_table = true;
  const auto camera = started(std::move(options));
  // The same pictures, stitched with the table of the camera, the true lenses and the nominal lens.
  test::Pipeline pipeline(source(*camera, "latency=0 protocols=tcp") +
                          " ! decodebin ! tee name=t ! queue ! cpuspherestitch ! appsink name=sink "
                          "sync=false t. ! queue ! cpuspherestitch lens=" +
                          file +
                          " ! appsink name=true sync=false t. ! queue ! cpuspherestitch "
                          "lens=mi-sphere ! appsink name=nominal sync=false");
  pipeline.play();
  const auto next = [&](const char* name) {
    const GstRef<GstElement> sink = pipeline.child(name);
    const test::SampleRef sample(
        gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), test::deadline));
    fail_unless(sample != nullptr);
    return test::component_of(sample.get(), 0);
  };
  double alike = 0, nominal = 0;
  for (int i = 0; i < 200 && alike < 45; ++i) {
    const test::Component truth = next("true");
    alike = test::psnr(next("sink"), truth);
    nominal = test::psnr(next("nominal"), truth);
  }
  GST_INFO("the table's picture and the true lens's: %.1f dB; the nominal's: %.1f", alike, nominal);
  fail_unless(alike >= 45, "%.1f dB", alike);
  fail_unless(nominal < 30, "%.1f dB", nominal);

  // What went through the stream is the table of that pair, to the byte; check-table holds it
  // against the plan of the pair itself.
  const GstRef<GstElement> stitcher = pipeline.child("t");
  const GstRef<GstPad> pad(gst_element_get_static_pad(stitcher.get(), "sink"));
  const EventRef event(gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  const GValue* value = gst_structure_get_value(gst_event_get_structure(event.get()), "table");
  fail_unless(value != nullptr);
  const auto* bytes = static_cast<GBytes*>(g_value_get_boxed(value));
  const auto made = make_table(*load_profile(file));
  fail_unless(g_bytes_get_size(const_cast<GBytes*>(bytes)) == made->size());
  fail_unless(memcmp(g_bytes_get_data(const_cast<GBytes*>(bytes), nullptr), made->data(),
                     made->size()) == 0);
  pipeline.set_state(GST_STATE_NULL);
  g_remove(file.c_str());
  g_rmdir(folder);
}
GST_END_TEST;

GST_START_TEST(no_secrets_in_logs_and_messages) {
  // Collects all logs and output at the highest level, while the camera sends its secrets.
  static std::mutex mutex;
  static std::string said;
  said.clear();
  const auto keep_text = +[](const char* text) {
    const std::lock_guard lock(mutex);
    said += text;
    said += '\n';
  };
  const auto keep = +[](GstDebugCategory*, GstDebugLevel, const char*, const char*, int, GObject*,
                        GstDebugMessage* message, gpointer) {
    // Writing it out may log, too.
    const char* text = gst_debug_message_get(message);
    const std::lock_guard lock(mutex);
    said += text;
    said += '\n';
  };
  // rtspsrc prints the messages themselves.
  g_set_print_handler(keep_text);
  EmulatorOptions options;
  options.scene.width = 320;
  options.scene.height = 160;
  options.control.token = 1928374650;
  options.control.serial = "SERIALSECRET";
  options.control.ssid = "NAMESECRET";
  options.control.password = "WORDSECRET";
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_add_log_function(keep, nullptr, nullptr);
  gst_debug_set_active(TRUE);
  gst_debug_set_default_threshold(GST_LEVEL_COUNT);
  {
    const auto camera = started(std::move(options));
    // With consent, the serial number and the name of the Wi-Fi are asked for, too.
    test::Pipeline pipeline(
        to_sink(*camera,
                "latency=0 consent=\"consent/device, state=(string)given, purpose=(string)bind; "
                "consent/network, state=(string)given, purpose=(string)bind\""));
    pipeline.play();
    pull(pipeline, 10);
    until_asked(*camera, 4097);
    until_asked(*camera, 1539);
    camera->notify(4097, R"(,"param":"SERIALSECRET")");
    camera->notify(1539, R"(,"param":"ssid=NAMESECRET passwd=WORDSECRET")");
    camera->notify(8193, R"(,"param":"C:\\DCIM\\A.JPG","token":1928374650)");
    expect_message(pipeline, "sphere-notification", [](auto* s) {
      int id = 0;
      return gst_structure_get_int(s, "id", &id) && id == 8193;
    });
    const GString_ dot(
        gst_debug_bin_to_dot_data(GST_BIN(pipeline.element()), GST_DEBUG_GRAPH_SHOW_VERBOSE));
    const GstRef<GstElement> element = pipeline.child("camera");
    GstStructure* stats = nullptr;
    g_object_get(element.get(), "stats", &stats, nullptr);
    const GString_ text(gst_structure_to_string(stats));
    gst_structure_free(stats);
    pipeline.set_state(GST_STATE_NULL);
    keep_text(dot.get());
    keep_text(text.get());
  }
  g_set_print_handler(nullptr);
  gst_debug_remove_log_function(keep);
  gst_debug_set_default_threshold(GST_LEVEL_ERROR);
  const std::lock_guard lock(mutex);
  // Whole bus messages are in the log, too.
  fail_unless(said.find("sphere-notification") != std::string::npos && said.size() > 100000);
  for (const char* secret : {"1928374650", "SERIALSECRET", "NAMESECRET", "WORDSECRET"}) {
    const size_t at = said.find(secret);
    if (at == std::string::npos) continue;
    const size_t begin = said.rfind('\n', at) + 1;
    fail_unless(false, "%s", said.substr(begin, said.find('\n', at) - begin).c_str());
  }
}
GST_END_TEST;

GST_START_TEST(downstream_may_end_it) {
  const auto camera = camera_with();
  test::Pipeline pipeline(source(*camera, "latency=0") + " ! fakesink num-buffers=20 sync=false");
  const std::string error = pipeline.run();
  fail_unless_equals_string(error.c_str(), "");
  expect_all_closed(*camera);
}
GST_END_TEST;

/// As `gst-launch-1.0 -e` does it at Ctrl-C: a muxer gets the end, and the file is complete.
GST_START_TEST(application_may_end_it) {
  const auto camera = camera_with();
  enum class When { playing, connecting, lost };
  for (const When when : {When::playing, When::connecting, When::lost}) {
    test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
    pipeline.play();
    if (when != When::connecting) pull(pipeline, 10);
    if (when == When::lost) {
      camera->reboot(1000s);
      expect_message(pipeline, "sphere-connection",
                     [](const GstStructure* s) { return has_state(s, "lost"); });
    }
    fail_unless(gst_element_send_event(pipeline.element(), gst_event_new_eos()));
    while (pipeline.pull()) {
    }
    const std::string error = pipeline.wait();
    fail_unless_equals_string(error.c_str(), "");
    fail_unless_equals_int(losses(pipeline), when == When::lost ? 1 : 0);
    if (when != When::lost) expect_all_closed(*camera);
  }
}
GST_END_TEST;

/// An application that seeks in whatever it plays. The sink holds a buffer meanwhile.
GST_START_TEST(it_does_not_seek) {
  const auto camera = camera_with({}, false, true);
  test::Pipeline pipeline(
      source(*camera,
             "latency=0 consent=\"consent/audio,state=(string)given,purpose=(string)live\" "
             "camera.audio ! fakesink sync=false camera.video") +
      " ! appsink name=sink sync=false max-buffers=1");
  pipeline.play();
  const GstClockTime last = pull(pipeline, 10);
  fail_if(gst_element_seek_simple(pipeline.element(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  fail_if(gst_element_seek_simple(pipeline.child("camera").get(), GST_FORMAT_TIME,
                                  GST_SEEK_FLAG_FLUSH, 0));
  GstQuery* query = gst_query_new_seeking(GST_FORMAT_TIME);
  gboolean seekable = TRUE;
  fail_unless(gst_element_query(pipeline.element(), query));
  gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
  gst_query_unref(query);
  fail_if(seekable);
  pull(pipeline, 10, last);
  fail_unless_equals_int(losses(pipeline), 0);
}
GST_END_TEST;

GST_START_TEST(without_reconnect_a_loss_is_an_error) {
  for (const bool from_the_start : {true, false}) {
    // A new camera each time, because a restarted one may not listen yet.
    const auto camera = camera_with();
    test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
    const GstRef<GstElement> element = pipeline.child("camera");
    if (from_the_start) g_object_set(element.get(), "reconnect", FALSE, nullptr);
    pipeline.play();
    pull(pipeline, 10);
    g_object_set(element.get(), "reconnect", FALSE, nullptr);
    camera->reboot(0ms);
    fail_unless(!pipeline.wait().empty());
  }
}
GST_END_TEST;

GST_START_TEST(lost_packets) {
  const auto camera = camera_with({"rtp-loss:20"});
  test::Pipeline pipeline(source(*camera, "latency=50 protocols=udp") +
                          " ! decodebin ! appsink name=sink sync=false");
  pipeline.play();
  pull(pipeline, 15);
}
GST_END_TEST;

GST_START_TEST(photos_recordings_and_notifications) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera));
  pipeline.play();
  pull(pipeline, 5);
  expect_message(pipeline, "sphere-camera", [](auto* s) {
    int battery = 0;
    return gst_structure_get_int(s, "battery", &battery) && battery == 100 &&
           g_strcmp0(gst_structure_get_string(s, "card"), "mounted") == 0;
  });
  const GstRef<GstElement> element = pipeline.child("camera");
  gboolean done = FALSE;
  g_signal_emit_by_name(element.get(), "take-photo", &done);
  fail_unless(done);
  expect_message(pipeline, "sphere-notification", [](auto* s) {
    const char* path = gst_structure_get_string(s, "path");
    return path && g_str_has_prefix(path, "/tmp/SD0/DCIM/") && g_str_has_suffix(path, ".JPG");
  });
  g_signal_emit_by_name(element.get(), "start-recording", &done);
  fail_unless(done);
  g_signal_emit_by_name(element.get(), "stop-recording", &done);
  fail_unless(done);
  expect_message(pipeline, "sphere-notification", [](auto* s) {
    const char* path = gst_structure_get_string(s, "path");
    return path && g_str_has_suffix(path, "AA.MP4");
  });
  // Recorded without sound, because no consent was given.
  for (const madv_emulator::Asked& asked : camera->asked()) {
    fail_unless(asked.id != 4097 && asked.id != 1539);
    if (asked.id == 513) fail_unless_equals_string(asked.param.c_str(), "1");
  }
  camera->set_card(-17);
  g_signal_emit_by_name(element.get(), "start-recording", &done);
  fail_unless(!done);
  fail_unless(pipeline.warning().find("card is full") != std::string::npos);
  // In the state NULL, the signal reports a failure and does not block.
  pipeline.set_state(GST_STATE_NULL);
  g_signal_emit_by_name(element.get(), "take-photo", &done);
  fail_unless(!done);
}
GST_END_TEST;

GST_START_TEST(starts_and_stops_any_number_of_times) {
  const auto camera = camera_with();
  test::Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  // ./dev bench uses SPHERE_STARTS=1000. Each start takes as long as the encoder needs.
  const char* asked = g_getenv("SPHERE_STARTS");
  const int count = asked ? std::atoi(asked) : g_getenv("SPHERE_VALGRIND") ? 3 : 40;
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  int files = 0;
  for (int i = 0; i < count; ++i) {
    if (i == 2) files = test::open_files();
    gst_bus_set_flushing(bus.get(), TRUE);
    gst_bus_set_flushing(bus.get(), FALSE);
    pipeline.play();
    // Into the stream, before its first picture, and as soon as the camera has the session.
    if (i % 4 == 0) pull(pipeline, 3);
    if (i % 4 == 1) pull(pipeline, 1);
    if (i % 4 == 2)
      expect_message(pipeline, "sphere-connection",
                     [](auto* s) { return has_state(s, "connected"); });
    if (i % 4 == 3) expect_message(pipeline, "sphere-camera");
    pipeline.set_state(i % 2 ? GST_STATE_READY : GST_STATE_NULL);
  }
  // Stopped so early that perhaps nothing was opened yet.
  for (int i = 0; i < count / 4; ++i) {
    pipeline.play();
    if (i % 2) pipeline.set_state(GST_STATE_PAUSED);
    pipeline.set_state(i % 3 ? GST_STATE_READY : GST_STATE_NULL);
  }
  pipeline.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
  const int opened = camera->counters().sessions_opened;
  GST_INFO("%d starts, %d sessions opened and closed", count + count / 4, opened);
  fail_unless(opened >= count && opened <= count + count / 4, "%d of %d", opened, count);
  // Only what the camera is just closing may still be open.
  for (int i = 0; test::open_files() > files + 8; ++i) {
    fail_unless(i < 10000, "%d files more are open", test::open_files() - files);
    g_usleep(1000);
  }
}
GST_END_TEST;

GST_START_TEST(it_is_a_uri_handler) {
  g_autoptr(GError) error = nullptr;
  GstElement* made =
      gst_element_make_from_uri(GST_URI_SRC, "madv://10.0.0.1:7000/live", nullptr, &error);
  fail_unless(made != nullptr, "%s", error ? error->message : "");
  gst_object_ref_sink(made);
  g_autofree char* location = nullptr;
  g_object_get(made, "location", &location, nullptr);
  fail_unless_equals_string(location, "madv://10.0.0.1:7000/live");
  guint latency = 0;
  int protocols = 0;
  g_object_get(made, "latency", &latency, "protocols", &protocols, nullptr);
  fail_unless(latency == 200);
  fail_unless(protocols == (GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP));
  fail_unless(!gst_uri_handler_set_uri(GST_URI_HANDLER(made), "madv://a/?b=c", &error));
  gst_object_unref(made);
}
GST_END_TEST;

static Suite* spherecamsrc_suite() {
  test::forgive_rtsp();
  Suite* suite = suite_create("spherecamsrc");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, preview_is_coded_and_has_a_lens_event);
  tcase_add_test(tcase, decodebin_and_the_stitcher_take_it);
  tcase_add_test(tcase, live_with_right_timestamps);
  tcase_add_test(tcase, errors_are_helpful);
  tcase_add_test(tcase, a_lost_camera_comes_back_and_time_goes_on);
  tcase_add_test(tcase, reconnect_delays_grow);
  tcase_add_test(tcase, silent_camera_is_noticed_and_reconnected);
  tcase_add_test(tcase, stitcher_uses_the_cameras_own_table);
  tcase_add_test(tcase, no_secrets_in_logs_and_messages);
  tcase_add_test(tcase, downstream_may_end_it);
  tcase_add_test(tcase, application_may_end_it);
  tcase_add_test(tcase, it_does_not_seek);
  tcase_add_test(tcase, without_reconnect_a_loss_is_an_error);
  tcase_add_test(tcase, lost_packets);
  tcase_add_test(tcase, photos_recordings_and_notifications);
  tcase_add_test(tcase, starts_and_stops_any_number_of_times);
  tcase_add_test(tcase, it_is_a_uri_handler);
  return suite;
}

SIDE_BY_SIDE_MAIN(spherecamsrc)

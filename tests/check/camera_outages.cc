// SPDX-License-Identifier: LGPL-2.1-or-later
// What spherecamsrc does, and says, when something between it and its camera goes wrong.

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gst/sphere/base/iterator.h"
#include "tests/check/bus.h"
#include "tests/check/camera.h"
#include "tests/check/listening.h"
#include "tests/check/rtsp_warnings.h"
#include "tests/check/side_by_side.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

template <typename T>
T stat(Pipeline& pipeline, const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(pipeline.child("camera").get(), "stats", &stats, nullptr);
  T value = 0;
  const GValue* held = gst_structure_get_value(stats, name);
  fail_unless(held != nullptr, "%s", name);
  if (G_VALUE_HOLDS_UINT64(held))
    value = static_cast<T>(g_value_get_uint64(held));
  else
    value = static_cast<T>(g_value_get_int(held));
  gst_structure_free(stats);
  return value;
}

void expect_fast_stop(Pipeline& pipeline) {
  const Stopwatch watch;
  pipeline.set_state(GST_STATE_NULL);
  expect_within(watch, 1, "stopping");
}
double in_seconds(GstClockTime time) { return static_cast<double>(time) / GST_SECOND; }

gboolean emit(Pipeline& pipeline, const char* signal) {
  gboolean done = FALSE;
  g_signal_emit_by_name(pipeline.child("camera").get(), signal, &done);
  return done;
}

/// Of what arrives over UDP, so many of a hundred packets get lost.
void lose_udp(Pipeline& pipeline, int percent) {
  const auto added = +[](GstBin*, GstBin*, GstElement* element, gpointer data) {
    GstElementFactory* factory = gst_element_get_factory(element);
    if (g_strcmp0(GST_OBJECT_NAME(factory), "udpsrc") != 0) return;
    const GstRef<GstPad> pad(gst_element_get_static_pad(element, "src"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer share) {
          // The same packets in each run, and not always the ones of key frames.
          static std::atomic<unsigned> packets = 0;
          const bool lost =
              static_cast<int>((packets++ * 2654435761u >> 16) % 100) < GPOINTER_TO_INT(share);
          return lost ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
        },
        data, nullptr);
  };
  g_signal_connect(pipeline.element(), "deep-element-added", G_CALLBACK(added),
                   GINT_TO_POINTER(percent));
}

}  // namespace

/// The loss is reported on the terminal and to the application. Afterwards pictures come at their
/// normal rate, and the gap is no longer than connecting takes.
GST_START_TEST(lost_camera_is_reported_and_reconnected) {
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  BusLog said(pipeline);
  pipeline.play();
  GstClockTime last = pull(pipeline, 20);
  for (const bool whole : {false, true}) {
    const Stopwatch watch;
    if (whole)
      camera->reboot(0ms);
    else
      camera->cut_preview();
    const int times = whole ? 2 : 1;
    // If the whole camera is gone, either the loss of the control or of the preview is noticed
    // first.
    if (whole)
      said.wait_for_count("warning: ", times);
    else
      said.wait_for("preview was interrupted");
    // Pictures that were already sent still arrive; then there is a gap.
    GstClockTime gap = 0, first = last;
    while (gap < 300 * GST_MSECOND) {
      first = last;
      last = pull(pipeline, 1, last);
      gap = last - first;
    }
    // What camera_faults measures more exactly.
    fail_unless(in_seconds(gap) < watch.limit(5), "%" GST_TIME_FORMAT, GST_TIME_ARGS(gap));
    const GstClockTime begin = last;
    last = pull(pipeline, 60, last);
    // 60 pictures take 2 s at 30 pictures a second; a busy machine makes fewer.
    const GstClockTime took = last - begin;
    fail_unless(in_seconds(took) < watch.limit(6), "60 pictures in %" GST_TIME_FORMAT,
                GST_TIME_ARGS(took));
    GST_INFO("a gap of %.2f s, then 60 pictures in %.2f s", static_cast<double>(gap) / GST_SECOND,
             static_cast<double>(took) / GST_SECOND);
    said.wait_for("info: The camera is back after");
    fail_unless_equals_int(stat<int>(pipeline, "losses"), times);
    // One warning for each outage, which says what to do and what the element does.
    fail_unless_equals_int(said.count("warning: "), times);
    fail_unless_equals_int(said.count("made again as soon as"), times);
  }
  fail_unless_equals_int(said.count("connection: lost"), said.count("connection: connecting") - 1);
}
GST_END_TEST;

GST_START_TEST(a_preview_that_works_outlives_its_control) {
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  BusLog said(pipeline);
  pipeline.play();
  GstClockTime last = pull(pipeline, 10);
  // The camera closes the control connection once.
  fail_unless(bool(camera->execute("fault drop")));
  const Stopwatch watch;
  while (camera->counters().sessions_opened < 2) {
    emit(pipeline, "take-photo");
    const GstClockTime next = pull(pipeline, 1, last);
    fail_unless(in_seconds(next - last) < watch.limit(1), "a gap of %" GST_TIME_FORMAT,
                GST_TIME_ARGS(next - last));
    last = next;
  }
  pull(pipeline, 30, last);
  // It is back within a second: no message is needed.
  fail_unless_equals_int(stat<int>(pipeline, "losses"), 0);
  fail_unless_equals_int(stat<int>(pipeline, "connections"), 1);
  fail_unless_equals_int(said.count("The preview goes on"), 0);
  fail_unless_equals_int(said.count("connection: lost"), 0);
  // The camera obeys commands again.
  fail_unless(emit(pipeline, "take-photo"));
}
GST_END_TEST;

GST_START_TEST(timeout_is_kept) {
  const ListeningSocket mute;
  const auto camera = camera_with();
  for (const std::string& location :
       {"madv://127.0.0.1:" + std::to_string(mute.port()),
        "madv://127.0.0.1:" + std::to_string(camera->ports().control) + "/live?rtsp-port=" +
            std::to_string(mute.port()) + "&data-port=" + std::to_string(camera->ports().data)}) {
    Pipeline pipeline("spherecamsrc timeout=1 location=\"" + location + "\" ! fakesink");
    const Stopwatch watch;
    const std::string error = pipeline.run();
    GST_INFO("after %.2f s: %s", watch.seconds(), error.c_str());
    fail_unless(watch.seconds() >= 0.9, "%s: %s", location.c_str(), error.c_str());
    expect_within(watch, 2, location.c_str());
    fail_unless(error.find("within 1 s") != std::string::npos, "%s", error.c_str());
    expect_fast_stop(pipeline);
  }
}
GST_END_TEST;

/// Stopping is fast whichever answer is missing and whoever waits for it.
GST_START_TEST(stop_does_not_wait_for_the_camera) {
  const ListeningSocket mute;
  {
    Pipeline pipeline("spherecamsrc name=camera timeout=60 location=madv://127.0.0.1:" +
                      std::to_string(mute.port()) + " ! fakesink");
    pipeline.play();
    expect_message(pipeline, "sphere-connection");
    expect_fast_stop(pipeline);
  }
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  pipeline.play();
  pull(pipeline, 5);
  expect_message(pipeline, "sphere-camera");
  camera->set_silent(true);
  const size_t asked = camera->asked().size();
  // A thread of the application waits for the answer of the camera, for up to a minute.
  gboolean done = TRUE;
  std::thread waiting([&] { done = emit(pipeline, "take-photo"); });
  for (int i = 0; camera->asked().size() == asked && camera->counters().requests == 0; ++i) {
    fail_unless(i < 60000);
    g_usleep(1000);
  }
  g_usleep(1000);
  const Stopwatch watch;
  expect_fast_stop(pipeline);
  waiting.join();
  GST_INFO("the signal ended in %.2f s", watch.seconds());
  expect_within(watch, 1, "the signal");
  fail_unless(!done);
}
GST_END_TEST;

/// The lens table comes over the data port. Nothing waits for it, and its absence is told once.
GST_START_TEST(a_dead_data_port_delays_nothing) {
  const UnreachablePort unreachable;
  for (const bool accepts : {true, false}) {
    const auto camera =
        camera_with(accepts ? std::vector<const char*>{"no-data"} : std::vector<const char*>{});
    std::string location = camera->uri();
    if (!accepts) {
      const size_t begin = location.find("data-port=") + strlen("data-port=");
      const size_t end = std::min(location.find('&', begin), location.size());
      location.replace(begin, end - begin, std::to_string(unreachable.port()));
    }
    Pipeline pipeline("spherecamsrc name=camera timeout=60 latency=0 protocols=tcp location=\"" +
                      location + "\" ! appsink name=sink sync=false");
    BusLog said(pipeline);
    const Stopwatch watch;
    pipeline.play();
    const GstClockTime last = pull(pipeline, 5);
    fail_unless(emit(pipeline, "take-photo"));
    // The table is given up after 3 s.
    expect_within(watch, 2.5, "pictures and a photo");
    said.wait_for(
        "info: The camera's lens table can't be read: nothing came over the data port for 3 s");
    fail_unless(said.has("stitched with the usual lens 'mi-sphere'"));
    // The next connection tries it again, but the person knows already.
    camera->reboot(0ms);
    said.wait_for("info: The camera is back after");
    pull(pipeline, 5, last);
    fail_unless_equals_int(said.count("info: The camera's lens table"), 1);
    fail_unless_equals_int(said.count("error: "), 0);
  }
}
GST_END_TEST;

GST_START_TEST(a_signal_takes_no_longer_than_the_timeout) {
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  BusLog said(pipeline);
  pipeline.play();
  pull(pipeline, 5);
  camera->set_silent(true);
  g_object_set(pipeline.child("camera").get(), "timeout", 1, nullptr);
  for (const char* signal : {"take-photo", "start-recording", "stop-recording"}) {
    const Stopwatch watch;
    fail_unless(!emit(pipeline, signal));
    expect_within(watch, 2, signal);
  }
  fail_unless_equals_int(said.count("has not answered within 1 s"), 3);
}
GST_END_TEST;

/// After EOS from downstream the thread does nothing any more, even with a position and consent.
GST_START_TEST(thread_is_idle_after_the_end) {
  const auto camera = camera_with();
  Pipeline pipeline(source(*camera,
                           "latency=0 position=10,20 position-interval=1 "
                           "consent=\"consent/location, state=(string)given\"") +
                    " ! fakesink num-buffers=20 sync=false");
  const std::string error = pipeline.run();
  fail_unless_equals_string(error.c_str(), "");
  expect_all_closed(*camera);
  const Stopwatch watch;
  const auto before = stat<guint64>(pipeline, "wake-ups");
  // A live pipeline of 1.5 s measures the time: longer than the interval of the position.
  Pipeline clock("audiotestsrc is-live=true samplesperbuffer=4410 num-buffers=15 ! fakesink");
  const std::string none = clock.run();
  fail_unless_equals_string(none.c_str(), "");
  const auto after = stat<guint64>(pipeline, "wake-ups");
  // On a busy machine it takes longer.
  fail_unless(static_cast<double>(after - before) <= std::max(2.0, 1.5 * watch.seconds()),
              "%u wake-ups in %.1f s", static_cast<unsigned>(after - before), watch.seconds());
}
GST_END_TEST;

GST_START_TEST(udp_with_losses_or_without_packets_becomes_tcp) {
  for (const int percent : {10, 100}) {
    const auto camera = camera_with();
    Pipeline pipeline(to_sink(*camera, "latency=50"));
    BusLog said(pipeline);
    lose_udp(pipeline, percent);
    pipeline.play();
    said.wait_for(percent == 100 ? "info: Nothing of the preview arrives over UDP"
                                 : "info: Too much of the preview is lost over UDP");
    said.wait_for("over TCP now");
    while (!said.has_after("over TCP now", "connection: connected")) pull(pipeline, 1);
    // Over TCP nothing is lost any more.
    GstClockTime last = pull(pipeline, 10);
    const GstClockTime begin = last;
    const Stopwatch watch;
    last = pull(pipeline, 30, last);
    fail_unless(in_seconds(last - begin) < watch.limit(3), "%" GST_TIME_FORMAT,
                GST_TIME_ARGS(last - begin));
    fail_unless_equals_int(stat<int>(pipeline, "losses"), 0);
    fail_unless_equals_int(camera->counters().sessions_opened, 1);
  }
  // If TCP is not allowed, it stays with UDP.
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=50 protocols=udp"));
  BusLog said(pipeline);
  lose_udp(pipeline, 10);
  pipeline.play();
  pull(pipeline, 20);
  fail_unless_equals_int(stat<int>(pipeline, "connections"), 1);
  fail_unless(!said.has("TCP"));
}
GST_END_TEST;

/// glib-networking sends RTSP, too, through the proxy that is meant for HTTP.
GST_START_TEST(web_proxy_is_not_used) {
  g_unsetenv("GIO_USE_PROXY_RESOLVER");
  const ListeningSocket proxy;
  g_setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), TRUE);
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  pipeline.play();
  pull(pipeline, 10);
  // Other connections still use it.
  char** others = g_proxy_resolver_lookup(g_proxy_resolver_get_default(), "http://192.0.2.1/",
                                          nullptr, nullptr);
  fail_unless(others && g_str_has_prefix(others[0], "http://127.0.0.1:"), "%s",
              others ? others[0] : "nothing");
  g_strfreev(others);
}
GST_END_TEST;

/// If the program has chosen a proxy resolver before, the warning says what to do.
GST_START_TEST(unavoidable_web_proxy_is_a_warning) {
  g_unsetenv("GIO_USE_PROXY_RESOLVER");
  std::string nobody;
  {
    const ListeningSocket gone;
    nobody = std::to_string(gone.port());
  }
  g_setenv("http_proxy", ("http://127.0.0.1:" + nobody).c_str(), TRUE);
  g_proxy_resolver_get_default();
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  const std::string error = pipeline.run();
  fail_unless(error.find("no_proxy=127.0.0.1") != std::string::npos, "%s", error.c_str());
}
GST_END_TEST;

GST_START_TEST(warnings_of_the_preview_are_passed_on) {
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera, "latency=0 protocols=tcp"));
  BusLog said(pipeline);
  pipeline.play();
  pull(pipeline, 5);
  const GstRef<GstElement> element = pipeline.child("camera");
  const auto preview = [&element] {
    auto found = objects_of<GstElement>(
        gst_bin_iterate_all_by_element_factory_name(GST_BIN(element.get()), "rtspsrc"));
    fail_unless(!found.empty());
    return std::move(found[0]);
  };
  GST_ELEMENT_WARNING(preview().get(), RESOURCE, READ, ("Something is odd\033[2J"), (nullptr));
  said.wait_for("warning: Something is odd\\x1b[2J");
  // A warning that is followed by the loss is part of it. Half a second may pass between them,
  // which a busy machine may need.
  int losses = 0;
  do {
    ++losses;
    GST_ELEMENT_WARNING(preview().get(), RESOURCE, READ, ("The end is near."), (nullptr));
    camera->cut_preview();
    said.wait_for_count("was interrupted", losses);
    said.wait_for_count("info: The camera is back", losses);
  } while (said.count("The end is near") == losses && losses < 4);
  fail_unless(said.count("The end is near") < losses);
}
GST_END_TEST;

static Suite* camera_outages_suite() {
  forgive_rtsp();
  Suite* suite = suite_create("camera_outages");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, lost_camera_is_reported_and_reconnected);
  tcase_add_test(tcase, a_preview_that_works_outlives_its_control);
  tcase_add_test(tcase, timeout_is_kept);
  tcase_add_test(tcase, stop_does_not_wait_for_the_camera);
  tcase_add_test(tcase, a_dead_data_port_delays_nothing);
  tcase_add_test(tcase, a_signal_takes_no_longer_than_the_timeout);
  tcase_add_test(tcase, thread_is_idle_after_the_end);
  tcase_add_test(tcase, udp_with_losses_or_without_packets_becomes_tcp);
  tcase_add_test(tcase, web_proxy_is_not_used);
  tcase_add_test(tcase, unavoidable_web_proxy_is_a_warning);
  tcase_add_test(tcase, warnings_of_the_preview_are_passed_on);
  return suite;
}

SIDE_BY_SIDE_MAIN(camera_outages)

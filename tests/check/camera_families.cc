// SPDX-License-Identifier: LGPL-2.1-or-later
// A family of cameras that spherecamsrc knows nothing of plays in it all the same.

#include <chrono>
#include <string>
#include <thread>

#include "gst/sphere/base/iterator.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "tests/check/bus.h"
#include "tests/check/pipeline.h"
#include "tests/check/toy/toy_camera.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using toy::world;

namespace {

void pull(Pipeline& pipeline, int count) {
  for (int i = 0; i < count; ++i) {
    const SampleRef sample = pipeline.pull();
    if (!sample) fail_unless(false, "%s", pipeline.wait().c_str());
  }
}

gboolean emit(Pipeline& pipeline, const char* signal) {
  gboolean done = FALSE;
  g_signal_emit_by_name(pipeline.child("camera").get(), signal, &done);
  return done;
}

}  // namespace

GST_START_TEST(families_are_found_by_their_scheme) {
  const auto all = hw::camera_families();
  fail_unless_equals_int(all.size(), 2);
  const auto toy = hw::find_family("TOY://anything");
  fail_unless(bool(toy) && std::string((*toy)->scheme) == "toy");
  const std::string usual = hw::default_location();
  fail_unless_equals_string(usual.c_str(), "madv://192.168.42.1/live");
  for (const char* wrong : {"", "toy", "rtsp://192.168.42.1/live", "://", "toys://a"}) {
    const auto none = hw::find_family(wrong);
    fail_unless(!none && none.error().message.find("madv://, toy://") != std::string::npos, "%s",
                wrong);
  }
  const auto secret = hw::find_family("rtsp://me:secret@a/");
  fail_unless(!secret && secret.error().message.find("secret") == std::string::npos);
}
GST_END_TEST;

GST_START_TEST(a_toy_plays) {
  Pipeline pipeline(
      "spherecamsrc name=camera location=toy://shelf position=52.5,13.25 "
      "consent=\"consent/location, "
      "state=(string)given, purpose=(string)camera\" ! image/jpeg ! jpegdec ! "
      "appsink name=sink sync=false");
  BusLog said(pipeline);
  pipeline.play();
  pull(pipeline, 10);
  const GstRef<GstElement> sink = pipeline.child("sink");
  const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  const EventRef lens(gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  const char* profile = nullptr;
  fail_unless(lens && gst_event_parse_sphere_lens(lens.get(), &profile));
  fail_unless_equals_string(profile, "dual-190");
  fail_unless(world().latitude == 52.5);
  fail_unless(emit(pipeline, "take-photo"));
  fail_unless_equals_int(world().photos, 1);
  fail_unless(!emit(pipeline, "start-recording"));
  said.wait_for("warning: A toy does not record.");
  said.wait_for("sphere-notification: /toys/1.jpg");
  said.wait_for("sphere-camera: 42");

  // The control is lost and comes back, and the pictures continue.
  world().lose_control();
  while (world().connections < 2) pull(pipeline, 1);
  pull(pipeline, 5);
  fail_unless(!said.has("connection: lost"));
  fail_unless(emit(pipeline, "take-photo"));
  // The pictures are lost.
  world().away = true;
  {
    const auto found = objects_of<GstElement>(gst_bin_iterate_all_by_element_factory_name(
        GST_BIN(pipeline.child("camera").get()), "videotestsrc"));
    fail_unless(!found.empty());
    GST_ELEMENT_ERROR(found[0].get(), RESOURCE, READ, ("It broke."), (nullptr));
  }
  world().lose_control();
  said.wait_for("warning: It broke.");
  while (world().connections < 4) said.read(10 * GST_MSECOND);
  world().away = false;
  said.wait_for("info: The camera is back");
  pull(pipeline, 5);
}
GST_END_TEST;

GST_START_TEST(missing_toy_is_an_error) {
  world().away = true;
  Pipeline pipeline("spherecamsrc location=toy://cupboard ! fakesink");
  const std::string error = pipeline.run();
  fail_unless_equals_string(error.c_str(), "The toy is in the cupboard; get it.");
  Pipeline file("spherecamsrc location=toy://shelf/video.mp4 ! fakesink");
  fail_unless(file.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  const std::string words = file.wait();
  fail_unless_equals_string(words.c_str(), "This is a file of a toy; write toy://HOST.");
  // Under a sanitizer the tests share a process.
  world().away = false;
}
GST_END_TEST;

/// In this test no command gets an answer, not even when the connection ends. Callers must be woken
/// by the timeout and by the end of the element.
GST_START_TEST(silent_camera_blocks_no_state_change) {
  // Under a sanitizer the tests share a process.
  world().connections = world().photos = 0;
  world().mute = true;
  Pipeline pipeline("spherecamsrc name=camera timeout=60 location=toy://shelf ! fakesink");
  BusLog said(pipeline);
  pipeline.play();
  said.wait_for("connection: connected");
  gboolean done = TRUE;
  std::thread waiting([&] { done = emit(pipeline, "take-photo"); });
  for (int i = 0; world().photos == 0; ++i) {
    fail_unless(i < 60000);
    g_usleep(1000);
  }
  pipeline.set_state(GST_STATE_READY);
  waiting.join();
  fail_unless(!done);
  g_object_set(pipeline.child("camera").get(), "timeout", 1, nullptr);
  pipeline.play();
  // Messages from before READY are removed by it.
  while (world().connections < 2) said.read(10 * GST_MSECOND);
  fail_unless(!emit(pipeline, "take-photo"));
  said.wait_for("has not answered within 1 s");
}
GST_END_TEST;

static Suite* camera_families_suite() {
  Suite* suite = suite_create("camera_families");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, families_are_found_by_their_scheme);
  tcase_add_test(tcase, a_toy_plays);
  tcase_add_test(tcase, missing_toy_is_an_error);
  tcase_add_test(tcase, silent_camera_blocks_no_state_change);
  return suite;
}

GST_CHECK_MAIN(camera_families)

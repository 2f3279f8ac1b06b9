// SPDX-License-Identifier: LGPL-2.1-or-later
// spherephotosrc against the emulated camera.

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gst/sphere/makers/madv_write.h"
#include "tests/check/camera.h"
#include "tests/check/card.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

/// Its photos are pictures of the scene, and each is another one.
std::unique_ptr<Emulator> photo_camera(std::vector<const char*> faults = {}) {
  EmulatorOptions options = control_only(std::move(faults));
  options.photo_bytes.clear();
  options.scene.width = 320;
  options.scene.height = 160;
  return started(std::move(options));
}

std::string taking(const Emulator& camera, const std::string& more) {
  return "spherephotosrc name=photos location=\"" + camera.uri() + "\" " + more +
         " ! appsink name=sink sync=false";
}

/// Of the lens event at the sink; empty if it has none.
std::string table_at_sink(Pipeline& pipeline) {
  const GstRef<GstElement> sink = pipeline.child("sink");
  const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  const EventRef lens(gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  fail_unless(lens != nullptr);
  const GValue* table = gst_structure_get_value(gst_event_get_structure(lens.get()), "table");
  if (!table) return {};
  gsize size = 0;
  const void* bytes = g_bytes_get_data(static_cast<GBytes*>(g_value_get_boxed(table)), &size);
  return std::string(static_cast<const char*>(bytes), size);
}

}  // namespace

GST_START_TEST(photos_are_those_of_the_card) {
  const auto camera = photo_camera();
  Pipeline pipeline(taking(*camera, "num-photos=3"));
  // Nothing is taken before it plays.
  fail_unless(pipeline.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_NO_PREROLL);
  fail_unless(photos_on(*camera).empty());
  pipeline.play();
  std::multiset<std::string> got;
  GstClockTime last = 0;
  while (const SampleRef sample = pipeline.pull()) {
    fail_unless(gst_structure_has_name(gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0),
                                       "image/jpeg"));
    const GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    fail_unless(GST_BUFFER_PTS_IS_VALID(buffer) && GST_BUFFER_PTS(buffer) > last);
    last = GST_BUFFER_PTS(buffer);
    fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), got.size());
    got.insert(bytes_of(sample.get()));
  }
  const std::string error = pipeline.wait();
  fail_unless_equals_string(error.c_str(), "");
  // The lenses that took them: the camera's own table.
  fail_unless(table_at_sink(pipeline) == some_table());
  std::multiset<std::string> taken;
  for (const auto& [path, bytes] : photos_on(*camera)) taken.insert(bytes);
  fail_unless_equals_int(taken.size(), 3);
  fail_unless(got == taken);
  for (const std::string& photo : got) fail_unless(photo.starts_with("\xff\xd8"));
  // The element can start again.
  pipeline.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
  g_object_set(pipeline.child("photos").get(), "num-photos", 1, nullptr);
  pipeline.play();
  const std::string fourth = pull_all(pipeline);
  fail_unless_equals_int(photos_on(*camera).size(), 4);
  fail_unless(photos_on(*camera).rbegin()->second == fourth);
}
GST_END_TEST;

namespace {

/// A photo of the camera with this table in it; empty: none.
std::string photo_with(const std::string& table) {
  const std::vector<uint8_t> picture = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=32 ! jpegenc ! filesink "
      "location=%s");
  makers::madv::CameraData data;
  data.lens_table.assign(table.begin(), table.end());
  const auto photo = makers::madv::add_to_jpeg(picture, data);
  fail_unless(bool(photo));
  return std::string(photo->begin(), photo->end());
}

}  // namespace

/// A dead data port, over which the camera's lens table does not come: a photo has the table in it,
/// and one without it waits only shortly.
GST_START_TEST(a_dead_data_port_delays_no_photo) {
  // As a table begins: the offset of its first picture.
  const std::string table = std::string("\x40\0\0\0", 4) + std::string(60, '\0') + "\x89PNG table";
  for (const bool with_table : {true, false}) {
    EmulatorOptions options = control_only({"no-data"});
    options.photo_bytes = photo_with(with_table ? table : "");
    const auto camera = started(options);
    Pipeline pipeline(taking(*camera, ""));
    pipeline.play();
    until_asked(*camera, 4364);
    const Stopwatch watch;
    const SampleRef sample = pipeline.pull();
    if (!sample) fail_unless(false, "%s", pipeline.wait().c_str());
    // The table is given up after 3 s.
    expect_within(watch, 2.5, with_table ? "with a table" : "without a table");
    fail_unless(bytes_of(sample.get()) == options.photo_bytes);
    fail_unless(table_at_sink(pipeline) == (with_table ? table : ""));
  }
}
GST_END_TEST;

GST_START_TEST(a_decoder_takes_them) {
  const auto camera = photo_camera();
  Pipeline pipeline("spherephotosrc location=\"" + camera->uri() +
                    "\" ! jpegdec ! appsink name=sink sync=false");
  pipeline.play();
  const SampleRef sample = pipeline.pull();
  if (!sample) fail_unless(false, "%s", pipeline.wait().c_str());
}
GST_END_TEST;

GST_START_TEST(interval_and_timer) {
  const auto camera = photo_camera();
  {
    Pipeline pipeline(taking(*camera, "num-photos=3 interval=0.8"));
    pipeline.play();
    std::vector<GstClockTime> times;
    while (const SampleRef sample = pipeline.pull())
      times.push_back(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())));
    fail_unless_equals_int(times.size(), 3);
    // From the beginning of a photo to that of the next one; how long a photo takes may vary.
    fail_unless(times[2] - times[0] > 800 * GST_MSECOND, "%" GST_TIME_FORMAT,
                GST_TIME_ARGS(times[2] - times[0]));
  }
  Pipeline pipeline(taking(*camera, "timer=3"));
  pipeline.play();
  const SampleRef sample = pipeline.pull();
  if (!sample) fail_unless(false, "%s", pipeline.wait().c_str());
  fail_unless(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())) >= 3 * GST_SECOND);
  until_asked(*camera, 4868);
}
GST_END_TEST;

/// While it waits for the camera or for the next photo, it stops at once.
GST_START_TEST(every_wait_can_be_ended) {
  const auto stop = [](Pipeline& pipeline) {
    const Stopwatch watch;
    pipeline.set_state(GST_STATE_NULL);
    expect_within(watch, 1.5, "stopping");
  };
  const auto camera = photo_camera();
  {
    Pipeline pipeline(taking(*camera, "num-photos=-1 interval=3600"));
    pipeline.play();
    fail_unless(pipeline.pull() != nullptr);
    stop(pipeline);
  }
  {
    Pipeline pipeline(taking(*camera, "timer=10"));
    pipeline.play();
    until_asked(*camera, 4868);
    stop(pipeline);
  }
  const auto mute = photo_camera();
  mute->set_silent(true);
  Pipeline pipeline(taking(*mute, ""));
  pipeline.play();
  while (mute->counters().requests == 0) g_usleep(1000);
  stop(pipeline);
}
GST_END_TEST;

GST_START_TEST(refusals_are_errors) {
  for (const auto& [fault, code] : {std::pair("no-card", GST_RESOURCE_ERROR_NOT_AUTHORIZED),
                                    std::pair("refuse", GST_RESOURCE_ERROR_BUSY)}) {
    const auto camera = photo_camera({fault});
    Pipeline pipeline(taking(*camera, ""));
    pipeline.play();
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
    const MessageRef message(gst_bus_timed_pop_filtered(bus.get(), deadline, GST_MESSAGE_ERROR));
    fail_unless(message != nullptr);
    g_autoptr(GError) error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, code), "%s: %s", fault, error->message);
  }
  const auto camera = photo_camera();
  Pipeline denied(taking(*camera, "consent=\"consent/storage,state=(string)withdrawn\""));
  const std::string error = denied.run();
  fail_unless(error.find("storage for save") != std::string::npos, "%s", error.c_str());
  fail_unless_equals_int(camera->counters().connections, 0);
}
GST_END_TEST;

static Suite* spherephotosrc_suite() {
  Suite* suite = suite_create("spherephotosrc");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, photos_are_those_of_the_card);
  tcase_add_test(tcase, a_dead_data_port_delays_no_photo);
  tcase_add_test(tcase, a_decoder_takes_them);
  tcase_add_test(tcase, interval_and_timer);
  tcase_add_test(tcase, every_wait_can_be_ended);
  tcase_add_test(tcase, refusals_are_errors);
  return suite;
}

GST_CHECK_MAIN(spherephotosrc)

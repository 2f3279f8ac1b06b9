// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements and GstSphereCamera objects of one program use one connection: the emulated camera
// accepts one client, as a real one. And what spherecamsrc counts.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hw/await.h"
#include "hw/camera_client.h"
#include "hw/gstspherecamera.h"
#include "tests/check/bus.h"
#include "tests/check/camera.h"
#include "tests/check/card.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* file_path = "DCIM/20260101/VID_20260101_000000AA.MP4";

/// Calls an asynchronous function of GstSphereCamera and waits for its end.
template <typename Start>
GAsyncResult* call(Start start) {
  GAsyncResult* result = nullptr;
  start(
      +[](GObject*, GAsyncResult* done, gpointer data) {
        *static_cast<GAsyncResult**>(data) = G_ASYNC_RESULT(g_object_ref(done));
      },
      &result);
  while (!result) g_main_context_iteration(nullptr, TRUE);
  return result;
}

void connect(GstSphereCamera* camera) {
  const ObjectRef<GAsyncResult> result(call([&](GAsyncReadyCallback done, gpointer data) {
    gst_sphere_camera_connect_async(camera, nullptr, done, data);
  }));
  g_autoptr(GError) error = nullptr;
  fail_unless(gst_sphere_camera_connect_finish(camera, result.get(), &error), "%s",
              error ? error->message : "");
}

void disconnect(GstSphereCamera* camera) {
  const ObjectRef<GAsyncResult> result(call([&](GAsyncReadyCallback done, gpointer data) {
    gst_sphere_camera_disconnect_async(camera, nullptr, done, data);
  }));
  fail_unless(gst_sphere_camera_disconnect_finish(camera, result.get(), nullptr));
}

ObjectRef<GstSphereCamera> camera_object(const Emulator& camera) {
  g_autoptr(GError) error = nullptr;
  ObjectRef<GstSphereCamera> object(gst_sphere_camera_new(camera.uri().c_str(), &error));
  fail_unless(object != nullptr);
  return object;
}

void expect_one_session(const Emulator& camera) {
  const madv_emulator::Counters counters = camera.counters();
  fail_unless_equals_int(counters.sessions_opened, 1);
  fail_unless_equals_int(counters.refused, 0);
  fail_unless_equals_int(counters.connections, 1);
}

guint64 number(const GstStructure* stats, const char* name) {
  const GValue* value = gst_structure_get_value(stats, name);
  fail_unless(value != nullptr, "%s", name);
  return G_VALUE_HOLDS_UINT64(value) ? g_value_get_uint64(value)
                                     : static_cast<guint64>(g_value_get_int(value));
}

using Stats = std::unique_ptr<GstStructure, Call<gst_structure_free>>;
Stats stats_of(Pipeline& pipeline) {
  GstStructure* stats = nullptr;
  g_object_get(pipeline.child("camera").get(), "stats", &stats, nullptr);
  return Stats(stats);
}

}  // namespace

GST_START_TEST(preview_files_and_photos_over_one_connection) {
  const auto camera = camera_with();
  const std::string bytes = some_bytes(3 << 20);
  put_file(*camera, file_path, bytes);
  Pipeline preview(to_sink(*camera, "latency=0"));
  preview.play();
  GstClockTime last = pull(preview, 5);
  Pipeline file("spherefilesrc location=\"" + file_uri(*camera, file_path) +
                "\" ! appsink name=sink sync=false");
  file.play();
  fail_unless(pull_all(file) == bytes);
  last = pull(preview, 5, last);
  Pipeline photo("spherephotosrc location=\"" + camera->uri() +
                 "\" ! appsink name=sink sync=false");
  photo.play();
  const SampleRef sample = photo.pull();
  if (!sample) fail_unless(false, "%s", photo.wait().c_str());
  fail_unless(bytes_of(sample.get()) == "a photo");
  expect_one_session(*camera);

  // The connection stays while somebody uses it.
  preview.set_state(GST_STATE_NULL);
  photo.set_state(GST_STATE_NULL);
  fail_unless_equals_int(camera->counters().sessions_closed, 0);
  fail_unless(gst_element_seek_simple(file.element(), GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH, 100));
  fail_unless(pull_all(file) == bytes.substr(100));
  expect_one_session(*camera);
  file.set_state(GST_STATE_NULL);
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(an_objects_connection_is_used) {
  const auto camera = camera_with();
  put_file(*camera, file_path, "some bytes");
  const ObjectRef<GstSphereCamera> object = camera_object(*camera);
  connect(object.get());
  {
    Pipeline pipeline(
        "spherecamsrc name=camera timeout=60 latency=0 ! appsink name=sink "
        "sync=false");
    g_object_set(pipeline.child("camera").get(), "camera", object.get(), nullptr);
    pipeline.play();
    // The lens table, which the camera has told before, is passed on.
    pull(pipeline, 5);
    const GstRef<GstElement> sink = pipeline.child("sink");
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    const EventRef lens(gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
    fail_unless(lens && gst_structure_has_field(gst_event_get_structure(lens.get()), "table"));
    expect_message(pipeline, "sphere-camera");

    Pipeline file("spherefilesrc name=file ! appsink name=sink sync=false");
    g_object_set(file.child("file").get(), "camera", object.get(), "location", file_path, nullptr);
    file.play();
    fail_unless(pull_all(file) == "some bytes");
    expect_one_session(*camera);

    // The object does not take the connection away from the elements.
    disconnect(object.get());
    fail_unless(gst_sphere_camera_is_connected(object.get()));
    pull(pipeline, 5);
    connect(object.get());
  }
  // The elements are gone, and the object is still connected.
  fail_unless(gst_sphere_camera_is_connected(object.get()));
  expect_one_session(*camera);
  fail_unless_equals_int(camera->counters().sessions_closed, 0);
  disconnect(object.get());
  fail_unless(!gst_sphere_camera_is_connected(object.get()));
  expect_all_closed(*camera);
}
GST_END_TEST;

/// The object may be gone before the element, and the other way round.
GST_START_TEST(objects_and_elements_may_go_in_any_order) {
  const auto camera = camera_with();
  for (const bool object_first : {true, false}) {
    ObjectRef<GstSphereCamera> object = camera_object(*camera);
    connect(object.get());
    auto pipeline = std::make_unique<Pipeline>(
        "spherecamsrc name=camera timeout=60 latency=0 ! appsink name=sink sync=false");
    g_object_set(pipeline->child("camera").get(), "camera", object.get(), nullptr);
    pipeline->play();
    pull(*pipeline, 3);
    if (object_first) {
      object.reset();
      pull(*pipeline, 3);
      pipeline.reset();
    } else {
      pipeline.reset();
      fail_unless(gst_sphere_camera_is_connected(object.get()));
      object.reset();
    }
    expect_all_closed(*camera);
  }
}
GST_END_TEST;

GST_START_TEST(a_shared_connection_comes_back) {
  const auto camera = camera_with();
  const ObjectRef<GstSphereCamera> object = camera_object(*camera);
  connect(object.get());
  Pipeline pipeline(
      "spherecamsrc name=camera timeout=60 latency=0 protocols=tcp ! appsink "
      "name=sink sync=false");
  g_object_set(pipeline.child("camera").get(), "camera", object.get(), nullptr);
  pipeline.play();
  GstClockTime last = pull(pipeline, 10);
  camera->reboot(200ms);
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  last = pull(pipeline, 20, last);
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  fail_unless(gst_sphere_camera_is_connected(object.get()));
  pipeline.set_state(GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(what_is_counted) {
  EmulatorOptions options = with_preview({"late:20"});
  options.control.serial = "SERIALSECRET";
  options.control.ssid = "NAMESECRET";
  const auto camera = started(std::move(options));
  Pipeline pipeline(to_sink(
      *camera,
      "latency=0 protocols=tcp consent=\"consent/device, state=(string)given, "
      "purpose=(string)bind; consent/network, state=(string)given, purpose=(string)bind\""));
  fail_unless_equals_uint64(number(stats_of(pipeline).get(), "requests"), 0);
  pipeline.play();
  pull(pipeline, 10);
  until_asked(*camera, 1539);
  // It is not recording.
  gboolean done = TRUE;
  g_signal_emit_by_name(pipeline.child("camera").get(), "stop-recording", &done);
  fail_unless(!done);
  // Each request is counted when it is sent, and the others when they are answered.
  const auto sum = [](const GstStructure* stats) {
    const GValue* value = gst_structure_get_value(stats, "durations");
    const GstStructure* durations = gst_value_get_structure(value);
    guint64 all = 0;
    for (int i = 0; i < gst_structure_n_fields(durations); ++i)
      all += number(durations, gst_structure_nth_field_name(durations, i));
    return all;
  };
  Stats stats = stats_of(pipeline);
  for (int i = 0;
       number(stats.get(), "requests") != static_cast<guint64>(camera->counters().requests) ||
       sum(stats.get()) != number(stats.get(), "requests");
       ++i) {
    fail_unless(i < 60000, "%" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " answers",
                number(stats.get(), "requests"), sum(stats.get()));
    g_usleep(1000);
    stats = stats_of(pipeline);
  }
  fail_unless_equals_uint64(number(stats.get(), "errors"), 1);
  // Each answer takes 20 ms or more.
  const GstStructure* durations =
      gst_value_get_structure(gst_structure_get_value(stats.get(), "durations"));
  fail_unless_equals_uint64(number(durations, "up-to-10-ms"), 0);
  fail_unless(number(stats.get(), "bytes") > 1000);
  fail_unless(number(stats.get(), "packets") >= 10);
  fail_unless_equals_uint64(number(stats.get(), "lost-packets"), 0);
  fail_unless_equals_uint64(number(stats.get(), "reconnects"), 0);

  camera->cut_preview();
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "lost"); });
  expect_message(pipeline, "sphere-connection", [](auto* s) { return has_state(s, "connected"); });
  stats = stats_of(pipeline);
  fail_unless_equals_uint64(number(stats.get(), "reconnects"), 1);
  fail_unless_equals_uint64(number(stats.get(), "losses"), 1);

  const GString_ text(gst_structure_to_string(stats.get()));
  const std::string said = text.get();
  for (const std::string& secret : {std::string("SECRET"), std::string("127.0.0"),
                                    std::to_string(camera->ports().control), std::string("madv")})
    fail_unless(said.find(secret) == std::string::npos, "%s", said.c_str());
}
GST_END_TEST;

GST_START_TEST(lost_packets_are_counted) {
  const auto camera = camera_with({"rtp-loss:20"});
  Pipeline pipeline(to_sink(*camera, "latency=50 protocols=udp"));
  pipeline.play();
  pull(pipeline, 10);
  Stats stats = stats_of(pipeline);
  for (int i = 0; number(stats.get(), "lost-packets") == 0; ++i) {
    fail_unless(i < 600);
    pull(pipeline, 1);
    stats = stats_of(pipeline);
  }
  fail_unless(number(stats.get(), "packets") > number(stats.get(), "lost-packets"));
}
GST_END_TEST;

/// The last user that releases the connection ends it, and the next one gets a new one.
GST_START_TEST(clients_are_held_and_released) {
  const auto camera = started(control_only());
  const auto client = hw::CameraClient::shared(camera->uri(), 5s);
  fail_unless(bool(client));
  const auto same = hw::CameraClient::shared(file_uri(*camera, file_path), 5s);
  fail_unless(bool(same) && *same == *client);
  fail_unless(hw::CameraClient::find(camera->uri()) == *client);
  const int first = 0, second = 0;
  for (int round = 1; round <= 2; ++round) {
    (*client)->hold(&first);
    (*client)->hold(&second);
    std::mutex mutex;
    std::condition_variable changed;
    int ready = 0;
    for (int i = 0; i < 2; ++i)
      (*client)->connect([&](const std::optional<hw::Failure>& failure) {
        const std::lock_guard lock(mutex);
        ready += failure ? 0 : 1;
        changed.notify_all();
      });
    {
      std::unique_lock lock(mutex);
      fail_unless(changed.wait_for(lock, 60s, [&] { return ready == 2; }));
    }
    using Kind = hw::CameraEvent::Kind;
    // The lens table comes later, or before.
    unsigned number = 0;
    fail_unless(bool(hw::await<bool>(
        nullptr,
        [&](auto done) {
          number = (*client)->join_listeners([done](const hw::CameraEvent& event) {
            if (event.kind == Kind::lens_table) done(true);
          });
        },
        60s)));
    (*client)->remove_listener(number);
    // A late listener is told what was told before.
    std::vector<hw::CameraEvent::Kind> past;
    number = (*client)->join_listeners(
        [&](const hw::CameraEvent& event) { past.push_back(event.kind); });
    (*client)->remove_listener(number);
    fail_unless(past.size() == 3 && past.front() == Kind::preview_ready);
    fail_unless(std::ranges::count(past, Kind::ready) == 1);
    (*client)->release(&first);
    fail_unless((*client)->is_ready());
    (*client)->release(&second);
    fail_unless(!(*client)->is_ready());
    (*client)->wait_until_free();
    expect_all_closed(*camera);
    fail_unless_equals_int(camera->counters().sessions_opened, round);
  }
}
GST_END_TEST;

/// A camera tells which file it has saved. Programs that fetch it give it its name, which must not
/// be that of any other kind of file.
GST_START_TEST(only_photos_and_videos_are_told_as_saved) {
  const auto camera = started(control_only());
  const auto client = hw::CameraClient::shared(camera->uri(), 5s);
  fail_unless(bool(client));
  const int user = 0;
  (*client)->hold(&user);
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  std::vector<std::string> files;
  const unsigned number = (*client)->add_listener([&](const hw::CameraEvent& event) {
    const std::lock_guard lock(mutex);
    if (!event.file.empty()) files.push_back(event.file);
    changed.notify_all();
  });
  (*client)->connect([&](const std::optional<hw::Failure>& failure) {
    const std::lock_guard lock(mutex);
    ready = !failure;
    changed.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    fail_unless(changed.wait_for(lock, 60s, [&] { return ready; }));
  }
  for (const char* path :
       {"/tmp/SD0/DCIM/20171216/.bashrc", "/tmp/SD0/DCIM/20171216/authorized_keys",
        "/tmp/SD0/DCIM/20171216/.JPG", "/tmp/SD0/DCIM/../x.JPG", "/tmp/SD0/..", "/tmp/SD0/",
        "/tmp/SD0/DCIM//x.JPG", "/tmp/FL0/x.JPG", "/tmp/SD0/DCIM/20171216/x.JPG.sh",
        "C:\\DCIM\\20171216\\good.JPG"})
    fail_unless(bool(camera->execute(std::string("notify photo-saved ") + path)), "%s", path);
  {
    std::unique_lock lock(mutex);
    fail_unless(changed.wait_for(lock, 60s, [&] { return !files.empty(); }));
    fail_unless_equals_int(files.size(), 1);
    fail_unless_equals_string(files.front().c_str(), "DCIM/20171216/good.JPG");
  }
  (*client)->remove_listener(number);
  (*client)->release(&user);
  (*client)->wait_until_free();
}
GST_END_TEST;

static Suite* camera_sharing_suite() {
  Suite* suite = suite_create("camera_sharing");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, preview_files_and_photos_over_one_connection);
  tcase_add_test(tcase, an_objects_connection_is_used);
  tcase_add_test(tcase, objects_and_elements_may_go_in_any_order);
  tcase_add_test(tcase, a_shared_connection_comes_back);
  tcase_add_test(tcase, what_is_counted);
  tcase_add_test(tcase, lost_packets_are_counted);
  tcase_add_test(tcase, clients_are_held_and_released);
  tcase_add_test(tcase, only_photos_and_videos_are_told_as_saved);
  return suite;
}

GST_CHECK_MAIN(camera_sharing)

// SPDX-License-Identifier: LGPL-2.1-or-later
// Cameras that are found: by the search, and by GstDeviceMonitor.

#include <chrono>
#include <string>
#include <thread>

#include "hw/discover.h"
#include "hw/service_browser.h"
#include "tests/check/camera.h"
#include "tests/check/listening.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

double seconds_since(gint64 then) {
  return static_cast<double>(g_get_monotonic_time() - then) / G_USEC_PER_SEC;
}

using Devices =
    std::unique_ptr<GList, decltype([](GList* list) { g_list_free_full(list, gst_object_unref); })>;

}  // namespace

GST_START_TEST(the_search_ends_with_the_last_answer) {
  const auto camera = started(control_only());
  const auto taken = started(control_only({"refuse"}));
  // This one would need 98 s to send its lens table, which is not asked for.
  const auto slow = camera_with({"slow-data:1"});
  const gint64 since = g_get_monotonic_time();
  const auto found = hw::find_cameras({camera->uri(), taken->uri(), slow->uri(),
                                       "madv://127.0.0.1:1", "http://127.0.0.1", "nonsense"},
                                      60s, nullptr);
  fail_unless(seconds_since(since) < 30);
  fail_unless_equals_int(found.size(), 3);
  for (const hw::FoundCamera& one : found) {
    fail_unless(one.in_use == (one.location == taken->uri()));
    fail_unless(one.in_use || !one.state.model.empty());
  }
  expect_all_closed(*camera);
}
GST_END_TEST;

GST_START_TEST(the_search_can_be_ended) {
  const UnreachablePort nobody;
  const std::string location = "madv://127.0.0.1:" + std::to_string(nobody.port());
  const ObjectRef<GCancellable> cancellable(g_cancellable_new());
  std::thread cancelling([&] {
    g_usleep(50000);
    g_cancellable_cancel(cancellable.get());
  });
  const gint64 since = g_get_monotonic_time();
  fail_unless(hw::find_cameras({location}, 60s, cancellable.get()).empty());
  fail_unless(seconds_since(since) < 10);
  cancelling.join();
  fail_unless(hw::find_cameras({location}, 50ms, nullptr).empty());
}
GST_END_TEST;

/// A camera that this program uses is found without a second client.
GST_START_TEST(a_camera_in_use_by_this_program_is_found) {
  const auto camera = camera_with();
  Pipeline pipeline(to_sink(*camera));
  pipeline.play();
  pull(pipeline, 5);
  expect_message(pipeline, "sphere-camera");
  const auto found = hw::find_cameras({camera->uri()}, 10s, nullptr);
  fail_unless(found.size() == 1 && !found[0].in_use && !found[0].state.model.empty());
  fail_unless_equals_int(camera->counters().connections, 1);
}
GST_END_TEST;

GST_START_TEST(the_monitor_has_the_camera_and_its_element_plays) {
  const auto camera = camera_with();
  g_setenv("SPHERE_CAMERAS", ("madv://127.0.0.1:1, " + camera->uri() + " wrong").c_str(), TRUE);
  const GstRef<GstDeviceMonitor> monitor(gst_device_monitor_new());
  const CapsRef caps(gst_caps_new_empty_simple("video/x-h264"));
  fail_unless(gst_device_monitor_add_filter(monitor.get(), "Video/Source", caps.get()) != 0);
  fail_unless(gst_device_monitor_start(monitor.get()));
  const Devices devices(gst_device_monitor_get_devices(monitor.get()));
  GstDevice* ours = nullptr;
  for (GList* one = devices.get(); one; one = one->next) {
    const std::unique_ptr<GstStructure, Call<gst_structure_free>> properties(
        gst_device_get_properties(GST_DEVICE(one->data)));
    if (!properties || !gst_structure_has_name(properties.get(), "sphere-camera-device")) continue;
    const std::string location = to_string(gst_structure_get_string(properties.get(), "location"));
    if (location == camera->uri()) ours = GST_DEVICE(one->data);
    const GString_ text(gst_structure_to_string(properties.get()));
    fail_unless(strstr(text.get(), "MJXJ") == nullptr, "%s", text.get());
  }
  fail_unless(ours != nullptr);
  const GString_ name(gst_device_get_display_name(ours));
  fail_unless(strstr(name.get(), "127.0.0.1") != nullptr, "%s", name.get());
  // It is free for the element.
  expect_all_closed(*camera);
  GstElement* element = gst_device_create_element(ours, "camera");
  fail_unless(element != nullptr);
  {
    Pipeline pipeline("identity name=in ! appsink name=sink sync=false");
    gst_bin_add(GST_BIN(pipeline.element()), element);
    g_object_set(element, "latency", 0, "timeout", 60, nullptr);
    fail_unless(gst_element_link(element, pipeline.child("in").get()));
    pipeline.play();
    pull(pipeline, 5);
    fail_unless(gst_device_reconfigure_element(ours, pipeline.child("camera").get()));
    fail_unless(!gst_device_reconfigure_element(ours, pipeline.child("sink").get()));
  }
  const Stopwatch watch;
  gst_device_monitor_stop(monitor.get());
  expect_within(watch, 2, "stopping the monitor");
}
GST_END_TEST;

GST_START_TEST(the_provider_has_a_property) {
  g_unsetenv("SPHERE_CAMERAS");
  const auto camera = started(control_only());
  const GstRef<GstDeviceProvider> provider(
      gst_device_provider_factory_get_by_name("spheredeviceprovider"));
  fail_unless(provider != nullptr);
  g_object_set(provider.get(), "locations", camera->uri().c_str(), nullptr);
  for (const bool started_first : {false, true}) {
    if (started_first) fail_unless(gst_device_provider_start(provider.get()));
    const Devices devices(gst_device_provider_get_devices(provider.get()));
    int ours = 0;
    for (GList* one = devices.get(); one; one = one->next) {
      const GString_ name(gst_device_get_display_name(GST_DEVICE(one->data)));
      ours += strstr(name.get(), std::to_string(camera->ports().control).c_str()) ? 1 : 0;
    }
    fail_unless_equals_int(ours, 1);
    if (started_first) gst_device_provider_stop(provider.get());
  }
  g_object_set(provider.get(), "locations", nullptr, nullptr);
}
GST_END_TEST;

GST_START_TEST(services_are_uris) {
  const struct {
    const char* address;
    std::vector<std::string> fields;
    const char* location;
  } cases[] = {
      {"camera.local", {}, "madv://camera.local:7878/live"},
      {"camera.local",
       {"data-port=1", "name=x", "http-port=2"},
       "madv://camera.local:7878/live?data-port=1&http-port=2"},
      // Anybody may announce anything.
      {"camera.local", {"other-port=1"}, ""},
      {"camera.local", {"data-port=x"}, ""},
      {"camera.local", {"data-port=1&x=2"}, ""},
      {"camera local", {}, ""},
      {"203.0.113.77", {}, ""},
  };
  for (const auto& one : cases) {
    const std::string location = hw::location_of_service("madv", one.address, 7878, one.fields);
    fail_unless_equals_string(location.c_str(), one.location);
  }
  fail_unless(hw::location_of_service("unknown", "camera.local", 1, {}).empty());
  // With or without a daemon, it comes and goes.
  const hw::ServiceBrowser browser([] {});
  (void)browser.locations();
}
GST_END_TEST;

static Suite* camera_devices_suite() {
  Suite* suite = suite_create("camera_devices");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, the_search_ends_with_the_last_answer);
  tcase_add_test(tcase, the_search_can_be_ended);
  tcase_add_test(tcase, a_camera_in_use_by_this_program_is_found);
  tcase_add_test(tcase, the_monitor_has_the_camera_and_its_element_plays);
  tcase_add_test(tcase, the_provider_has_a_property);
  tcase_add_test(tcase, services_are_uris);
  return suite;
}

GST_CHECK_MAIN(camera_devices)

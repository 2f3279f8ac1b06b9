// SPDX-License-Identifier: LGPL-2.1-or-later
// spherestitch takes a stitcher, says which and why, and passes everything on to it.

#include <atomic>
#include <thread>

#include "gst/sphere/base/iterator.h"
#include "tests/check/changer.h"
#include "tests/check/pipeline.h"
#include "tests/tools/ramp.h"

#include <gst/check/gstharness.h>

using namespace sphere;
using namespace sphere::test;

namespace {

std::string text_property(GstElement* element, const char* name) {
  g_autofree char* text = nullptr;
  g_object_get(element, name, &text, nullptr);
  return to_string(text);
}

/// The element inside that draws.
GstRef<GstElement> stitcher_of(GstElement* bin) {
  for (auto& child : objects_of<GstElement>(gst_bin_iterate_elements(GST_BIN(bin))))
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(child.get()), "yaw"))
      return std::move(child);
  fail_unless(false, "it has no stitcher");
  return nullptr;
}

}  // namespace

GST_START_TEST(software_gl_selects_the_cpu_with_a_message) {
  const GstRef<GstElement> bin(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spherestitch", nullptr))));
  fail_unless(text_property(bin.get(), "stitcher") == "");
  g_autoptr(GstBus) bus = gst_bus_new();
  gst_element_set_bus(bin.get(), bus);
  fail_unless_equals_int(gst_element_set_state(bin.get(), GST_STATE_READY),
                         GST_STATE_CHANGE_SUCCESS);
  const std::string stitcher = text_property(bin.get(), "stitcher");
  const std::string reason = text_property(bin.get(), "reason");
  const MessageRef message(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
  fail_unless(message != nullptr);
  const GstStructure* told = gst_message_get_structure(message.get());
  fail_unless_equals_string(gst_structure_get_name(told), "sphere-stitcher");
  fail_unless_equals_string(gst_structure_get_string(told, "stitcher"), stitcher.c_str());
  fail_unless_equals_string(gst_structure_get_string(told, "reason"), reason.c_str());
  // The reason must fit the choice, whatever this machine has.
  if (stitcher == "cpuspherestitch")
    fail_unless(reason.find("software") != std::string::npos ||
                    reason.find("can't") != std::string::npos ||
                    reason.find("without GL") != std::string::npos,
                "%s", reason.c_str());
  else
    fail_unless(stitcher == "glspherestitch" && reason.find("GL runs on") == 0, "%s",
                reason.c_str());
  const GstRef<GstElement> child = stitcher_of(bin.get());
  fail_unless_equals_string(GST_OBJECT_NAME(gst_element_get_factory(child.get())),
                            stitcher.c_str());
  gst_element_set_state(bin.get(), GST_STATE_NULL);
  gst_element_set_bus(bin.get(), nullptr);
}
GST_END_TEST;

GST_START_TEST(properties_reach_the_stitcher_before_and_after_it_is_made) {
  const GstRef<GstElement> bin(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spherestitch", nullptr))));
  g_object_set(bin.get(), "lens", "gear360", "yaw", 12.0, "blend-width", 7.0, "threads", 3,
               nullptr);
  for (int round = 0; round < 2; ++round) {
    gst_element_set_state(bin.get(), GST_STATE_READY);
    const GstRef<GstElement> child = stitcher_of(bin.get());
    gdouble yaw = 0, width = 0;
    g_object_get(child.get(), "yaw", &yaw, "blend-width", &width, nullptr);
    fail_unless(yaw == 12 && width == 7);
    fail_unless(text_property(child.get(), "lens") == "gear360");
    g_object_set(bin.get(), "yaw", 40.0, nullptr);
    g_object_get(child.get(), "yaw", &yaw, nullptr);
    fail_unless(yaw == 40);
    g_object_set(bin.get(), "yaw", 12.0, nullptr);
    gst_element_set_state(bin.get(), GST_STATE_NULL);
  }
}
GST_END_TEST;

// GObject delays notifications while another thread sets a property; the value must not wait.
GST_START_TEST(properties_reach_the_stitcher_before_notifications) {
  const GstRef<GstElement> bin(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spherestitch", nullptr))));
  gst_element_set_state(bin.get(), GST_STATE_READY);
  const GstRef<GstElement> child = stitcher_of(bin.get());
  g_object_freeze_notify(G_OBJECT(bin.get()));
  g_object_set(bin.get(), "yaw", 40.0, nullptr);
  gdouble yaw = 0;
  g_object_get(child.get(), "yaw", &yaw, nullptr);
  fail_unless(yaw == 40, "%g", yaw);
  g_object_thaw_notify(G_OBJECT(bin.get()));
  gst_element_set_state(bin.get(), GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(threads_that_set_the_same_property_leave_one_value) {
  const GstRef<GstElement> bin(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spherestitch", nullptr))));
  gst_element_set_state(bin.get(), GST_STATE_READY);
  const GstRef<GstElement> child = stitcher_of(bin.get());
  for (int round = 0; round < 300; ++round) {
    std::atomic<bool> go = false;
    const auto set = [&](double first) {
      while (!go) std::this_thread::yield();
      for (int i = 0; i < 10; ++i) g_object_set(bin.get(), "yaw", first + i, nullptr);
    };
    std::thread one(set, 0.0), two(set, 100.0);
    go = true;
    one.join();
    two.join();
    gdouble outside = 0, inside = 0;
    g_object_get(bin.get(), "yaw", &outside, nullptr);
    g_object_get(child.get(), "yaw", &inside, nullptr);
    fail_unless(outside == inside, "round %d: %g outside, %g inside", round, outside, inside);
  }
  gst_element_set_state(bin.get(), GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(bin_has_every_property_of_the_stitchers) {
  const GstRef<GstElement> bin(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spherestitch", nullptr))));
  for (const char* name : {"cpuspherestitch", "glspherestitch"}) {
    const GstRef<GstElement> one(gst_element_factory_make(name, nullptr));
    if (!one) continue;  // built without GL
    gst_object_ref_sink(one.get());
    guint count = 0;
    g_autofree GParamSpec** specs =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(one.get()), &count);
    int own = 0;
    for (guint i = 0; i < count; ++i) {
      if (specs[i]->owner_type != G_OBJECT_TYPE(one.get())) continue;
      GParamSpec* same =
          g_object_class_find_property(G_OBJECT_GET_CLASS(bin.get()), specs[i]->name);
      fail_unless(same && same->value_type == specs[i]->value_type, "%s of %s", specs[i]->name,
                  name);
      ++own;
    }
    fail_unless(own >= 7);
  }
}
GST_END_TEST;

GST_START_TEST(it_gives_the_picture_of_its_stitcher) {
  const std::string head =
      "videotestsrc num-buffers=4 pattern=circular ! video/x-raw,format=NV12,width=640,height=320 "
      "! ";
  const std::string properties = " lens=gear360 yaw=33 pitch=-10", tail = " ! appsink name=sink";
  Pipeline bin(head + "spherestitch name=s" + properties + tail);
  bin.play();
  const bool on_gpu = text_property(bin.child("s").get(), "stitcher") == "glspherestitch";
  Pipeline direct(head +
                  (on_gpu ? "glupload ! glspherestitch" + properties + " ! gldownload"
                          : "cpuspherestitch" + properties) +
                  tail);
  direct.play();
  int buffers = 0;
  while (const SampleRef a = direct.pull()) {
    const SampleRef b = bin.pull();
    fail_unless(b != nullptr);
    const double db = psnr(component_of(a.get(), 0), component_of(b.get(), 0));
    fail_unless(db > 45, "%g dB", db);
    fail_unless_equals_uint64(GST_BUFFER_PTS(gst_sample_get_buffer(a.get())),
                              GST_BUFFER_PTS(gst_sample_get_buffer(b.get())));
    ++buffers;
  }
  fail_unless_equals_int(buffers, 4);
  fail_if(bin.pull());
}
GST_END_TEST;

GST_START_TEST(a_controller_of_the_bin_works) {
  Pipeline p(
      "videotestsrc num-buffers=31 ! "
      "video/x-raw,format=NV12,width=160,height=80,framerate=30/1 ! "
      "spherestitch name=s lens=dual-190 ! appsink name=sink");
  const GstRef<GstElement> stitch = p.child("s");
  ramp(stitch.get(), "yaw", GST_SECOND, 90);
  p.play();
  int buffers = 0;
  while (p.pull()) ++buffers;
  fail_unless_equals_int(buffers, 31);
  gdouble yaw = 0;
  g_object_get(stitcher_of(stitch.get()).get(), "yaw", &yaw, nullptr);
  fail_unless(std::abs(yaw - 90) < 1e-3, "%g", yaw);
}
GST_END_TEST;

GST_START_TEST(a_thousand_starts_and_stops_under_changing_properties) {
  Pipeline p(
      "videotestsrc ! video/x-raw,format=I420,width=64,height=32,framerate=30/1 ! "
      "spherestitch name=s lens=dual-190 ! appsink name=sink sync=false max-buffers=1");
  const int rounds = g_getenv("SPHERE_VALGRIND") ? 50 : 1000;
  PropertyChanger changer(p.child("s").get());
  for (int i = 0; i < rounds; ++i) {
    p.play();
    fail_unless(p.pull() != nullptr, "round %d", i);
    fail_unless_equals_int(p.set_state(i % 2 ? GST_STATE_NULL : GST_STATE_READY),
                           GST_STATE_CHANGE_SUCCESS);
  }
  fail_unless(changer.stop() > 0);
}
GST_END_TEST;

static Suite* spherestitch_suite() {
  Suite* suite = suite_create("spherestitch");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, software_gl_selects_the_cpu_with_a_message);
  tcase_add_test(tcase, properties_reach_the_stitcher_before_and_after_it_is_made);
  tcase_add_test(tcase, properties_reach_the_stitcher_before_notifications);
  tcase_add_test(tcase, threads_that_set_the_same_property_leave_one_value);
  tcase_add_test(tcase, bin_has_every_property_of_the_stitchers);
  tcase_add_test(tcase, it_gives_the_picture_of_its_stitcher);
  tcase_add_test(tcase, a_controller_of_the_bin_works);
  tcase_add_test(tcase, a_thousand_starts_and_stops_under_changing_properties);
  return suite;
}

GST_CHECK_MAIN(spherestitch)

// SPDX-License-Identifier: LGPL-2.1-or-later
// What sphereview reads: cubemaps and equi-angular ones, all formats, seams and poles of
// equirectangular pictures, seeks with keyframes, and wrong input.

#include "tests/check/views.h"

#include <gst/video/navigation.h>

using namespace sphere;
using namespace sphere::test;

namespace {

/// The scene as a sphere; more rays a pixel make it smoother.
SampleRef sphere_picture(const std::string& supersample = "1") {
  return sample_of("spheretestsrc num-buffers=1 output=equirect supersample=" + supersample +
                   " ! video/x-raw,format=Y444,width=1920,height=960");
}

/// The same, stored as another input.
SampleRef stored_as(const SampleRef& sphere, const std::string& input) {
  const std::string to =
      input == "equirect" ? "identity" : "cpusphereview interpolation=cubic projection=" + input;
  return sample_of(sphere, to);
}

int largest_difference(const Component& a, const Component& b) {
  fail_unless(a.samples.size() == b.samples.size() && !a.samples.empty());
  int most = 0;
  for (size_t i = 0; i < a.samples.size(); ++i)
    most = std::max(most, std::abs(a.samples[i] - b.samples[i]));
  return most;
}

void expect_word(const std::string& text, const char* word) {
  fail_unless(text.find(word) != std::string::npos, "'%s' does not tell '%s'", text.c_str(), word);
}

}  // namespace

GST_START_TEST(each_input_and_format_gives_the_true_view) {
  // Two edges and a corner of faces are in this view.
  const Angles angles = {40, 35, 10};
  const Component truth = true_view(angles, 100), off = true_view({40.5, 35, 10}, 100);
  const SampleRef sphere = sphere_picture("3");
  for (const std::string input : {"equirect", "cubemap", "eac"}) {
    const SampleRef stored = stored_as(sphere, input);
    for (const std::string format : {"NV12", "I420", "Y444", "RGBA", "P010_10LE"}) {
      const SampleRef picture = sample_of(stored, "videoconvert ! video/x-raw,format=" + format);
      for (const std::string& chain : chains(words(angles, 100) + " input=" + input)) {
        const Component view =
            luma_of(picture, chain + view_caps + " ! videoconvert ! video/x-raw,format=Y444");
        const double db = psnr(view, truth), beside = psnr(view, off);
        fail_unless(db > 28 && db > beside + 2, "%s, %s: %g dB, half a degree off %g dB",
                    format.c_str(), chain.c_str(), db, beside);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(each_input_goes_to_each_projection) {
  const SampleRef sphere = sphere_picture("2");
  const std::string inputs[] = {"cubemap", "eac"};
  const SampleRef stored[] = {stored_as(sphere, inputs[0]), stored_as(sphere, inputs[1])};
  for (const std::string_view projection : projection_names) {
    const std::string to = " projection=" + std::string(projection) +
                           " yaw=33 pitch=-20 ! video/x-raw,width=480,height=320";
    const Component wanted = luma_of(sphere, "cpusphereview" + to);
    for (int i = 0; i < 2; ++i) {
      const double db = psnr(luma_of(stored[i], "cpusphereview input=" + inputs[i] + to), wanted);
      fail_unless(db > 30, "%s to %s: %g dB", inputs[i].c_str(), std::string(projection).c_str(),
                  db);
    }
  }
}
GST_END_TEST

GST_START_TEST(sizes_are_chosen_for_the_input) {
  const SampleRef sphere = sphere_picture();
  for (const std::string input : {"equirect", "cubemap", "eac"}) {
    const SampleRef sample = sample_of(stored_as(sphere, input), "sphereview input=" + input);
    GstVideoInfo info;
    fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
    fail_unless(info.width == 960 && info.height == 540, "%s: %dx%d", input.c_str(), info.width,
                info.height);
  }
}
GST_END_TEST

// A quarter of a turn is a whole number of pixels, so that both pictures have the same samples, and
// only one has its edge in the middle of the view.
GST_START_TEST(the_edge_of_the_picture_is_invisible) {
  const SampleRef sphere = sphere_picture("3");
  const SampleRef turned = sample_of(
      sphere, "cpusphereview projection=equirect yaw=90 ! video/x-raw,width=1920,height=960");
  for (const char* more : {"", " interpolation=cubic"}) {
    const std::vector<std::string> at_edge = chains(std::string("fov=60 pitch=10 yaw=180") + more),
                                   elsewhere = chains(std::string("fov=60 pitch=10 yaw=90") + more);
    for (size_t i = 0; i < at_edge.size(); ++i) {
      const int most = largest_difference(luma_of(sphere, at_edge[i] + view_caps),
                                          luma_of(turned, elsewhere[i] + view_caps));
      // The weights of GL's texture filter are coarser.
      const int bound = at_edge[i].find("glsphereview") == std::string::npos ? 2 : 4;
      fail_unless(most <= bound, "%s: %d", at_edge[i].c_str(), most);
    }
  }
}
GST_END_TEST

GST_START_TEST(poles_are_invisible) {
  const SampleRef sphere = sphere_picture("3");
  for (const double pitch : {90.0, -90.0}) {
    const Angles angles = {25, pitch, 0};
    constexpr double fov = 40;
    const Component truth = true_view(angles, fov);
    const Canvas canvas(Projection::perspective, view_size, radians(fov));
    for (const std::string& chain : chains(words(angles, fov))) {
      const Component view = luma_of(sphere, chain + view_caps);
      double sum[2] = {}, count[2] = {};
      for (int y = 0; y < view.height; ++y)
        for (int x = 0; x < view.width; ++x) {
          const Vec3 d = canvas.direction(canvas.patches()[0], {x + 0.5, y + 0.5});
          const double away = degrees(angle_between(d, {0, 0, 1}));
          if (away > 8) continue;
          const double error = static_cast<double>(view.at(x, y)) - truth.at(x, y);
          sum[away > 2] += error * error;
          count[away > 2] += 1;
        }
      const double near = std::sqrt(sum[0] / count[0]), beside = std::sqrt(sum[1] / count[1]);
      fail_unless(near <= 1.3 * beside + 0.7, "%s: %g at the pole, %g beside it", chain.c_str(),
                  near, beside);
    }
  }
}
GST_END_TEST

GST_START_TEST(a_turn_and_a_full_turn_more_show_the_same) {
  const SampleRef sphere = sphere_picture();
  const auto view = [&](const std::string& yaw) {
    return luma_of(sphere, "cpusphereview yaw=" + yaw + view_caps);
  };
  fail_unless(largest_difference(view("190"), view("-170")) <= 1);
  fail_unless(largest_difference(view("-725"), view("-5")) <= 1);
  fail_if(largest_difference(view("190"), view("170")) <= 1);
}
GST_END_TEST

GST_START_TEST(a_seek_gives_the_picture_that_playing_gives) {
  constexpr int count = 24;
  Pipeline p(
      "spheretestsrc output=equirect ! video/x-raw,format=I420,width=320,"
      "height=160,framerate=12/1 ! cpusphereview name=v ! video/x-raw,width=160,height=90 ! "
      "appsink name=sink sync=false max-buffers=1");
  const char* moves =
      R"({"format":"gst-sphere-view","version":1,"keyframes":[{"time":0,"yaw":-100,"fov":120},)"
      R"({"time":0.7,"yaw":170,"pitch":30,"fov":60},{"time":1.3,"yaw":-170,"easing":"linear"},)"
      R"({"time":1.9,"yaw":20,"roll":40,"fov":100}]})";
  g_object_set(p.child("v").get(), "keyframes", moves, nullptr);
  p.play();
  std::vector<Component> played;
  for (int i = 0; i < count; ++i) {
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr, "%s", p.wait().c_str());
    played.push_back(component_of(sample.get(), 0));
  }
  for (int i = 1; i < count; ++i) fail_if(played[i].samples == played[i - 1].samples, "%d", i);
  p.set_state(GST_STATE_PAUSED);
  for (const int i : {17, 3, 0, 22, 9, 8, 23}) {
    fail_unless(gst_element_seek_simple(
        p.element(), GST_FORMAT_TIME,
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
        static_cast<gint64>(gst_util_uint64_scale(static_cast<guint64>(i), GST_SECOND, 12))));
    const SampleRef sample = p.pull_preroll();
    fail_unless(sample != nullptr);
    fail_unless(component_of(sample.get(), 0).samples == played[i].samples, "picture %d", i);
  }
}
GST_END_TEST

GST_START_TEST(editors_find_the_elements) {
  for (const char* name : {"sphereview", "cpusphereview", "glsphereview"}) {
    const GstRef<GstElementFactory> factory(gst_element_factory_find(name));
    if (!factory) {
      fail_unless(std::string(name) == "glsphereview" && !HAVE_GL);
      continue;
    }
    ck_assert_str_eq(gst_element_factory_get_metadata(factory.get(), GST_ELEMENT_METADATA_KLASS),
                     "Filter/Effect/Video");
    const GstRef<GstElement> element(
        GST_ELEMENT(gst_object_ref_sink(gst_element_factory_create(factory.get(), nullptr))));
    for (const char* property : {"yaw", "pitch", "roll", "fov"}) {
      const GParamSpec* spec =
          g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), property);
      fail_unless(spec && spec->flags & GST_PARAM_CONTROLLABLE, "%s", property);
    }
  }
}
GST_END_TEST

GST_START_TEST(wrong_input_is_told) {
  const auto problem = [](const std::string& line) {
    Pipeline p(line + " ! fakesink");
    return p.run();
  };
  const auto warning = [](const std::string& size, const std::string& view) {
    Pipeline p("videotestsrc num-buffers=1 ! video/x-raw,format=I420," + size + " ! " + view +
               " ! video/x-raw,width=64,height=64 ! appsink name=sink");
    p.play();
    fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
    return p.warning();
  };
  expect_word(problem("videotestsrc num-buffers=1 ! video/x-raw,width=36,height=24 ! sphereview "
                      "input=cubemap"),
              "too small");
  expect_word(warning("width=480,height=320", "sphereview"), "'cubemap' or 'eac'");
  expect_word(warning("width=480,height=240", "sphereview input=eac"), "'equirect' is");
  expect_word(warning("width=320,height=320", "sphereview"), "stereo");
  expect_word(warning("width=640,height=160", "sphereview"), "stereo");
  fail_unless(warning("width=480,height=320", "sphereview input=cubemap").empty());
  // Pictures of two lenses are as wide as a sphere, but their source names the lenses.
  for (const bool stitched : {false, true}) {
    Pipeline p(std::string("spheretestsrc num-buffers=1 ! video/x-raw,width=320,height=160 ! ") +
               (stitched ? "spherestitch ! " : "") + "sphereview ! appsink name=sink");
    p.play();
    fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
    if (stitched)
      fail_unless(p.warning().empty(), "%s", p.warning().c_str());
    else
      expect_word(p.warning(), "spherestitch");
  }
  // Odd sizes, also of faces.
  for (const char* input : {"cubemap", "eac"})
    for (const char* size : {"width=481,height=321", "width=302,height=201", "width=49,height=33"})
      fail_unless(problem(std::string("videotestsrc num-buffers=1 ! video/x-raw,format=NV12,") +
                          size + " ! cpusphereview pitch=40 interpolation=cubic input=" + input +
                          " ! video/x-raw,width=101,height=57")
                      .empty());
}
GST_END_TEST

GST_START_TEST(what_is_no_number_is_refused) {
  Pipeline p(
      "spheretestsrc output=equirect ! video/x-raw,format=NV12,width=320,height=160 ! "
      "cpusphereview name=v yaw=10 ! video/x-raw,width=160,height=90 ! "
      "appsink name=sink sync=false max-buffers=1");
  const GstRef<GstElement> view = p.child("v"), sink = p.child("sink");
  // GObject itself refuses it.
  ASSERT_WARNING(g_object_set(view.get(), "yaw", std::nan(""), nullptr));
  p.play();
  fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
  const auto send = [&](GstEvent* event) { gst_element_send_event(sink.get(), event); };
  const auto none = GST_NAVIGATION_MODIFIER_NONE;
  send(gst_navigation_event_new_mouse_button_press(1, 80, 45, none));
  send(gst_navigation_event_new_mouse_move(std::nan(""), 45, none));
  send(gst_navigation_event_new_mouse_button_release(1, std::nan(""), std::nan(""), none));
  send(gst_navigation_event_new_mouse_scroll(10, 10, 0, std::nan(""), none));
  double yaw = 0, pitch = 1, fov = 1;
  g_object_get(view.get(), "yaw", &yaw, "pitch", &pitch, "fov", &fov, nullptr);
  fail_unless(yaw == 10 && pitch == 0 && fov == 0, "%g %g %g", yaw, pitch, fov);
  // A drag after that works as ever.
  send(gst_navigation_event_new_mouse_button_press(1, 80, 45, none));
  send(gst_navigation_event_new_mouse_move(100, 45, none));
  g_object_get(view.get(), "yaw", &yaw, nullptr);
  fail_unless(yaw < 10 && yaw > -90, "%g", yaw);
  fail_unless(p.pull() != nullptr);
}
GST_END_TEST

static Suite* sphereview_input_suite() {
  Suite* suite = suite_create("sphereview_input");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, each_input_and_format_gives_the_true_view);
  tcase_add_test(tcase, each_input_goes_to_each_projection);
  tcase_add_test(tcase, sizes_are_chosen_for_the_input);
  tcase_add_test(tcase, the_edge_of_the_picture_is_invisible);
  tcase_add_test(tcase, poles_are_invisible);
  tcase_add_test(tcase, a_turn_and_a_full_turn_more_show_the_same);
  tcase_add_test(tcase, a_seek_gives_the_picture_that_playing_gives);
  tcase_add_test(tcase, editors_find_the_elements);
  tcase_add_test(tcase, wrong_input_is_told);
  tcase_add_test(tcase, what_is_no_number_is_refused);
  return suite;
}

GST_CHECK_MAIN(sphereview_input)

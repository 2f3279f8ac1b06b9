// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements that draw a view of a 360 picture: against the true view, against ffmpeg's v360, as
// a person turns them, and with keyframes.

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tests/check/ffmpeg.h"
#include "tests/check/views.h"

#include <gst/video/navigation.h>

#include "gst/sphere/orientation/gstsphereorientationmeta.h"

using namespace sphere;
using namespace sphere::test;

namespace {

const std::string source = "spheretestsrc num-buffers=1 output=equirect ";
const std::string caps = "! video/x-raw,format=I420,width=1920,height=960 ! ";

SampleRef sphere_picture() {
  return sample_of(source + "! video/x-raw,format=I420,width=1920,height=960");
}

}  // namespace

GST_START_TEST(a_view_is_the_true_one) {
  const SampleRef sphere = sphere_picture();
  for (const auto& [angles, fov] : std::vector<std::pair<Angles, double>>{
           {{0, 0, 0}, 90}, {{180, 0, 0}, 70}, {{-60, 35, 20}, 100}, {{20, 90, 0}, 110}}) {
    const Component truth = true_view(angles, fov),
                    off = true_view({angles.yaw + 0.5, angles.pitch, angles.roll}, fov);
    for (const std::string& chain : chains(words(angles, fov))) {
      const Component view = luma_of(sphere, chain + view_caps);
      const double db = psnr(view, truth);
      fail_unless(db > 30, "%s: %g dB", chain.c_str(), db);
      if (angles.pitch < 89) fail_unless(db > psnr(view, off) + 2);
    }
  }
}
GST_END_TEST

namespace {

/// A view whose points are exact and whose sums are not rounded: as accurate as an interpolation
/// can be. Without wrapping around: the views that are compared don't need it.
Component exact_view(const Component& sphere, const Angles& angles, double fov, bool cubic) {
  const Canvas canvas(Projection::perspective, view_size, radians(fov));
  const Mat3 view = rotation(angles);
  const int taps = cubic ? 4 : 2;
  const auto weights = [&](double t) -> std::array<double, 4> {
    const double s = 1 - t, p = t * s;
    if (!cubic) return {s, t};
    return {-p * s / 2, s + p - 1.5 * p * t, t + p - 1.5 * p * s, -p * t / 2};
  };
  Component c;
  c.width = view_size.width;
  c.height = view_size.height;
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x) {
      const Vec3 d = view * canvas.direction(canvas.patches()[0], {x + 0.5, y + 0.5});
      const Point at = equirect_point(d, {sphere.width, sphere.height});
      const double column = std::floor(at.x - 0.5), row = std::floor(at.y - 0.5);
      const auto across = weights(at.x - 0.5 - column), down = weights(at.y - 0.5 - row);
      double sum = 0;
      for (int n = 0; n < taps * taps; ++n) {
        const int i = n % taps, j = n / taps, before = cubic ? 1 : 0;
        const int from_x = (static_cast<int>(column) + i - before + sphere.width) % sphere.width;
        sum += across[static_cast<size_t>(i)] * down[static_cast<size_t>(j)] *
               sphere.at(from_x, static_cast<int>(row) + j - before);
      }
      c.samples.push_back(static_cast<uint8_t>(std::lround(std::clamp(sum, 0.0, 255.0))));
    }
  return c;
}

}  // namespace

// Straight ahead, v360's points are almost exact, too, and what is left is the interpolation's own
// error. There, exact points gain less than a decibel (docs/view.md).
GST_START_TEST(views_are_more_accurate_than_v360s) {
  if (!have_ffmpeg()) return;
  const SampleRef sphere = sphere_picture();
  const Component samples = component_of(sphere.get(), 0);
  const FfmpegInput input(sphere);
  const std::vector<std::pair<Angles, double>> views = {
      {{0, 0, 0}, 90}, {{-60, 35, 0}, 100}, {{180, -10, 0}, 75}};
  const std::string interpolations[] = {"linear", "cubic"};
  double more[2] = {};
  for (const auto& [angles, fov] : views) {
    const Component truth = true_view(angles, fov);
    const double down =
        degrees(2 * std::atan(std::tan(radians(fov) / 2) * view_size.height / view_size.width));
    for (int i = 0; i < 2; ++i) {
      const char* interpolation = interpolations[i].c_str();
      char filter[300];
      g_snprintf(filter, sizeof filter,
                 "v360=e:flat:yaw=%g:pitch=%g:h_fov=%g:v_fov=%g:w=%d:h=%d:interp=%s", angles.yaw,
                 angles.pitch, fov, down, view_size.width, view_size.height, interpolation);
      const double peer = psnr(input.filtered(filter, view_size.width, view_size.height), truth);
      const double ours = psnr(luma_of(sphere, "cpusphereview " + words(angles, fov) +
                                                   " interpolation=" + interpolation + view_caps),
                               truth);
      const double most = psnr(exact_view(samples, angles, fov, i == 1), truth);
      g_print("yaw %g, %s: ours %.2f dB, v360 %.2f dB, exact points %.2f dB\n", angles.yaw,
              interpolation, ours, peer, most);
      fail_unless(peer > 24, "v360 has %g dB", peer);
      fail_unless(ours > most - 0.05, "yaw %g, %s: %g dB, exact points have %g dB", angles.yaw,
                  interpolation, ours, most);
      fail_unless(ours >= peer + (angles == Angles{} ? 0.35 : 1), "yaw %g, %s: %g dB, v360 %g dB",
                  angles.yaw, interpolation, ours, peer);
      more[i] += (ours - peer) / static_cast<double>(views.size());
    }
  }
  for (int i = 0; i < 2; ++i)
    fail_unless(more[i] >= 1.5, "%s: %g dB more in the mean", interpolations[i].c_str(), more[i]);
}
GST_END_TEST

GST_START_TEST(sizes_are_chosen_for_the_projection) {
  const SampleRef sphere = sphere_picture();
  for (const auto& [projection, width, height] :
       std::vector<std::tuple<std::string, int, int>>{{"perspective", 960, 540},
                                                      {"little-planet", 960, 960},
                                                      {"cubemap", 1440, 960},
                                                      {"equirect", 1920, 960}}) {
    const SampleRef sample = sample_of(sphere, "sphereview projection=" + projection);
    GstVideoInfo info;
    fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
    fail_unless_equals_int(GST_VIDEO_INFO_WIDTH(&info), width);
    fail_unless_equals_int(GST_VIDEO_INFO_HEIGHT(&info), height);
  }
}
GST_END_TEST

namespace {

/// A picture that stands still, whose view is turned.
class StillView {
 public:
  explicit StillView(const std::string& properties)
      : pipeline_(
            "spheretestsrc output=equirect ! video/x-raw,format=NV12,width=640,height=320,"
            "framerate=30/1 ! sphereview name=v " +
            properties + view_caps + " ! appsink name=sink sync=false max-buffers=1") {
    pipeline_.play();
    fail_unless(pipeline_.pull() != nullptr, "%s", pipeline_.wait().c_str());
  }

  double get(const char* property) const {
    double value = 0;
    g_object_get(pipeline_.child("v").get(), property, &value, nullptr);
    return value;
  }
  Angles angles() const { return {get("yaw"), get("pitch"), get("roll")}; }

  /// As a window's sink does. Whether somebody took it.
  bool send(GstEvent* event) {
    const GstRef<GstElement> sink = pipeline_.child("sink");
    return gst_element_send_event(sink.get(), event);
  }
  void drag(Point from, Point to) {
    send(gst_navigation_event_new_mouse_button_press(1, from.x, from.y,
                                                     GST_NAVIGATION_MODIFIER_NONE));
    constexpr int steps = 10;
    for (int i = 1; i <= steps; ++i)
      send(gst_navigation_event_new_mouse_move(from.x + (to.x - from.x) * i / steps,
                                               from.y + (to.y - from.y) * i / steps,
                                               GST_NAVIGATION_MODIFIER_NONE));
    send(
        gst_navigation_event_new_mouse_button_release(1, to.x, to.y, GST_NAVIGATION_MODIFIER_NONE));
  }

 private:
  Pipeline pipeline_;
};

/// The direction in the picture that is seen at a point of the view.
Vec3 seen_at(const Angles& angles, double fov, Point at) {
  const Canvas canvas(Projection::perspective, view_size, radians(fov));
  return normalised(rotation(angles) * canvas.direction(canvas.patches()[0], at));
}

}  // namespace

GST_START_TEST(a_drag_keeps_what_was_grabbed_under_the_pointer) {
  for (const auto& [properties, angles] :
       std::vector<std::pair<std::string, Angles>>{{"", {}},
                                                   {"yaw=170 pitch=30", {170, 30, 0}},
                                                   {"yaw=-20 pitch=-40 roll=15", {-20, -40, 15}}}) {
    StillView view(properties);
    const Point from = {200, 150}, to = {420, 210};
    const Vec3 grabbed = seen_at(angles, 90, from);
    view.drag(from, to);
    const Angles now = view.angles();
    fail_unless(degrees(angle_between(seen_at(now, 90, to), grabbed)) < 0.1, "%s: yaw %g, pitch %g",
                properties.c_str(), now.yaw, now.pitch);
    fail_unless(now.yaw < angles.yaw, "a drag to the right looks to the left");
    fail_unless(now.roll == angles.roll);
  }
}
GST_END_TEST

// As sinks tell it that ask for events from time to time: where the pointer went last, then that
// the button was pressed and released.
GST_START_TEST(a_drag_without_movements_turns_too) {
  StillView view("");
  const auto none = GST_NAVIGATION_MODIFIER_NONE;
  view.send(gst_navigation_event_new_mouse_move(420, 180, none));
  view.send(gst_navigation_event_new_mouse_button_press(1, 200, 180, none));
  view.send(gst_navigation_event_new_mouse_button_release(1, 420, 180, none));
  fail_unless(degrees(angle_between(seen_at(view.angles(), 90, {420, 180}),
                                    seen_at({}, 90, {200, 180}))) < 0.1);
}
GST_END_TEST

GST_START_TEST(a_turn_goes_on_beyond_half_a_turn) {
  StillView view("yaw=170");
  view.drag({500, 180}, {100, 180});
  fail_unless(view.get("yaw") > 180, "%g", view.get("yaw"));
}
GST_END_TEST

GST_START_TEST(wheel_keys_and_fingers_change_the_view) {
  StillView view("");
  view.send(gst_navigation_event_new_mouse_scroll(10, 10, 0, 1, GST_NAVIGATION_MODIFIER_NONE));
  const double nearer = view.get("fov");
  fail_unless(nearer > 70 && nearer < 90, "%g", nearer);
  view.send(gst_navigation_event_new_mouse_scroll(10, 10, 0, -1, GST_NAVIGATION_MODIFIER_NONE));
  fail_unless(std::abs(view.get("fov") - 90) < 1e-6);
  const auto press = [&](const char* key) {
    return view.send(gst_navigation_event_new_key_press(key, GST_NAVIGATION_MODIFIER_NONE));
  };
  fail_unless(press("Right") && press("Right") && press("Up"));
  fail_unless(std::abs(view.get("yaw") - 10) < 1e-6 && std::abs(view.get("pitch") - 5) < 1e-6);
  fail_unless(press("plus") && view.get("fov") < 90);
  fail_unless(press("Home") && view.angles() == Angles{} && view.get("fov") == 0);
  // Two fingers that go apart to twice their distance.
  const auto none = GST_NAVIGATION_MODIFIER_NONE;
  view.send(gst_navigation_event_new_touch_down(1, 300, 180, 1, none));
  view.send(gst_navigation_event_new_touch_down(2, 340, 180, 1, none));
  view.send(gst_navigation_event_new_touch_motion(1, 280, 180, 1, none));
  view.send(gst_navigation_event_new_touch_motion(2, 360, 180, 1, none));
  fail_unless(std::abs(view.get("fov") - 45) < 1e-6, "%g", view.get("fov"));
  fail_unless(std::abs(view.get("yaw")) < 0.5, "%g", view.get("yaw"));
  view.send(gst_navigation_event_new_touch_up(1, 280, 180, none));
  view.send(gst_navigation_event_new_touch_up(2, 360, 180, none));
}
GST_END_TEST

GST_START_TEST(keyframes_replace_the_properties) {
  const std::string moves =
      R"({"format":"gst-sphere-view","version":1,"keyframes":[{"time":0,"yaw":0,"easing":"linear"},)"
      R"({"time":1,"yaw":90}]})";
  const auto picture = [&](const std::string& properties, int number) {
    Pipeline p(
        "spheretestsrc num-buffers=11 output=equirect ! video/x-raw,format=I420,width=640,"
        "height=320,framerate=10/1 ! cpusphereview name=v " +
        properties + view_caps + " ! appsink name=sink sync=false");
    if (properties.empty()) g_object_set(p.child("v").get(), "keyframes", moves.c_str(), nullptr);
    p.play();
    SampleRef sample;
    for (int i = 0; i <= number; ++i) sample = p.pull();
    fail_unless(sample != nullptr, "%s", p.wait().c_str());
    return component_of(sample.get(), 0).samples;
  };
  fail_unless(picture("", 5) == picture("yaw=45", 5));
  fail_unless(picture("", 10) == picture("yaw=90", 10));
  fail_if(picture("", 5) == picture("yaw=44", 5));
}
GST_END_TEST

GST_START_TEST(a_segment_without_times_is_no_problem) {
  // An appsrc has it that was not told its format.
  for (const char* keyframes :
       {"", R"({"format":"gst-sphere-view","version":1,"keyframes":[{"time":0,"yaw":90}]})"}) {
    Pipeline p(
        "appsrc name=src caps=video/x-raw,format=I420,width=64,height=32,framerate=30/1 ! "
        "cpusphereview name=v ! appsink name=sink");
    if (*keyframes) g_object_set(p.child("v").get(), "keyframes", keyframes, nullptr);
    p.play();
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 32 * 3 / 2, nullptr);
    gst_buffer_memset(buffer, 0, 128, 64 * 32 * 3 / 2);
    GST_BUFFER_PTS(buffer) = 0;
    fail_unless_equals_int(gst_app_src_push_buffer(GST_APP_SRC(p.child("src").get()), buffer),
                           GST_FLOW_OK);
    fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
  }
}
GST_END_TEST

GST_START_TEST(wrong_input_is_told) {
  const auto problem = [](const std::string& line) {
    Pipeline p(line + " ! fakesink");
    return p.run();
  };
  const auto has = [](const std::string& text, const char* word) {
    fail_unless(text.find(word) != std::string::npos, "'%s' does not tell '%s'", text.c_str(),
                word);
  };
  const std::string with =
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=640,height=320 "
      "! capssetter caps=video/x-raw,";
  has(problem(with + "multiview-mode=top-bottom ! sphereview"), "stereo");
  has(problem(with + "interlace-mode=interleaved ! sphereview"), "deinterlacer");
  has(problem(source + caps + "sphereview keyframes=/no/such/file"), "keyframes");
  has(problem(source + caps + "sphereview keyframes={}"), "format");
  Pipeline flat(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=640,height=360 ! "
      "sphereview ! appsink name=sink");
  flat.play();
  fail_unless(flat.pull() != nullptr);
  has(flat.warning(), "no 360 picture");
  // One that is, of an odd size.
  fail_unless(problem("spheretestsrc num-buffers=1 output=equirect ! "
                      "video/x-raw,format=I420,width=642,height=321 ! sphereview ! "
                      "video/x-raw,width=101,height=57")
                  .empty());
}
GST_END_TEST

GST_START_TEST(an_orientation_is_that_of_the_view) {
  Pipeline p(
      "appsrc name=src format=time caps=video/x-raw,format=I420,width=64,height=32,"
      "framerate=30/1 ! cpusphereview yaw=90 ! appsink name=sink sync=false");
  p.play();
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 32 * 3 / 2, nullptr);
  gst_buffer_memset(buffer, 0, 128, 64 * 32 * 3 / 2);
  gst_buffer_add_sphere_orientation_meta(buffer, 1, 0, 0, 0);
  GST_BUFFER_PTS(buffer) = 0;
  const GstRef<GstElement> src = p.child("src");
  fail_unless_equals_int(gst_app_src_push_buffer(GST_APP_SRC(src.get()), buffer), GST_FLOW_OK);
  const SampleRef sample = p.pull();
  fail_unless(sample != nullptr, "%s", p.wait().c_str());
  GstSphereOrientationMeta* meta =
      gst_buffer_get_sphere_orientation_meta(gst_sample_get_buffer(sample.get()));
  fail_unless(meta != nullptr);
  const double half = std::sqrt(0.5);
  fail_unless(std::abs(std::abs(meta->w) - half) < 1e-6 &&
              std::abs(std::abs(meta->y) - half) < 1e-6);
}
GST_END_TEST

static Suite* sphereview_suite() {
  Suite* suite = suite_create("sphereview");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, a_view_is_the_true_one);
  tcase_add_test(tcase, views_are_more_accurate_than_v360s);
  tcase_add_test(tcase, sizes_are_chosen_for_the_projection);
  tcase_add_test(tcase, a_drag_keeps_what_was_grabbed_under_the_pointer);
  tcase_add_test(tcase, a_drag_without_movements_turns_too);
  tcase_add_test(tcase, a_turn_goes_on_beyond_half_a_turn);
  tcase_add_test(tcase, wheel_keys_and_fingers_change_the_view);
  tcase_add_test(tcase, keyframes_replace_the_properties);
  tcase_add_test(tcase, a_segment_without_times_is_no_problem);
  tcase_add_test(tcase, wrong_input_is_told);
  tcase_add_test(tcase, an_orientation_is_that_of_the_view);
  return suite;
}

GST_CHECK_MAIN(sphereview)

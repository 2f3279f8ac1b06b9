// SPDX-License-Identifier: LGPL-2.1-or-later
// The source as an element: formats, sizes, numbers and times, seeking, events, errors.

#include "tests/check/pipeline.h"

#include <atomic>
#include <optional>
#include <thread>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/scene/marker.h"

using namespace sphere;
using namespace sphere::test;

namespace {

/// Few rays for each pixel, to be fast; most tests need no more.
const std::string quick = "spheretestsrc supersample=1 ";

std::optional<uint32_t> number_in(const Component& luma) {
  return read_marker([&](LonLat at) {
    const Point p = equirect_point(direction_of(at), {luma.width, luma.height});
    return luma.at(std::clamp(static_cast<int>(p.x), 0, luma.width - 1),
                   std::clamp(static_cast<int>(p.y), 0, luma.height - 1));
  });
}

void expect_format(const char* source, const char* caps, int width, int height,
                   GstVideoFormat format) {
  Pipeline p(quick + "num-buffers=1 " + source + " ! " + caps + " ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  if (!sample) fail_unless(false, "%s ! %s: %s", source, caps, p.wait().c_str());
  GstVideoInfo info;
  fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
  fail_unless_equals_int(GST_VIDEO_INFO_WIDTH(&info), width);
  fail_unless_equals_int(GST_VIDEO_INFO_HEIGHT(&info), height);
  fail_unless_equals_int(GST_VIDEO_INFO_FORMAT(&info), format);
  fail_unless_equals_int(GST_VIDEO_INFO_FPS_N(&info), 30);
}

/// The next picture, of 25 a second, has this number and its time.
void pull_picture(Pipeline& p, uint32_t i) {
  const SampleRef sample = p.pull();
  fail_unless(sample != nullptr, "picture %u", i);
  fail_unless_equals_uint64(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())),
                            i * 40 * GST_MSECOND);
  const std::optional<uint32_t> number = number_in(component_of(sample.get(), 0));
  fail_unless(number && *number == i, "picture %u", i);
}

}  // namespace

GST_START_TEST(sizes_follow_the_profile) {
  expect_format("", "video/x-raw", 1920, 960, GST_VIDEO_FORMAT_NV12);
  expect_format("", "video/x-raw,width=640", 640, 320, GST_VIDEO_FORMAT_NV12);
  expect_format("", "video/x-raw,height=200,format=RGBA", 400, 200, GST_VIDEO_FORMAT_RGBA);
  expect_format("lens=theta-s", "video/x-raw,width=640,format=I420", 640, 360,
                GST_VIDEO_FORMAT_I420);
  expect_format("lens=theta-s output=equirect", "video/x-raw,width=640,format=Y444", 640, 320,
                GST_VIDEO_FORMAT_Y444);
}
GST_END_TEST;

GST_START_TEST(the_colours_are_the_same_in_every_format) {
  const auto components_of = [](const std::string& caps) {
    Pipeline p(
        "spheretestsrc supersample=2 num-buffers=1 output=equirect ! video/x-raw,width=320," +
        caps + " ! videoconvert ! video/x-raw,format=Y444,colorimetry=bt709 ! appsink name=sink");
    p.play();
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr);
    std::vector<Component> all;
    for (int i = 0; i < 3; ++i) all.push_back(component_of(sample.get(), i));
    return all;
  };
  const std::vector<Component> reference = components_of("format=Y444,colorimetry=bt709");
  // The picture must have colours, or the comparison proves nothing.
  const auto [low, high] =
      std::minmax_element(reference[1].samples.begin(), reference[1].samples.end());
  fail_unless(*high - *low > 80, "%d", *high - *low);
  // Formats with a quarter of the chroma samples are less similar.
  const struct {
    const char* caps;
    double chroma;
  } cases[] = {{"format=RGBA", 44},
               {"format=NV12", 29},
               {"format=I420", 29},
               {"format=Y444,colorimetry=bt601", 44}};
  for (const auto& [caps, least_chroma] : cases) {
    const std::vector<Component> other = components_of(caps);
    fail_unless(psnr(reference[0], other[0]) > 45, "%s: luma %g dB", caps,
                psnr(reference[0], other[0]));
    for (int i : {1, 2})
      fail_unless(psnr(reference[i], other[i]) > least_chroma, "%s: chroma %g dB", caps,
                  psnr(reference[i], other[i]));
  }
}
GST_END_TEST;

GST_START_TEST(full_range_is_kept) {
  const auto darkest = [](const char* colorimetry) {
    Pipeline p(quick +
               "num-buffers=1 output=equirect ! video/x-raw,width=480,format=Y444,colorimetry=" +
               colorimetry + " ! appsink name=sink");
    p.play();
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr, "%s", colorimetry);
    const Component luma = component_of(sample.get(), 0);
    return *std::min_element(luma.samples.begin(), luma.samples.end());
  };
  // The plate is of 2 % grey.
  fail_unless_equals_int(darkest("bt709"), 20);
  fail_unless_equals_int(darkest("1:3:5:1"), 5);
}
GST_END_TEST;

GST_START_TEST(each_picture_has_its_number_and_time) {
  Pipeline p(quick +
             "num-buffers=12 output=equirect ! "
             "video/x-raw,width=480,framerate=30000/1001 ! appsink name=sink");
  p.play();
  Component before;
  for (uint32_t i = 0; i < 12; ++i) {
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr, "picture %u", i);
    const Component luma = component_of(sample.get(), 0);
    const std::optional<uint32_t> number = number_in(luma);
    fail_unless(number && *number == i, "picture %u", i);
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    fail_unless_equals_uint64(GST_BUFFER_PTS(buffer),
                              gst_util_uint64_scale(i, 1001 * GST_SECOND, 30000));
    fail_unless_equals_uint64(GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer),
                              gst_util_uint64_scale(i + 1, 1001 * GST_SECOND, 30000));
    fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), i);
    if (i) fail_unless(psnr(before, luma) < 60, "picture %u does not move", i);
    before = luma;
  }
  fail_unless(p.pull() == nullptr);
  fail_unless(p.wait().empty());
}
GST_END_TEST;

GST_START_TEST(numbers_survive_a_small_hard_compression) {
  Pipeline p(quick +
             "num-buffers=6 ! video/x-raw,width=960 ! cpuspherestitch ! "
             "jpegenc quality=35 ! jpegdec ! appsink name=sink");
  p.play();
  for (uint32_t i = 0; i < 6; ++i) {
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr, "picture %u", i);
    const std::optional<uint32_t> number = number_in(component_of(sample.get(), 0));
    fail_unless(number && *number == i, "picture %u", i);
  }
}
GST_END_TEST;

GST_START_TEST(a_seek_gives_the_picture_of_that_time) {
  Pipeline p(quick + "output=equirect ! video/x-raw,width=480,framerate=25/1 ! appsink name=sink");
  fail_unless(p.set_state(GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int(gst_element_get_state(p.element(), nullptr, nullptr, deadline),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless(gst_element_seek(
      p.element(), 1, GST_FORMAT_TIME,
      static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), GST_SEEK_TYPE_SET,
      10 * GST_SECOND, GST_SEEK_TYPE_SET, 10 * GST_SECOND + 120 * GST_MSECOND));
  p.play();
  for (uint32_t i = 250; i < 253; ++i) pull_picture(p, i);
  fail_unless(p.pull() == nullptr, "the segment's end was passed");
}
GST_END_TEST;

GST_START_TEST(a_seek_backwards_gives_the_pictures_in_reverse) {
  Pipeline p(quick + "output=equirect ! video/x-raw,width=480,framerate=25/1 ! appsink name=sink");
  fail_unless(p.set_state(GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int(gst_element_get_state(p.element(), nullptr, nullptr, deadline),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless(gst_element_seek(p.element(), -1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                               GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, 101 * GST_MSECOND));
  p.play();
  for (const uint32_t i : {2, 1, 0}) pull_picture(p, i);
  fail_unless(p.pull() == nullptr, "the begin was passed");
}
GST_END_TEST;

GST_START_TEST(live_pictures_come_by_the_clock) {
  Pipeline p(quick +
             "name=src is-live=true num-buffers=4 output=equirect ! "
             "video/x-raw,width=320,framerate=50/1 ! appsink name=sink sync=false");
  fail_unless_equals_int(p.set_state(GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  const gint64 begin = g_get_monotonic_time();
  p.play();
  int count = 0;
  while (p.pull()) ++count;
  fail_unless_equals_int(count, 4);
  // The time of the fourth picture is 60 ms; it may come later, but not earlier.
  fail_unless(g_get_monotonic_time() - begin >= 60 * G_TIME_SPAN_MILLISECOND);

  GstQuery* latency = gst_query_new_latency();
  gboolean live = FALSE;
  fail_unless(gst_element_query(p.child("src").get(), latency));
  gst_query_parse_latency(latency, &live, nullptr, nullptr);
  gst_query_unref(latency);
  fail_unless(live);
}
GST_END_TEST;

GST_START_TEST(lens_event_of_the_stream) {
  for (bool equirect : {false, true}) {
    Pipeline p(quick + "num-buffers=1 lens=gear360 " + (equirect ? "output=equirect " : "") +
               "! video/x-raw,width=320 ! appsink name=sink");
    p.play();
    fail_unless(p.pull() != nullptr);
    const GstRef<GstElement> sink = p.child("sink");
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    const EventRef event(
        gst_pad_get_sticky_event(pad.get(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
    fail_unless((event != nullptr) == !equirect);
    if (equirect) continue;
    const gchar* lens = nullptr;
    fail_unless(gst_event_parse_sphere_lens(event.get(), &lens));
    fail_unless_equals_string(lens, "gear360");
  }
}
GST_END_TEST;

GST_START_TEST(wrong_settings_are_errors) {
  const auto error = [](const std::string& line) { return Pipeline(line).run(); };
  fail_unless(error("spheretestsrc lens=no-such ! fakesink").find("no-such") != std::string::npos);
  const std::string misfit =
      error("spheretestsrc lens=theta-s ! video/x-raw,width=640,height=320 ! fakesink");
  fail_unless(misfit.find("640x360") != std::string::npos, "%s", misfit.c_str());
  const std::string tiny = error("spheretestsrc ! video/x-raw,width=8,height=4 ! fakesink");
  fail_unless(tiny.find("8x4") != std::string::npos, "%s", tiny.c_str());
}
GST_END_TEST;

GST_START_TEST(pixels_need_not_be_square) {
  // Half as many columns: stitched, the sphere is the same.
  const auto stitched = [](const char* caps) {
    Pipeline p(std::string("spheretestsrc supersample=3 num-buffers=1 ! ") + caps +
               " ! cpuspherestitch ! video/x-raw,width=480,height=240 ! appsink name=sink");
    p.play();
    const SampleRef sample = p.pull();
    if (!sample) fail_unless(false, "%s: %s", caps, p.wait().c_str());
    return component_of(sample.get(), 0);
  };
  const Component square = stitched("video/x-raw,width=1920,height=960");
  const Component narrow = stitched("video/x-raw,width=960,height=960,pixel-aspect-ratio=2/1");
  const double db = ws_psnr(square, narrow);
  fail_unless(db > 28, "%g dB", db);
}
GST_END_TEST;

GST_START_TEST(starts_stops_and_new_formats) {
  Pipeline p(quick + "! capsfilter name=caps caps=video/x-raw,width=64 ! appsink name=sink");
  const GstRef<GstElement> filter = p.child("caps");
  const int rounds = g_getenv("SPHERE_VALGRIND") ? 5 : 100;
  for (int i = 0; i < rounds; ++i) {
    p.play();
    fail_unless(p.pull() != nullptr, "round %d", i);
    g_autoptr(GstCaps) caps =
        gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, 64 + 32 * (i % 2), nullptr);
    g_object_set(filter.get(), "caps", caps, nullptr);
    fail_unless(p.pull() != nullptr, "round %d", i);
    fail_unless(p.set_state(GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
  }
}
GST_END_TEST;

static Suite* spheretestsrc_suite() {
  Suite* suite = suite_create("spheretestsrc");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, sizes_follow_the_profile);
  tcase_add_test(tcase, the_colours_are_the_same_in_every_format);
  tcase_add_test(tcase, full_range_is_kept);
  tcase_add_test(tcase, each_picture_has_its_number_and_time);
  tcase_add_test(tcase, numbers_survive_a_small_hard_compression);
  tcase_add_test(tcase, a_seek_gives_the_picture_of_that_time);
  tcase_add_test(tcase, a_seek_backwards_gives_the_pictures_in_reverse);
  tcase_add_test(tcase, live_pictures_come_by_the_clock);
  tcase_add_test(tcase, lens_event_of_the_stream);
  tcase_add_test(tcase, wrong_settings_are_errors);
  tcase_add_test(tcase, pixels_need_not_be_square);
  tcase_add_test(tcase, starts_stops_and_new_formats);
  return suite;
}

GST_CHECK_MAIN(spheretestsrc)

// SPDX-License-Identifier: LGPL-2.1-or-later
// cpuspherestitch as an element: negotiation, what it carries on, changes while it runs, and what
// it says to wrong input.

#include <array>
#include <optional>

#include "tests/check/changer.h"
#include "tests/check/pipeline.h"
#include "tests/check/process.h"
#include "tests/check/profile.h"
#include "tests/tools/ramp.h"

#include <gst/check/gstharness.h>

#include "gst/sphere/lens/gstspherelens.h"

using namespace sphere;
using namespace sphere::test;

namespace {

using HarnessRef = std::unique_ptr<GstHarness, Call<gst_harness_teardown>>;

const std::string source_caps = "video/x-raw,format=NV12,width=320,height=160,framerate=30/1";

/// The output caps of the element, for these source caps and these caps of a filter after it.
GstStructure* negotiated(const std::string& in, const std::string& out, std::string* error) {
  Pipeline p("videotestsrc num-buffers=1 ! " + in + " ! cpuspherestitch lens=dual-190 ! " +
             (out.empty() ? "identity" : out) + " ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  *error = p.wait();
  if (!sample) return nullptr;
  return gst_structure_copy(gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0));
}

void expect_size(const std::string& in, const std::string& out, int width, int height, int par_n,
                 int par_d) {
  std::string error;
  g_autoptr(GstStructure) s = negotiated(in, out, &error);
  fail_unless(s != nullptr, "%s to %s: %s", in.c_str(), out.c_str(), error.c_str());
  int w = 0, h = 0, n = 0, d = 0;
  gst_structure_get_int(s, "width", &w);
  gst_structure_get_int(s, "height", &h);
  gst_structure_get_fraction(s, "pixel-aspect-ratio", &n, &d);
  fail_unless(w == width && h == height && n * par_d == par_n * d,
              "%s to %s gave %dx%d, pixels %d:%d", in.c_str(), out.c_str(), w, h, n, d);
}

void expect_error(const std::string& line, const std::vector<std::string>& words) {
  Pipeline p(line);
  const std::string error = p.run();
  fail_if(error.empty(), "no error from %s", line.c_str());
  for (const std::string& word : words)
    fail_unless(error.find(word) != std::string::npos, "'%s' does not say '%s'", error.c_str(),
                word.c_str());
}

std::string raw(int width, int height, const std::string& more = "") {
  return "video/x-raw,format=NV12,framerate=30/1,width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + more;
}

HarnessRef harness() {
  HarnessRef h(gst_harness_new("cpuspherestitch"));
  g_object_set(h->element, "lens", "dual-190", nullptr);
  gst_harness_set_src_caps_str(h.get(), source_caps.c_str());
  return h;
}

GstBuffer* picture(GstHarness* h, uint8_t value = 90) {
  GstBuffer* buffer = gst_harness_create_buffer(h, 320 * 160 * 3 / 2);
  gst_buffer_memset(buffer, 0, value, 320 * 160 * 3 / 2);
  return buffer;
}

/// Flushes, changes size and format, stops and starts; `changing`: and properties change meanwhile.
void start_and_stop(int rounds, bool changing) {
  const HarnessRef h = harness();
  std::optional<PropertyChanger> changer;
  if (changing) changer.emplace(h->element);
  const auto push_one = [&](int width) {
    const int height = width / 2, size = width * height * 3 / 2;
    GstBuffer* in = gst_harness_create_buffer(h.get(), size);
    gst_buffer_memset(in, 0, 50, size);
    fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
    g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
    // The size depends on the current projection.
    fail_unless(gst_buffer_get_size(out) > 0);
  };
  const auto begin_segment = [&] {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    fail_unless(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  };
  GrowthCheck growth;
  for (int i = 0; i < rounds; ++i) {
    const int width = i % 2 ? 64 : 96;
    g_autofree char* caps =
        g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d,framerate=30/1",
                        i % 3 ? "NV12" : "I420", width, width / 2);
    gst_harness_set_src_caps_str(h.get(), caps);
    push_one(width);
    fail_unless(gst_harness_push_event(h.get(), gst_event_new_flush_start()));
    fail_unless(gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE)));
    begin_segment();
    push_one(width);
    fail_unless_equals_int(gst_element_set_state(h->element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    growth.round(i);
    fail_unless_equals_int(gst_element_set_state(h->element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    fail_unless(gst_harness_push_event(h.get(), gst_event_new_stream_start("again")));
    gst_harness_set_src_caps_str(h.get(), caps);
    begin_segment();
  }
  if (changer) fail_unless(changer->stop() > 0);
}

}  // namespace

GST_START_TEST(output_is_a_whole_sphere_at_the_width_of_both_lenses) {
  expect_size(raw(640, 320), "", 640, 320, 1, 1);
  expect_size(raw(640, 320), "video/x-raw,width=1024", 1024, 512, 1, 1);
  expect_size(raw(640, 320), "video/x-raw,height=200", 400, 200, 1, 1);
  expect_size(raw(640, 320), "video/x-raw,width=480,height=270", 480, 270, 9, 8);
  expect_size(raw(320, 320, ",pixel-aspect-ratio=2/1"), "", 640, 320, 1, 1);
}
GST_END_TEST;

GST_START_TEST(lenses_one_over_the_other_make_the_same_sphere) {
  // dual-190 with one lens above the other instead of beside it: the sphere must not change.
  g_autofree char* path = nullptr;
  const int file = g_file_open_tmp("sphere-XXXXXX.json", &path, nullptr);
  fail_unless(file >= 0);
  fail_unless(g_close(file, nullptr));
  fail_unless(g_file_set_contents(path, R"({
    "format": "gst-sphere-lens", "version": 1, "name": "stacked", "frame": [960, 1920],
    "layout": "over-under", "lenses": {
      "front": { "position": "bottom", "model": "equidistant", "fov": 190, "radius": 480 },
      "back": { "position": "top", "model": "equidistant", "fov": 190, "radius": 480 } } })",
                                  -1, nullptr));
  const std::string scene = "videotestsrc num-buffers=1 pattern=zone-plate kx2=20 ky2=20 kt=1 ! ";
  Pipeline wide(scene + "video/x-raw,format=I420,width=320,height=160 ! " +
                "cpuspherestitch lens=dual-190 ! appsink name=sink");
  wide.play();
  const SampleRef expected = wide.pull();
  fail_unless(expected != nullptr);

  Pipeline tall(
      "compositor name=c sink_0::ypos=0 sink_1::ypos=160 ! "
      "video/x-raw,format=I420,width=160,height=320 ! cpuspherestitch lens=" +
      std::string(path) + " ! appsink name=sink " + scene +
      "video/x-raw,format=I420,width=320,height=160 ! tee name=t " +
      "t. ! queue ! videocrop right=160 ! c.sink_0 "
      "t. ! queue ! videocrop left=160 ! c.sink_1");
  tall.play();
  const SampleRef stacked = tall.pull();
  fail_unless(stacked != nullptr);
  const Component a = component_of(expected.get(), 0), b = component_of(stacked.get(), 0);
  fail_unless_equals_int(b.width, 320);
  fail_unless(psnr(a, b) > 45, "%g dB", psnr(a, b));
  g_unlink(path);
}
GST_END_TEST;

GST_START_TEST(every_format_gives_the_same_picture) {
  for (const char* options : {"", "blend=multiband blend-width=3"}) {
    Component luma;
    for (const char* format : {"Y444", "I420", "NV12"}) {
      Pipeline p(std::string("videotestsrc num-buffers=3 pattern=circular ! video/x-raw,format=") +
                 format + ",width=640,height=320 ! cpuspherestitch lens=dual-190 yaw=40 pitch=20 " +
                 options + " ! appsink name=sink");
      p.play();
      int buffers = 0;
      while (const SampleRef sample = p.pull()) {
        const Component y = component_of(sample.get(), 0);
        if (luma.samples.empty()) luma = y;
        fail_unless(psnr(luma, y) > 60, "%s: %g dB", format, psnr(luma, y));
        ++buffers;
      }
      fail_unless_equals_int(buffers, 3);
    }
  }
}
GST_END_TEST;

GST_START_TEST(bands_are_blended_in_colour_and_alpha_is_left) {
  // The halves of the picture differ in each channel, and in nothing else.
  constexpr int width = 640, height = 320;
  const auto stitched = [&](const char* format, int components) {
    const HarnessRef h(gst_harness_new_parse("cpuspherestitch lens=dual-190 blend=multiband"));
    g_autofree char* caps =
        g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d", format, width, height);
    gst_harness_set_src_caps_str(h.get(), caps);
    std::vector<uint8_t> bytes(size_t{width} * height * components);
    const auto value = [&](int k, int x, int y) {
      return k == 3 ? 77 : 60 + 20 * k + (x < width / 2 ? 70 - 60 * k : 0) + y / 8;
    };
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int k = 0; k < components; ++k) {
          const size_t n = static_cast<size_t>(y) * width + x;
          const bool planar = components == 3;
          bytes[planar ? size_t{width} * height * k + n : n * components + k] =
              static_cast<uint8_t>(value(k, x, y));
        }
    GstBuffer* in = gst_harness_create_buffer(h.get(), bytes.size());
    gst_buffer_fill(in, 0, bytes.data(), bytes.size());
    fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
    g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
    gst_buffer_extract(out, 0, bytes.data(), bytes.size());
    return bytes;
  };
  const auto rgba = stitched("RGBA", 4), planes = stitched("Y444", 3);
  bool blended[3] = {};
  for (size_t n = 0; n < size_t{width} * height; ++n) {
    fail_unless_equals_int(rgba[4 * n + 3], 77);
    for (int k = 0; k < 3; ++k) {
      const int a = rgba[4 * n + k], b = planes[size_t{width} * height * k + n];
      if (std::abs(a - b) > 1) fail_unless(false, "component %d: %d, not %d", k, a, b);
      // About the mean of both lenses.
      const int middle = 60 + 20 * k + (70 - 60 * k) / 2 + 20;
      blended[k] |= std::abs(a - middle) < 3;
    }
  }
  for (bool b : blended) fail_unless(b);
}
GST_END_TEST;

GST_START_TEST(ten_bits_give_the_same_picture) {
  const auto luma_of = [](const std::string& format, const std::string& options) {
    Pipeline p(
        "spheretestsrc num-buffers=1 supersample=1 ! video/x-raw,format=I420,width=640 ! "
        "videoconvert dither=none ! video/x-raw,format=" +
        format + " ! cpuspherestitch pitch=20 " + options +
        " ! videoconvert dither=none ! video/x-raw,format=I420 ! appsink name=sink");
    p.play();
    const SampleRef sample = p.pull();
    if (!sample) fail_unless(false, "%s: %s", format.c_str(), p.wait().c_str());
    return std::array{component_of(sample.get(), 0), component_of(sample.get(), 1),
                      component_of(sample.get(), 2)};
  };
  // A wrong lens makes the pictures differ at the seam.
  for (const char* options : {"match=gain align=seam", "blend=multiband lens-fov=205"}) {
    const auto eight = luma_of("I420", options);
    for (const char* format : {"P010_10LE", "I420_10LE"}) {
      const auto ten = luma_of(format, options);
      for (int k : {0, 1, 2})
        fail_unless(psnr(eight[k], ten[k]) > 45, "%s, component %d: %g dB", format, k,
                    psnr(eight[k], ten[k]));
    }
  }
}
GST_END_TEST;

GST_START_TEST(seams_of_any_size_and_lens_are_matched) {
  // Includes seams that are one pixel wide, and lenses whose pictures do not overlap.
  for (const char* line : {
           "width=32,height=16 ! cpuspherestitch lens=dual-190 ",
           "width=66,height=33 ! cpuspherestitch lens=dual-190 ",
           "width=640,height=320 ! cpuspherestitch lens=dual-190 lens-fov=180 ",
           "width=640,height=320 ! cpuspherestitch lens=dual-190 lens-fov=182 blend=off ",
           "width=640,height=320 ! cpuspherestitch lens=dual-190 lens-fov=230 stitch-distance=0.3 ",
           "width=640,height=360 ! cpuspherestitch lens=theta-s stitch-distance=0.01 ",
       })
    for (const char* format : {"NV12", "RGBA", "I420_10LE"})
      for (const char* blend : {"", "blend=multiband blend-width=12 "}) {
        Pipeline p(std::string("videotestsrc num-buffers=4 pattern=snow ! video/x-raw,format=") +
                   format + "," + line + "match=gain align=seam interpolation=cubic yaw=50 " +
                   blend + "! appsink name=sink");
        p.play();
        int buffers = 0;
        while (p.pull()) ++buffers;
        if (buffers != 4) fail_unless(false, "%s, %s: %s", format, line, p.wait().c_str());
      }
}
GST_END_TEST;

GST_START_TEST(match_changes_while_playing) {
  const HarnessRef h = harness();
  // Brighter to the right, so that the lenses differ.
  std::vector<uint8_t> ramp = frame_with_depth(320, 160);
  for (size_t i = 0; i < ramp.size(); ++i)
    ramp[i] = static_cast<uint8_t>(ramp[i] * 2 / 3 + i % 320 / 4);
  const auto picture = [&] {
    GstBuffer* in = gst_harness_create_buffer(h.get(), ramp.size());
    gst_buffer_fill(in, 0, ramp.data(), ramp.size());
    fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
    g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
    std::vector<uint8_t> bytes(ramp.size());
    gst_buffer_extract(out, 0, bytes.data(), bytes.size());
    return bytes;
  };
  const auto plain = picture();
  const struct {
    const char* name;
    int on, off;
  } changes[] = {{"match", 1, 0}, {"align", 1, 0}, {"interpolation", 1, 0}, {"blend", 2, 1}};
  for (const auto& change : changes) {
    g_object_set(h->element, change.name, change.on, nullptr);
    fail_unless(picture() != plain, "%s changed nothing", change.name);
    g_object_set(h->element, change.name, change.off, nullptr);
    fail_unless(picture() == plain, "%s did not change back", change.name);
  }
}
GST_END_TEST;

GST_START_TEST(format_colour_and_rate_pass) {
  std::string error;
  g_autoptr(GstStructure) s = negotiated(
      "video/x-raw,format=I420,width=640,height=320,framerate=25/1,colorimetry=bt601,"
      "chroma-site=jpeg",
      "", &error);
  fail_unless(s != nullptr, "%s", error.c_str());
  fail_unless_equals_string(gst_structure_get_string(s, "format"), "I420");
  fail_unless_equals_string(gst_structure_get_string(s, "colorimetry"), "bt601");
  fail_unless_equals_string(gst_structure_get_string(s, "chroma-site"), "jpeg");
  int n = 0, d = 0;
  fail_unless(gst_structure_get_fraction(s, "framerate", &n, &d) && n == 25 && d == 1);
}
GST_END_TEST;

GST_START_TEST(times_and_metas_pass_except_regions_of_interest) {
  const HarnessRef h = harness();
  GstBuffer* in = picture(h.get());
  GST_BUFFER_PTS(in) = 5 * GST_SECOND;
  GST_BUFFER_DURATION(in) = 33 * GST_MSECOND;
  GST_BUFFER_OFFSET(in) = 42;
  GstVideoTimeCode set{};
  gst_video_time_code_init(&set, 30, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
  gst_buffer_add_video_time_code_meta(in, &set);
  gst_video_time_code_clear(&set);
  g_autoptr(GstCaps) clock = gst_caps_new_empty_simple("timestamp/x-unix");
  gst_buffer_add_reference_timestamp_meta(in, clock, 777, GST_CLOCK_TIME_NONE);
  gst_buffer_add_video_region_of_interest_meta(in, "face", 1, 2, 3, 4);

  fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
  g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
  fail_unless_equals_uint64(GST_BUFFER_PTS(out), 5 * GST_SECOND);
  fail_unless_equals_uint64(GST_BUFFER_DURATION(out), 33 * GST_MSECOND);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET(out), 42);
  const GstVideoTimeCodeMeta* time_code = gst_buffer_get_video_time_code_meta(out);
  fail_unless(time_code && time_code->tc.seconds == 3);
  const GstReferenceTimestampMeta* stamp = gst_buffer_get_reference_timestamp_meta(out, nullptr);
  fail_unless(stamp && stamp->timestamp == 777);
  fail_if(gst_buffer_get_video_region_of_interest_meta(out));
}
GST_END_TEST;

GST_START_TEST(lens_event_of_the_stream) {
  // Without the property `lens` the event decides; without both, dual-190 with a warning is used.
  const auto first_row = [](const char* lens_event, const char* property, std::string* warning) {
    Pipeline p("appsrc name=src format=time caps=" + source_caps + " ! cpuspherestitch name=s ! " +
               "appsink name=sink");
    if (property) g_object_set(p.child("s").get(), "lens", property, nullptr);
    const GstRef<GstElement> src = p.child("src");
    p.play();
    const GstRef<GstPad> pad(gst_element_get_static_pad(src.get(), "src"));
    g_autoptr(GstBuffer) buffer = gst_buffer_new_allocate(nullptr, 320 * 160 * 3 / 2, nullptr);
    GstMapInfo map;
    fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; ++i) map.data[i] = static_cast<uint8_t>(i % 320 / 2);
    gst_buffer_unmap(buffer, &map);
    if (lens_event) gst_element_send_event(src.get(), gst_event_new_sphere_lens(lens_event));
    gst_app_src_push_buffer(GST_APP_SRC(src.get()), GST_BUFFER(g_steal_pointer(&buffer)));
    gst_app_src_end_of_stream(GST_APP_SRC(src.get()));
    const SampleRef sample = p.pull();
    fail_unless(sample != nullptr);
    *warning = p.warning();
    const Component y = component_of(sample.get(), 0);
    return std::vector<uint8_t>(y.samples.begin() + 80 * 320, y.samples.begin() + 81 * 320);
  };
  std::string warning;
  const auto assumed = first_row(nullptr, nullptr, &warning);
  fail_unless(warning.find("dual-190") != std::string::npos, "%s", warning.c_str());
  const auto told = first_row("gear360", nullptr, &warning);
  fail_unless(warning.empty(), "%s", warning.c_str());
  const auto set = first_row(nullptr, "gear360", &warning);
  fail_unless(warning.empty(), "%s", warning.c_str());
  const auto overruled = first_row("gear360", "dual-190", &warning);
  fail_unless(told == set);
  fail_unless(told != assumed);
  fail_unless(overruled == assumed);
}
GST_END_TEST;

GST_START_TEST(views_change_while_it_plays) {
  const HarnessRef h = harness();
  std::vector<uint8_t> ramp(320 * 160 * 3 / 2);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<uint8_t>(i % 320 / 2);
  const auto row = [&] {
    GstBuffer* in = gst_harness_create_buffer(h.get(), ramp.size());
    gst_buffer_fill(in, 0, ramp.data(), ramp.size());
    fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
    g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
    std::vector<uint8_t> bytes(320);
    gst_buffer_extract(out, 80 * 320, bytes.data(), bytes.size());
    return bytes;
  };
  const auto level = row();
  g_object_set(h->element, "yaw", 90.0, nullptr);
  const auto turned = row();
  fail_unless(level != turned);
  // The direction 90 degrees to the right is now in the middle.
  fail_unless(std::abs(turned[160] - level[240]) <= 2 && std::abs(turned[80] - level[160]) <= 2);
  g_object_set(h->element, "yaw", 0.0, nullptr);
  fail_unless(row() == level);
  for (const char* name : {"lens-fov", "pitch", "roll", "blend-width"}) {
    gdouble before = 0;
    g_object_get(h->element, name, &before, nullptr);
    g_object_set(h->element, name, before + (strcmp(name, "lens-fov") ? 5 : 200), nullptr);
    fail_unless(row() != level, "%s changed nothing", name);
    g_object_set(h->element, name, before, nullptr);
    fail_unless(row() == level, "%s did not change back", name);
  }
  g_object_set(h->element, "lens-fov", 60.0, nullptr);
  const auto narrow = row();
  g_object_set(h->element, "lens-fov", 1.0, nullptr);
  fail_unless(row() == narrow);
  g_object_set(h->element, "lens-fov", 0.0, nullptr);
  // It has no effect, because the whole sphere is shown.
  g_object_set(h->element, "fov", 120.0, nullptr);
  fail_unless(row() == level);
  g_object_set(h->element, "fov", 0.0, nullptr);
  gst_util_set_object_arg(G_OBJECT(h->element), "blend", "off");
  fail_unless(row() != level);
}
GST_END_TEST;

GST_START_TEST(a_controller_turns_the_view_by_presentation_time) {
  const HarnessRef h = harness();
  ramp(h->element, "yaw", 10 * GST_SECOND, 100);
  for (int second : {1, 7, 3}) {
    GstBuffer* in = picture(h.get());
    GST_BUFFER_PTS(in) = second * GST_SECOND;
    fail_unless_equals_int(gst_harness_push(h.get(), in), GST_FLOW_OK);
    gst_buffer_unref(gst_harness_pull(h.get()));
    gdouble yaw = 0;
    g_object_get(h->element, "yaw", &yaw, nullptr);
    fail_unless(std::abs(yaw - 10 * second) < 1e-6, "%g at %d s", yaw, second);
  }
}
GST_END_TEST;

GST_START_TEST(a_still_grey_picture_stays_grey_on_any_thread_count) {
  for (int threads : {0, 1, 2, 3, 7}) {
    const HarnessRef h = harness();
    g_object_set(h->element, "threads", threads, nullptr);
    fail_unless_equals_int(gst_harness_push(h.get(), picture(h.get(), 90)), GST_FLOW_OK);
    g_autoptr(GstBuffer) out = gst_harness_pull(h.get());
    GstMapInfo map;
    fail_unless(gst_buffer_map(out, &map, GST_MAP_READ));
    fail_unless(std::all_of(map.data, map.data + map.size, [](uint8_t v) { return v == 90; }));
    gst_buffer_unmap(out, &map);
  }
}
GST_END_TEST;

GST_START_TEST(warnings_are_posted_once) {
  Pipeline p("videotestsrc num-buffers=3 ! " + raw(640, 320) +
             ",interlace-mode=interleaved ! cpuspherestitch lens=dual-190 ! fakesink");
  const std::string first = p.run();
  fail_unless(first.find("deinterlacer") != std::string::npos, "%s", first.c_str());
  p.set_state(GST_STATE_PAUSED);  // until the source has given up
  const std::string second = p.wait();
  fail_unless(!second.empty() && second.find("deinterlacer") == std::string::npos, "%s",
              second.c_str());
}
GST_END_TEST;

GST_START_TEST(wrong_input_has_a_helpful_error) {
  const std::string tail = " ! cpuspherestitch lens=dual-190 ! fakesink";
  expect_error("videotestsrc num-buffers=1 ! " + raw(1920, 1080) + tail,
               {"1920x1080", "dual-190", "1920x960"});
  expect_error("videotestsrc num-buffers=1 ! " + raw(16, 8) + tail, {"16x8"});
  expect_error("videotestsrc num-buffers=1 ! " + raw(640, 320) +
                   " ! cpuspherestitch lens=nonesuch ! fakesink",
               {"nonesuch", "gear360"});
  expect_error("videotestsrc num-buffers=1 ! " + raw(640, 320) +
                   " ! cpuspherestitch lens=/no/such.json ! fakesink",
               {"/no/such.json"});
  g_autofree char* path = nullptr;
  const int file = g_file_open_tmp("sphere-XXXXXX.json", &path, nullptr);
  g_close(file, nullptr);
  g_file_set_contents(path, "\x89PNG\r\n", -1, nullptr);
  expect_error("videotestsrc num-buffers=1 ! " + raw(640, 320) + " ! cpuspherestitch lens=" + path +
                   " ! fakesink",
               {path});
  g_unlink(path);
}
GST_END_TEST;

GST_START_TEST(wrong_lens_while_playing_is_an_error) {
  const HarnessRef h = harness();
  g_autoptr(GstBus) bus = gst_bus_new();
  gst_element_set_bus(h->element, bus);
  fail_unless_equals_int(gst_harness_push(h.get(), picture(h.get())), GST_FLOW_OK);
  g_object_set(h->element, "lens", "nonesuch", nullptr);
  fail_unless_equals_int(gst_harness_push(h.get(), picture(h.get())), GST_FLOW_ERROR);
  const MessageRef message(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  fail_unless(message != nullptr);
  // After the property is corrected, it works.
  g_object_set(h->element, "lens", "gear360", nullptr);
  fail_unless_equals_int(gst_harness_push(h.get(), picture(h.get())), GST_FLOW_OK);
  gst_element_set_bus(h->element, nullptr);
}
GST_END_TEST;

GST_START_TEST(a_thousand_starts_stops_flushes_and_sizes) { start_and_stop(1000, false); }
GST_END_TEST;

GST_START_TEST(starts_stops_flushes_and_sizes_under_changing_properties) {
  start_and_stop(g_getenv("SPHERE_VALGRIND") ? 100 : 250, true);
}
GST_END_TEST;

GST_START_TEST(properties_set_from_another_thread_while_it_plays) {
  const int frames = g_getenv("SPHERE_VALGRIND") ? 30 : 200;
  play_while_changed("videotestsrc num-buffers=" + std::to_string(frames) + " ! " + source_caps +
                         " ! cpuspherestitch name=s lens=dual-190 ! appsink name=sink",
                     frames);
}
GST_END_TEST;

static Suite* cpuspherestitch_suite() {
  Suite* suite = suite_create("cpuspherestitch");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, output_is_a_whole_sphere_at_the_width_of_both_lenses);
  tcase_add_test(tcase, lenses_one_over_the_other_make_the_same_sphere);
  tcase_add_test(tcase, every_format_gives_the_same_picture);
  tcase_add_test(tcase, bands_are_blended_in_colour_and_alpha_is_left);
  tcase_add_test(tcase, ten_bits_give_the_same_picture);
  tcase_add_test(tcase, seams_of_any_size_and_lens_are_matched);
  tcase_add_test(tcase, match_changes_while_playing);
  tcase_add_test(tcase, format_colour_and_rate_pass);
  tcase_add_test(tcase, times_and_metas_pass_except_regions_of_interest);
  tcase_add_test(tcase, lens_event_of_the_stream);
  tcase_add_test(tcase, views_change_while_it_plays);
  tcase_add_test(tcase, a_controller_turns_the_view_by_presentation_time);
  tcase_add_test(tcase, a_still_grey_picture_stays_grey_on_any_thread_count);
  tcase_add_test(tcase, warnings_are_posted_once);
  tcase_add_test(tcase, wrong_input_has_a_helpful_error);
  tcase_add_test(tcase, wrong_lens_while_playing_is_an_error);
  tcase_add_test(tcase, a_thousand_starts_stops_flushes_and_sizes);
  tcase_add_test(tcase, starts_stops_flushes_and_sizes_under_changing_properties);
  tcase_add_test(tcase, properties_set_from_another_thread_while_it_plays);
  return suite;
}

GST_CHECK_MAIN(cpuspherestitch)

// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's own lens table: made, read, planned with, and refused.

#include "tests/check/imperfect.h"
#include "tests/check/pipeline.h"

#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/stitch/plan.h"

using namespace sphere;
using namespace sphere::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr Size full = {3840, 1920};

LensPair imperfect() {
  const Result<LensPair> pair = parse_profile(imperfect_profile, "imperfect");
  fail_unless(static_cast<bool>(pair));
  return *pair;
}

const Bytes& table() {
  static const Bytes bytes = *make_table(imperfect());
  return bytes;
}

float between(const WarpGrid& plan, const std::vector<float>& v, double x, double y) {
  const double gx = x / plan.cell, gy = y / plan.cell;
  const int c = static_cast<int>(gx), r = static_cast<int>(gy);
  const double fx = gx - c, fy = gy - r;
  const size_t n = static_cast<size_t>(r) * plan.nodes_per_row() + c, m = n + plan.nodes_per_row();
  return static_cast<float>((v[n] * (1 - fx) + v[n + 1] * fx) * (1 - fy) +
                            (v[m] * (1 - fx) + v[m + 1] * fx) * fy);
}

/// What parse_table() says to bytes that it must refuse.
std::string refusal(const Bytes& bytes) {
  const Result<LensPair> pair = parse_table(bytes, "t");
  fail_if(static_cast<bool>(pair), "it was taken");
  return pair.error().message;
}

void expect(const std::string& text, const char* word) {
  fail_unless(text.find(word) != std::string::npos, "'%s' does not say '%s'", text.c_str(), word);
}

uint32_t word_at(const Bytes& bytes, size_t at) {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}

}  // namespace

GST_START_TEST(a_table_gives_the_plan_of_the_lenses_it_was_made_of) {
  const Result<LensPair> read = parse_table(table(), "t");
  if (!read) fail_unless(false, "%s", read.error().message.c_str());
  for (Size source : {Size{2304, 1152}, Size{3456, 1728}, Size{3840, 1920}}) {
    const LensPair exact = imperfect().scaled_to(source);
    const Result<Planner> planner = Planner::make(*read, source, full);
    fail_unless(static_cast<bool>(planner));
    for (const Angles& angles : {Angles{}, Angles{37, 52, 23}}) {
      const Mat3 view = rotation(angles);
      WarpGrid plan;
      planner->build(view, plan);
      double worst = 0;
      long compared = 0;
      for (double y = 0.5; y < full.height; y += 7)
        for (double x = 0.5; x < full.width; x += 11) {
          const Vec3 d = view * equirect_direction({x, y}, full);
          const double first_weight = planner->first_weight(d);
          for (int i = 0; i < 2; ++i) {
            if (i ? first_weight >= 1 : first_weight <= 0) continue;
            const Point p = exact[i].project(d);
            worst = std::max<double>(worst, std::hypot(between(plan, plan.layer[i].x, x, y) - p.x,
                                                       between(plan, plan.layer[i].y, x, y) - p.y));
            ++compared;
          }
        }
      fail_unless(compared > 90000);
      fail_unless(worst < 0.1, "%dx%d, yaw %g: %g px", source.width, source.height, angles.yaw,
                  worst);
    }
  }
}
GST_END_TEST;

GST_START_TEST(other_grid_sizes) {
  const LensPair exact = imperfect();
  for (Size grid : {Size{181, 91}, Size{257, 129}, Size{512, 256}}) {
    const Result<Bytes> bytes = make_table(exact, grid);
    fail_unless(static_cast<bool>(bytes));
    const Result<LensPair> read = parse_table(*bytes, "t");
    if (!read)
      fail_unless(false, "%dx%d: %s", grid.width, grid.height, read.error().message.c_str());
    double worst = 0;
    for (double off = 0; off < 91; off += 1.7)
      for (double side = 0; side < 360; side += 7)
        for (int i = 0; i < 2; ++i) {
          const Vec3 d = exact[i].to_camera * Vec3{std::sin(radians(off)) * std::cos(radians(side)),
                                                   std::sin(radians(off)) * std::sin(radians(side)),
                                                   std::cos(radians(off))};
          const Point a = exact[i].project(d), b = (*read)[i].project(d);
          worst = std::max(worst, std::hypot(a.x - b.x, a.y - b.y));
          // And back.
          const Vec3 again = (*read)[i].unproject(b);
          fail_unless(angle_between(again, d) < 1e-4 || off == 0, "%g off", off);
        }
    fail_unless(worst < 0.05, "%dx%d: %g px", grid.width, grid.height, worst);
  }
}
GST_END_TEST;

GST_START_TEST(truncated_tables_are_errors) {
  const Result<Bytes> small = make_table(imperfect(), {91, 46});
  fail_unless(static_cast<bool>(small));
  Bytes bytes = *small;
  int refused = 0;
  const size_t size = bytes.size();
  for (size_t cut = 0; cut < size; cut += cut < 200 ? 1 : 97) {
    const Result<LensPair> pair = parse_table({bytes.data(), cut}, "t");
    if (pair) fail_unless(false, "cut at %zu of %zu it was taken", cut, size);
    ++refused;
  }
  fail_unless(refused > 300, "%d", refused);
}
GST_END_TEST;

GST_START_TEST(damage_is_refused_and_named) {
  expect(refusal({}), "directory");
  Bytes bytes = table();
  bytes[0] = 0xff;
  bytes[3] = 0xff;
  expect(refusal(bytes), "r_x_int is outside");
  bytes = table();
  bytes[8 + 4 + 3] = 0x7f;
  expect(refusal(bytes), "r_x_min is outside");
  // No PNG, another depth, another size.
  bytes = table();
  bytes[word_at(bytes, 16)] = 'X';
  expect(refusal(bytes), "r_y_int is not a PNG");
  bytes = table();
  bytes[word_at(bytes, 16) + 24] = 8;
  expect(refusal(bytes), "r_y_int is not a PNG with 16-bit grey");
  bytes = table();
  bytes[word_at(bytes, 16) + 19] ^= 1;
  expect(refusal(bytes), "another size");
  // A huge size is refused before memory is allocated for it.
  bytes = table();
  for (int k = 0; k < 8; ++k) bytes[word_at(bytes, k * 8) + 16] = 0x7f;
  expect(refusal(bytes), "grid");
  // The compressed bytes are damaged.
  bytes = table();
  for (size_t i = 0; i < 400; ++i) bytes[word_at(bytes, 0) + 60 + i] ^= 0x5a;
  expect(refusal(bytes), "damaged");
  // The lenses are exchanged, so nothing fits.
  bytes = table();
  for (int k = 0; k < 32; ++k) std::swap(bytes[k], bytes[k + 32]);
  expect(refusal(bytes), "lens");
}
GST_END_TEST;

GST_START_TEST(lens_outside_of_the_frame_has_holes) {
  LensPair narrow = imperfect();
  // The circle of the front lens reaches out of the frame.
  narrow.front.centre.y = 700;
  const Result<Bytes> bytes = make_table(narrow);
  fail_unless(static_cast<bool>(bytes));
  const std::string text = refusal(*bytes);
  expect(text, "right lens");
  expect(text, "92");
}
GST_END_TEST;

GST_START_TEST(only_side_by_side_pairs_have_a_table) {
  const Result<LensPair> pair = load_profile("gear360");
  fail_unless(static_cast<bool>(pair));
  LensPair swapped = *load_profile("dual-190");
  std::swap(swapped.front.region, swapped.back.region);
  fail_if(static_cast<bool>(make_table(swapped)));
  fail_if(static_cast<bool>(make_table(imperfect(), {8, 4})));
  fail_if(static_cast<bool>(make_table(imperfect(), {40000, 20000})));
}
GST_END_TEST;

GST_START_TEST(stitchers_use_tables_of_streams_and_files) {
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/app_lut.bin";
  fail_unless(g_file_set_contents(path.c_str(), reinterpret_cast<const char*>(table().data()),
                                  static_cast<gssize>(table().size()), nullptr));
  const std::string scene = "spheretestsrc name=src supersample=1 num-buffers=2 lens=" + path +
                            " ! video/x-raw,format=I420,width=960 ! ";
  Pipeline file(scene + "cpuspherestitch lens=" + path + " ! appsink name=sink");
  file.play();
  const SampleRef expected = file.pull();
  if (!expected) fail_unless(false, "%s", file.wait().c_str());
  Pipeline wrong(scene + "cpuspherestitch lens=dual-190 ! appsink name=sink");
  wrong.play();
  const SampleRef other = wrong.pull();
  fail_unless(other != nullptr);

  // In the stream: a probe puts the event in place of the source's own.
  Pipeline stream(scene + "cpuspherestitch ! appsink name=sink");
  const GstRef<GstElement> source = stream.child("src");
  const GstRef<GstPad> pad(gst_element_get_static_pad(source.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        const gchar* name = nullptr;
        if (!gst_event_parse_sphere_lens(GST_PAD_PROBE_INFO_EVENT(info), &name))
          return GST_PAD_PROBE_OK;
        g_autoptr(GBytes) bytes = g_bytes_new_static(table().data(), table().size());
        gst_event_unref(GST_PAD_PROBE_INFO_EVENT(info));
        info->data = gst_event_new_sphere_lens_table(bytes);
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  stream.play();
  const SampleRef told = stream.pull();
  fail_unless(told != nullptr);
  fail_unless(stream.warning().empty());
  const Component a = component_of(expected.get(), 0), b = component_of(told.get(), 0),
                  c = component_of(other.get(), 0);
  fail_unless(psnr(a, b) > 99, "%g dB", psnr(a, b));
  fail_unless(psnr(a, c) < 40, "%g dB", psnr(a, c));
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST;

GST_START_TEST(a_broken_table_in_the_stream_is_a_warning_and_the_profile_stays) {
  Pipeline p(
      "videotestsrc name=src num-buffers=1 ! video/x-raw,format=I420,width=320,height=160 ! "
      "cpuspherestitch ! appsink name=sink");
  const GstRef<GstElement> source = p.child("src");
  g_autoptr(GBytes) bytes = g_bytes_new_static("not a table", 11);
  p.set_state(GST_STATE_READY);
  const GstRef<GstPad> pad(gst_element_get_static_pad(source.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* from, GstPadProbeInfo*, gpointer data) {
        gst_pad_push_event(from, gst_event_new_sphere_lens_table(static_cast<GBytes*>(data)));
        return GST_PAD_PROBE_REMOVE;
      },
      bytes, nullptr);
  p.play();
  fail_unless(p.pull() != nullptr);
  expect(p.warning(), "table");
}
GST_END_TEST;

static Suite* table_suite() {
  Suite* suite = suite_create("table");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, a_table_gives_the_plan_of_the_lenses_it_was_made_of);
  tcase_add_test(tcase, other_grid_sizes);
  tcase_add_test(tcase, truncated_tables_are_errors);
  tcase_add_test(tcase, damage_is_refused_and_named);
  tcase_add_test(tcase, lens_outside_of_the_frame_has_holes);
  tcase_add_test(tcase, only_side_by_side_pairs_have_a_table);
  tcase_add_test(tcase, stitchers_use_tables_of_streams_and_files);
  tcase_add_test(tcase, a_broken_table_in_the_stream_is_a_warning_and_the_profile_stays);
  return suite;
}

GST_CHECK_MAIN(table)

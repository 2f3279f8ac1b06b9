// SPDX-License-Identifier: LGPL-2.1-or-later
// Cubemaps and views, drawn directly from the fisheyes: the directions of pixels, outputs that are
// much smaller than the input, and a comparison with v360 of ffmpeg.

#include "tests/check/ffmpeg.h"

#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/warp/reduce.h"

using namespace sphere;
using namespace sphere::test;

namespace {

const std::string source = "spheretestsrc num-buffers=1 lens=dual-190 ";
const std::string full_size = "! video/x-raw,format=I420,width=1920,height=960";

/// The direction at a place in the whole picture.
Vec3 seen_at(const Canvas& canvas, double x, double y) {
  for (const Canvas::Patch& p : canvas.patches())
    if (x >= p.x && x < p.x + p.size.width && y >= p.y && y < p.y + p.size.height)
      return canvas.direction(p, {x - p.x, y - p.y});
  fail_unless(false, "no patch has %g,%g", x, y);
  return {};
}

void expect_direction(const Canvas& canvas, double x, double y, Vec3 wanted) {
  const double off = degrees(angle_between(seen_at(canvas, x, y), wanted));
  fail_unless(off < 1e-6, "%s at %g,%g is %g degrees off",
              std::string(projection_names[static_cast<int>(canvas.projection())]).c_str(), x, y,
              off);
}

constexpr Vec3 right = {1, 0, 0}, left = {-1, 0, 0}, up = {0, -1, 0}, down = {0, 1, 0},
               front = {0, 0, 1}, back = {0, 0, -1};

/// What ffmpeg's v360 makes of the true sphere.
Component v360(const FfmpegInput& sphere, const std::string& options, int width, int height) {
  return sphere.filtered("v360=e:" + options + ":interp=cubic:w=" + std::to_string(width) +
                             ":h=" + std::to_string(height),
                         width, height);
}

/// The standard deviation of the samples.
double contrast(const Component& c) {
  double sum = 0, squares = 0;
  for (uint8_t v : c.samples) {
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const auto n = static_cast<double>(c.samples.size());
  return std::sqrt(std::max(squares / n - sum / n * (sum / n), 0.0));
}

}  // namespace

GST_START_TEST(directions_of_each_projection) {
  const Canvas cubemap(Projection::cubemap, {600, 400});
  expect_direction(cubemap, 100, 100, right);
  expect_direction(cubemap, 300, 100, left);
  expect_direction(cubemap, 500, 100, up);
  expect_direction(cubemap, 100, 300, down);
  expect_direction(cubemap, 300, 300, front);
  expect_direction(cubemap, 500, 300, back);
  // The front's own right, and the upper face has the front below.
  expect_direction(cubemap, 350, 300, {0.5, 0, 1});
  expect_direction(cubemap, 300, 250, {0, -0.5, 1});
  expect_direction(cubemap, 500, 150, {0, -1, 0.5});

  const Canvas eac(Projection::eac, {604, 408});
  const double eighth = std::tan(pi / 8);
  expect_direction(eac, 102, 102, left);
  expect_direction(eac, 302, 102, front);
  expect_direction(eac, 502, 102, right);
  expect_direction(eac, 102, 306, down);
  expect_direction(eac, 302, 306, back);
  expect_direction(eac, 502, 306, up);
  expect_direction(eac, 352, 102, {eighth, 0, 1});
  expect_direction(eac, 302, 52, {0, -eighth, 1});

  const Canvas view(Projection::perspective, {800, 400}, radians(120));
  expect_direction(view, 400, 200, front);
  expect_direction(view, 800 - 1e-9, 200, {std::sin(radians(60)), 0, std::cos(radians(60))});
  expect_direction(view, 600, 100, {std::tan(radians(60)) / 2, -std::tan(radians(60)) / 4, 1});
  // With pixels twice as wide as high, the same row shows half the elevation.
  const Canvas wide(Projection::perspective, {800, 400}, radians(120), 2);
  expect_direction(wide, 600, 100, {std::tan(radians(60)) / 2, -std::tan(radians(60)) / 8, 1});

  const Canvas stereographic(Projection::stereographic, {800, 800}, radians(300));
  expect_direction(stereographic, 400, 400, front);
  expect_direction(stereographic, 800 - 1e-9, 400,
                   {std::sin(radians(150)), 0, std::cos(radians(150))});
  const double half = 2 * std::atan(std::tan(radians(75)) / 2);
  expect_direction(stereographic, 400, 200, {0, -std::sin(half), std::cos(half)});

  const Canvas planet(Projection::little_planet, {800, 800}, radians(240));
  expect_direction(planet, 400, 400, down);
  const double ring = 400 * std::tan(radians(45)) / std::tan(radians(60));
  expect_direction(planet, 400, 400 - ring, front);
  expect_direction(planet, 400 + ring, 400, right);
  expect_direction(planet, 400, 400 + ring, back);
  // Without a field of view the default is used; too large a one is reduced.
  fail_unless(angle_between(seen_at(Canvas(Projection::perspective, {800, 400}), 800 - 1e-9, 200),
                            front) > radians(44.99));
  fail_unless(angle_between(seen_at(Canvas(Projection::perspective, {800, 400}, radians(358)),
                                    800 - 1e-9, 200),
                            front) < radians(85.01));
}
GST_END_TEST;

GST_START_TEST(faces_cover_the_picture_once) {
  for (Projection projection : {Projection::cubemap, Projection::eac})
    for (Size size : {Size{600, 400}, Size{500, 334}, Size{37, 23}, Size{7, 5}}) {
      std::vector<int> covered(static_cast<size_t>(size.width) * size.height);
      const Canvas canvas(projection, size);
      for (const Canvas::Patch& p : canvas.patches()) {
        fail_unless(p.x % 2 == 0 && p.y % 2 == 0);
        for (int y = p.y; y < p.y + p.size.height; ++y)
          for (int x = p.x; x < p.x + p.size.width; ++x)
            ++covered[static_cast<size_t>(y) * size.width + x];
      }
      fail_unless(std::all_of(covered.begin(), covered.end(), [](int n) { return n == 1; }),
                  "%dx%d", size.width, size.height);
    }
}
GST_END_TEST;

GST_START_TEST(plans_are_within_a_tenth_of_a_pixel) {
  const LensPair pair = *load_profile("gear360");
  constexpr Size from = {3840, 1920};
  const LensPair scaled = pair.scaled_to(from);
  const struct {
    Projection projection;
    Size size;
    double fov;
  } outputs[] = {{Projection::equirect, {3840, 1920}, 0},
                 {Projection::cubemap, {2880, 1920}, 0},
                 {Projection::eac, {2880, 1920}, 0},
                 {Projection::perspective, {1920, 1080}, 90},
                 {Projection::perspective, {1920, 1080}, 160},
                 {Projection::little_planet, {1920, 1920}, 300},
                 {Projection::stereographic, {1920, 1080}, 200}};
  for (const auto& output : outputs) {
    const Canvas canvas(output.projection, output.size, radians(output.fov));
    const Planner planner = *Planner::make(pair, from, canvas);
    const Mat3 view = rotation({40, 25, -10});
    double worst = 0;
    long compared = 0;
    for (int k = 0; k < planner.patches(); ++k) {
      WarpGrid grid;
      planner.build(view, grid, k);
      const auto mean = [&](const std::vector<float>& v, int x, int y) {
        const int c = x / grid.cell, r = y / grid.cell;
        const float tx = (x + 0.5f) / grid.cell - c, ty = (y + 0.5f) / grid.cell - r;
        const size_t n = static_cast<size_t>(r) * grid.nodes_per_row() + c;
        const size_t m = n + grid.nodes_per_row();
        return (v[n] * (1 - tx) + v[n + 1] * tx) * (1 - ty) +
               (v[m] * (1 - tx) + v[m + 1] * tx) * ty;
      };
      for (int y = 0; y < grid.output.height; y += 5)
        for (int x = 0; x < grid.output.width; x += 7) {
          const Vec3 d = view * canvas.direction(canvas.patches()[k], {x + 0.5, y + 0.5});
          const double first_weight = planner.first_weight(d);
          const uint8_t flags = grid.flags(x / grid.cell, y / grid.cell);
          for (int i = 0; i < 2; ++i) {
            if (i ? first_weight >= 1 : first_weight <= 0) continue;
            if (!(flags & (i ? cell_second : cell_first))) fail_unless(false, "%d,%d", x, y);
            const Point exact = scaled[i].project(d);
            // Where a smaller copy of the source is read, the error counts in pixels of the copy.
            const double pixel =
                grid.reduction.empty() ? 1 : std::exp2(double(mean(grid.reduction, x, y)));
            worst = std::max(worst, std::hypot(mean(grid.layer[i].x, x, y) - exact.x,
                                               mean(grid.layer[i].y, x, y) - exact.y) /
                                        pixel);
            ++compared;
          }
        }
    }
    fail_unless(compared >= output.size.width * output.size.height / 40L);
    // The tolerance is in pixels of the finer picture.
    const double finer = std::max(1.0, static_cast<double>(from.width) / output.size.width);
    fail_unless(worst < 0.1 * finer, "%s: %g pixels, a cell has %d",
                std::string(projection_names[static_cast<int>(output.projection)]).c_str(), worst,
                planner.cell());
  }
}
GST_END_TEST;

GST_START_TEST(pictures_match_v360) {
  if (!have_ffmpeg()) return;
  const FfmpegInput sphere(sample_of(source + "output=equirect " + full_size));
  const SampleRef fisheyes = sample_of(source + full_size);
  const struct {
    const char *ours, *same, *other;
    int width, height;
  } outputs[] = {
      {"cubemap", "c3x2", "c3x2:yaw=1", 720, 480},
      {"eac", "eac", "eac:yaw=1", 720, 480},
      {"perspective fov=100", "flat:h_fov=100:v_fov=67.67", "flat:h_fov=101:v_fov=67.67", 640, 360},
      {"perspective yaw=80 pitch=20 roll=10", "flat:h_fov=90:v_fov=58.72:yaw=80:pitch=20:roll=10",
       "flat:h_fov=90:v_fov=58.72:yaw=80:pitch=20:roll=11", 640, 360},
      {"stereographic fov=200", "sg:h_fov=200:v_fov=200", "sg:h_fov=202:v_fov=202", 480, 480},
      {"little-planet fov=200", "sg:h_fov=200:v_fov=200:pitch=-90",
       "sg:h_fov=200:v_fov=200:pitch=-89", 480, 480},
  };
  for (const auto& output : outputs) {
    const Component ours =
        luma_of(fisheyes, std::string("cpuspherestitch lens=dual-190 projection=") + output.ours +
                              " ! video/x-raw,width=" + std::to_string(output.width) +
                              ",height=" + std::to_string(output.height));
    const double same = psnr(ours, v360(sphere, output.same, output.width, output.height));
    const double other = psnr(ours, v360(sphere, output.other, output.width, output.height));
    fail_unless(same > 27 && same > other + 3, "%s: %g dB, a little off %g dB", output.ours, same,
                other);
  }
}
GST_END_TEST;

GST_START_TEST(sizes_are_those_of_the_projection) {
  const struct {
    const char *options, *caps;
    int width, height, par_n, par_d;
  } outputs[] = {
      {"", "", 640, 320, 1, 1},
      {"projection=cubemap", "", 480, 320, 1, 1},
      {"projection=eac", ",width=300", 300, 200, 1, 1},
      {"projection=eac", ",height=100", 150, 100, 1, 1},
      {"projection=cubemap", ",width=300,height=300", 300, 300, 3, 2},
      {"projection=perspective", "", 320, 180, 1, 1},
      {"projection=perspective", ",width=400,height=400", 400, 400, 1, 1},
      {"projection=little-planet", "", 320, 320, 1, 1},
      {"projection=stereographic", ",height=90", 90, 90, 1, 1},
  };
  for (const auto& output : outputs) {
    const SampleRef sample =
        sample_of(std::string("spheretestsrc num-buffers=1 supersample=1 ! "
                              "video/x-raw,format=NV12,width=640 ! cpuspherestitch ") +
                  output.options + " ! video/x-raw" + output.caps);
    GstVideoInfo info;
    fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
    fail_unless(info.width == output.width && info.height == output.height &&
                    info.par_n == output.par_n && info.par_d == output.par_d,
                "%s%s: %dx%d, %d/%d", output.options, output.caps, info.width, info.height,
                info.par_n, info.par_d);
  }
}
GST_END_TEST;

GST_START_TEST(the_projection_changes_while_playing) {
  Pipeline p(
      "spheretestsrc supersample=1 ! video/x-raw,format=I420,width=320 ! spherestitch name=s ! "
      "appsink name=sink sync=false max-buffers=1");
  p.play();
  const auto next_of_size = [&](int width, int height) {
    for (int n = 0; n < 20; ++n) {
      const SampleRef sample = p.pull();
      fail_unless(sample != nullptr);
      GstVideoInfo info;
      fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
      if (info.width == width && info.height == height) return component_of(sample.get(), 0);
    }
    fail_unless(false, "no picture of %dx%d", width, height);
    return Component();
  };
  next_of_size(320, 160);
  g_object_set(p.child("s").get(), "projection", 1, nullptr);
  next_of_size(240, 160);
  gst_util_set_object_arg(G_OBJECT(p.child("s").get()), "projection", "little-planet");
  const Component planet = next_of_size(160, 160);
  gst_util_set_object_arg(G_OBJECT(p.child("s").get()), "projection", "equirect");
  next_of_size(320, 160);
  fail_unless(contrast(planet) > 10);
}
GST_END_TEST;

GST_START_TEST(fov_is_the_views_and_lens_fov_the_lenses) {
  const std::string to = " ! video/x-raw,width=320,height=160";
  const SampleRef fisheyes = sample_of(source + "! video/x-raw,format=I420,width=640");
  const auto stitched = [&](const std::string& properties) {
    return luma_of(fisheyes, "cpuspherestitch lens=dual-190 " + properties + to);
  };
  const Component usual = stitched("");
  fail_unless(psnr(usual, stitched("lens-fov=190")) > 60);
  fail_unless(psnr(usual, stitched("lens-fov=200")) < 30);
  // The property fov has no effect on the whole sphere.
  fail_unless(psnr(usual, stitched("fov=200")) > 60);
  const std::string view = "projection=perspective ";
  const Component normal = stitched(view);
  fail_unless(psnr(normal, stitched(view + "fov=90")) > 60);
  fail_unless(psnr(normal, stitched(view + "fov=60")) < 30);
  fail_unless(psnr(normal, stitched(view + "lens-fov=200")) < 35);
}
GST_END_TEST;

GST_START_TEST(no_aliasing_in_small_outputs) {
  // Every pixel black or white, like a chessboard.
  const std::string board =
      "videotestsrc num-buffers=1 pattern=checkers-1 ! video/x-raw,format=Y444,width=1280,"
      "height=640 ! cpuspherestitch lens=dual-190 ";
  const double least_of_source = contrast(luma_of(board + "! video/x-raw,width=1280,height=640"));
  fail_unless(least_of_source > 15, "%g", least_of_source);
  for (const char* output :
       {"! video/x-raw,width=320,height=160", "! video/x-raw,width=200,height=100",
        "projection=perspective fov=160 ! video/x-raw,width=80,height=60",
        "projection=cubemap ! video/x-raw,width=150,height=100"}) {
    const double left = contrast(luma_of(board + output));
    fail_unless(left < 3, "%s: %g", output, left);
  }
}
GST_END_TEST;

GST_START_TEST(small_outputs_are_more_accurate_than_v360s) {
  if (!have_ffmpeg()) return;
  const Component truth = luma_of(
      "spheretestsrc num-buffers=1 supersample=8 output=equirect "
      "lens=dual-190 ! video/x-raw,format=I420,width=480,height=240");
  const Component ours =
      luma_of(source + full_size + " ! cpuspherestitch ! video/x-raw,width=480,height=240");
  // v360 gets the true sphere, which has more detail than our fisheyes.
  const FfmpegInput sphere(sample_of(source + "output=equirect " + full_size));
  const double our_db = psnr(ours, truth), peer_db = psnr(v360(sphere, "e", 480, 240), truth);
  g_print("a quarter of the width: ours %.2f dB, v360 %.2f dB\n", our_db, peer_db);
  fail_unless(our_db > peer_db + 3, "%g dB, v360 %g dB", our_db, peer_db);
}
GST_END_TEST;

GST_START_TEST(copies_are_means) {
  for (const int components : {1, 2, 4})
    for (const int bits : {8, 10}) {
      if (bits == 10 && components == 4) continue;
      const int width = 13, height = 7, sample = components * (bits > 8 ? 2 : 1), shift = 6;
      std::vector<uint8_t> from(static_cast<size_t>(width) * height * sample);
      const auto value = [&](int x, int y, int k) {
        return std::min(x, width - 1) * 17 + std::min(y, height - 1) * 5 + k;
      };
      const auto put = [&](int x, int y, int k, int v) {
        uint8_t* const at = &from[(static_cast<size_t>(y) * width + x) * sample];
        if (bits == 8)
          at[k] = static_cast<uint8_t>(v);
        else
          reinterpret_cast<uint16_t*>(at)[k] = static_cast<uint16_t>(v << shift);
      };
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (int k = 0; k < components; ++k) put(x, y, k, value(x, y, k));
      WarpPlane plane;
      plane.components = components;
      plane.bits = bits;
      plane.shift = bits > 8 ? shift : 0;
      const Size half = half_of({width, height});
      fail_unless(half.width == 7 && half.height == 4);
      std::vector<uint8_t> to(static_cast<size_t>(half.width) * half.height * sample);
      halve_rows(plane, {from.data(), static_cast<ptrdiff_t>(width) * sample, {width, height}},
                 to.data(), static_cast<ptrdiff_t>(half.width) * sample, 0, half.height);
      for (int y = 0; y < half.height; ++y)
        for (int x = 0; x < half.width; ++x)
          for (int k = 0; k < components; ++k) {
            const uint8_t* const at = &to[(static_cast<size_t>(y) * half.width + x) * sample];
            const int is = bits == 8 ? at[k] : reinterpret_cast<const uint16_t*>(at)[k];
            const int mean = (value(2 * x, 2 * y, k) + value(2 * x + 1, 2 * y, k) +
                              value(2 * x, 2 * y + 1, k) + value(2 * x + 1, 2 * y + 1, k) + 2) /
                             4;
            fail_unless_equals_int(is, bits == 8 ? mean : mean << shift);
          }
    }
}
GST_END_TEST;

GST_START_TEST(every_size_and_format_is_drawn) {
  // Sanitizers and valgrind check what is read.
  for (const char* format : {"NV12", "I420", "Y444", "RGBA", "P010_10LE", "I420_10LE"})
    for (const std::string_view projection : projection_names)
      for (const char* size :
           {",width=16,height=16", ",width=97,height=65", ",width=330,height=220"}) {
        const SampleRef sample = sample_of(
            std::string("videotestsrc num-buffers=1 ! video/x-raw,format=") + format +
            ",width=254,height=127 ! cpuspherestitch lens=dual-190 match=gain align=seam yaw=33 "
            "pitch=-20 interpolation=cubic projection=" +
            std::string(projection) + " ! video/x-raw" + size);
        fail_unless(gst_buffer_get_size(gst_sample_get_buffer(sample.get())) >= 16 * 16);
      }
}
GST_END_TEST;

static Suite* projection_suite() {
  Suite* suite = suite_create("projection");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, directions_of_each_projection);
  tcase_add_test(tcase, faces_cover_the_picture_once);
  tcase_add_test(tcase, plans_are_within_a_tenth_of_a_pixel);
  tcase_add_test(tcase, pictures_match_v360);
  tcase_add_test(tcase, sizes_are_those_of_the_projection);
  tcase_add_test(tcase, the_projection_changes_while_playing);
  tcase_add_test(tcase, fov_is_the_views_and_lens_fov_the_lenses);
  tcase_add_test(tcase, no_aliasing_in_small_outputs);
  tcase_add_test(tcase, small_outputs_are_more_accurate_than_v360s);
  tcase_add_test(tcase, copies_are_means);
  tcase_add_test(tcase, every_size_and_format_is_drawn);
  return suite;
}

GST_CHECK_MAIN(projection)

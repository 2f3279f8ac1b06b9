// SPDX-License-Identifier: LGPL-2.1-or-later
// The seam, matched in light and in place: what is measured, and the pictures against the truth.

#include "tests/check/pipeline.h"

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/seam.h"
#include "tests/check/profile.h"

using namespace sphere;
using namespace sphere::test;

namespace {

const std::string source = "spheretestsrc depth=true lens=";

/// The picture at 3.5 seconds, when the near sign is on the seam.
SampleRef picture_from(const std::string& line) {
  Pipeline p(line + " ! appsink name=sink sync=false max-buffers=1");
  p.set_state(GST_STATE_PAUSED);
  if (!p.pull_preroll()) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  fail_unless(gst_element_seek_simple(p.element(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                      3500 * GST_MSECOND));
  SampleRef sample = p.pull_preroll();
  if (!sample) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  return sample;
}

Component luma_from(const std::string& line) { return component_of(picture_from(line).get(), 0); }

/// PSNR of equirectangular pictures on the sphere, within some degrees of the seam.
double seam_psnr(const Component& a, const Component& b, double within = 3) {
  double sum = 0, weights = 0;
  const Size size = {a.width, a.height};
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < a.width; ++x) {
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, size);
      if (std::abs(std::asin(std::clamp(d.z, -1.0, 1.0))) > radians(within)) continue;
      const double weight = std::hypot(d.x, d.z), off = double(a.at(x, y)) - b.at(x, y);
      sum += weight * off * off;
      weights += weight;
    }
  return psnr_of(sum / weights);
}

/// The luma of a strip by a formula of: the azimuth in turns, the row, and the lens.
template <typename Formula>
std::vector<uint8_t> strip_of(const Formula& formula) {
  std::vector<uint8_t> strip(static_cast<size_t>(SeamStrip::size.width) * SeamStrip::size.height);
  for (int y = 0; y < SeamStrip::size.height; ++y)
    for (int x = 0; x < SeamStrip::size.width; ++x) {
      const double value =
          formula((x + 0.5) / SeamStrip::columns, y % SeamStrip::rows + 0.5, y >= SeamStrip::rows);
      strip[static_cast<size_t>(y) * SeamStrip::size.width + x] =
          static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
    }
  return strip;
}

/// A picture of that luma, without colour.
StripPicture picture_of(const std::vector<uint8_t>& luma) {
  static const std::vector<uint8_t> grey(
      static_cast<size_t>(SeamStrip::size.width) * SeamStrip::size.height, 128);
  StripPicture picture;
  for (StripPicture::Component& c : picture.component)
    c = {grey.data(), SeamStrip::size.width, 1, 1, 1};
  picture.component[0].data = luma.data();
  return picture;
}

/// Detail that does not repeat, -1 to 1.
double bumps(double azimuth, double row) {
  const double u = azimuth * 2 * pi;
  return (std::sin(row * 0.31 + 3 * std::sin(5 * u)) + std::sin(row * 0.173 + 2 + 11 * u) +
          std::sin(row * 0.53 - 7 * u + 1)) /
         3;
}

}  // namespace

GST_START_TEST(matched_seam_is_more_accurate) {
  const Profile plain({.baseline = 0.025});
  const Profile uneven({.baseline = 0.025,
                        .front = R"(, "gain": 1.25, "vignette": [-0.08, -0.06, 0])",
                        .back = R"(, "gain": 0.97, "vignette": [-0.03, -0.04, 0])"});
  const std::string caps = " ! video/x-raw,format=NV12,width=1920";
  const Component truth = luma_from(source + uneven.path() + " output=equirect" + caps);
  const SampleRef fisheyes = picture_from(source + uneven.path() + caps);
  const auto stitched = [&](const char* properties) {
    const std::string stitcher = "cpuspherestitch lens=" + plain.path() + properties;
    return seam_psnr(luma_of(fisheyes, stitcher), truth);
  };
  const double feather = stitched("");
  const double gain = stitched(" match=gain");
  const double align = stitched(" align=seam");
  const double both = stitched(" match=gain align=seam");
  const double bands = stitched(" blend=multiband");
  const double aligned_bands = stitched(" blend=multiband align=seam");
  const double all = stitched(" blend=multiband match=gain align=seam");
  g_print(
      "WS-PSNR within 3 degrees of the seam: feather %.2f, gain %.2f, align %.2f, both %.2f dB; "
      "with multiband %.2f, align %.2f, both %.2f dB\n",
      feather, gain, align, both, bands, aligned_bands, all);
  fail_unless(gain > feather, "%g, %g", gain, feather);
  fail_unless(align > feather + 1, "%g, %g", align, feather);
  fail_unless(both > feather + 4, "%g, %g", both, feather);
  fail_unless(bands > feather + 0.4, "%g, %g", bands, feather);
  fail_unless(aligned_bands > align + 0.4, "%g, %g", aligned_bands, align);
  // Feathering leaves less noise, because it averages both lenses.
  fail_unless(all > both - 0.25, "%g, %g", all, both);
  fail_unless(all > feather + 4, "%g, %g", all, feather);
}
GST_END_TEST;

GST_START_TEST(bands_hide_unequal_light) {
  // There are no near things here: the lenses differ only in exposure and vignette.
  const Profile plain({});
  const Profile uneven({.front = R"(, "gain": 1.25, "vignette": [-0.08, -0.06, 0])",
                        .back = R"(, "gain": 0.97, "vignette": [-0.03, -0.04, 0])"});
  const std::string far = "spheretestsrc lens=", caps = " ! video/x-raw,format=NV12,width=960";
  const Component truth = luma_from(far + uneven.path() + " output=equirect" + caps);
  const SampleRef fisheyes = picture_from(far + uneven.path() + caps);
  const std::string stitcher = "cpuspherestitch lens=" + plain.path();
  const double feather = seam_psnr(luma_of(fisheyes, stitcher), truth);
  const double bands = seam_psnr(luma_of(fisheyes, stitcher + " blend=multiband"), truth);
  fail_unless(bands > feather + 2, "%g, %g", bands, feather);
}
GST_END_TEST;

GST_START_TEST(gain_of_the_profile_is_not_matched_again) {
  const Profile uneven({.front = R"(, "gain": 1.3, "vignette": [-0.1, -0.1, 0])",
                        .back = R"(, "gain": 0.9, "vignette": [-0.02, 0, 0])"});
  const std::string far = "spheretestsrc lens=" + uneven.path() + " ",
                    caps = " ! video/x-raw,format=NV12,width=960";
  const SampleRef fisheyes = picture_from(far + caps);
  const std::string stitcher = "cpuspherestitch lens=" + uneven.path();
  const Component plain = luma_of(fisheyes, stitcher),
                  matched = luma_of(fisheyes, stitcher + " match=gain");
  fail_unless(psnr(plain, matched) > 45, "%g dB", psnr(plain, matched));
}
GST_END_TEST;

GST_START_TEST(disparity_is_found_to_a_fraction_of_a_row) {
  for (double apart : {-9.0, 0.0, 3.5, 17.0, 31.25}) {
    const std::vector<uint8_t> strip = strip_of([&](double azimuth, double row, bool back) {
      return 120 + 60 * bumps(azimuth, row + (back ? apart / 2 : -apart / 2)) * (back ? 0.7 : 1) +
             (back ? 15 : 0);
    });
    DisparityFinder finder;
    const std::vector<float>& found = finder.find(picture_of(strip), -12, 36, 4, 2);
    double worst = 0;
    for (float v : found) worst = std::max(worst, std::abs(v - apart));
    fail_unless(worst < 0.5, "%g rows: off by %g", apart, worst);
  }
}
GST_END_TEST;

GST_START_TEST(no_detail_means_no_disparity) {
  const std::vector<uint8_t> flat = strip_of([](double, double, bool) { return 90.0; });
  DisparityFinder finder;
  for (float v : finder.find(picture_of(flat), -12, 36, 4, 2))
    fail_unless(std::abs(v) < 0.01f, "%g", v);
}
GST_END_TEST;

GST_START_TEST(light_is_measured_without_clipped_or_black_samples) {
  const auto ratio_at = [](double azimuth) { return 1.15 + 0.1 * std::sin(azimuth * 2 * pi); };
  const std::vector<uint8_t> strip = strip_of([&](double azimuth, double row, bool back) {
    if (azimuth > 0.2 && azimuth < 0.3) return back ? 255.0 : 180.0;  // clipped in one of them
    if (azimuth > 0.6 && azimuth < 0.65) return 16.0;
    const double light = 90 + 40 * bumps(azimuth, row);
    return 16 + (back ? light : light * ratio_at(azimuth));
  });
  const SeamLight light = measure_light(picture_of(strip), {});
  for (int b = 0; b < SeamLight::bins; ++b) {
    const double azimuth = (b + 0.5) / SeamLight::bins;
    const bool hole = (azimuth > 0.2 && azimuth < 0.3) || (azimuth > 0.6 && azimuth < 0.65);
    const double ratio = std::exp(light.component[0][b]);
    fail_unless(std::abs(ratio / ratio_at(azimuth) - 1) < (hole ? 0.06 : 0.025), "%g: %g, not %g",
                azimuth, ratio, ratio_at(azimuth));
    for (int k : {1, 2}) fail_unless(std::abs(light.component[k][b]) < 0.5f);
  }
}
GST_END_TEST;

GST_START_TEST(light_changes_in_small_steps) {
  const LensPair pair = *load_profile("dual-190");
  const Planner planner = *Planner::make(pair, {960, 480}, {960, 480});
  WarpGrid grid;
  planner.build(Mat3{}, grid);
  Seam seam(planner, {.gain = true});
  seam.prepare(Mat3{}, grid);
  std::vector<float> before;
  uint32_t noise = 1;
  for (int frame = 0; frame < 300; ++frame) {
    // The exposure jumps, and there is noise.
    const double ratio = frame % 20 < 10 ? 1.3 : 0.8;
    seam.measure(picture_of(strip_of([&](double, double, bool back) {
      noise = noise * 1664525 + 1013904223;
      return (back ? 100 : 100 * ratio) + static_cast<double>(noise >> 28);
    })));
    if (frame > 0) seam.settle();
    seam.apply(grid);
    if (frame == 0) {
      // The first picture is matched at once.
      const size_t middle =
          static_cast<size_t>(grid.rows / 2) * grid.nodes_per_row() + grid.columns * 3 / 4;
      const double made = grid.layer[1].gain[middle] / grid.layer[0].gain[middle];
      fail_unless(std::abs(made / ratio - 1) < 0.08, "%g", made);
    } else {
      for (size_t n = 0; n < before.size(); ++n) {
        const double step = grid.layer[0].gain[n] / before[n] - 1;
        if (std::abs(step) > 0.005) fail_unless(false, "frame %d: %g", frame, step);
      }
    }
    before = grid.layer[0].gain;
  }
}
GST_END_TEST;

GST_START_TEST(a_new_view_keeps_what_was_measured) {
  const Planner planner = *Planner::make(*load_profile("dual-190"), {960, 480}, {960, 480});
  Seam seam(planner, {.gain = true, .align = true});
  WarpGrid grid;
  planner.build(Mat3{}, grid);
  seam.prepare(Mat3{}, grid);
  seam.measure(picture_of(strip_of([&](double azimuth, double row, bool back) {
    return 120 + 50 * bumps(azimuth, row + (back ? 5 : -5));
  })));
  seam.apply(grid);
  const Mat3 turn = rotation({90, 0, 0});
  WarpGrid turned;
  planner.build(turn, turned);
  seam.prepare(turn, turned);
  seam.apply(turned);
  // Turned by a quarter of the picture, the nodes are the same.
  const int quarter = grid.output.width / 4 / grid.cell;
  for (int r = 2; r < grid.rows - 2; ++r)
    for (int c = 0; c + quarter < grid.columns; ++c) {
      const size_t n = static_cast<size_t>(r) * grid.nodes_per_row() + c;
      for (int i = 0; i < 2; ++i) {
        if (!(grid.flags(c, r) & (i ? cell_second : cell_first))) continue;
        const double off = std::hypot(turned.layer[i].x[n] - grid.layer[i].x[n + quarter],
                                      turned.layer[i].y[n] - grid.layer[i].y[n + quarter]);
        if (off > 0.05) fail_unless(false, "%d,%d: %g px", c, r, off);
        fail_unless(std::abs(turned.layer[i].gain[n] - grid.layer[i].gain[n + quarter]) < 1e-3f);
      }
    }
}
GST_END_TEST;

GST_START_TEST(objects_at_the_stitch_distance_are_aligned) {
  LensPair pair = *load_profile("dual-190");
  pair.baseline = 0.03;
  const double distance = 1.2;
  const Planner planner = *Planner::make(pair, {3840, 1920}, {3840, 1920}, {.distance = distance});
  for (double lat : {-60.0, 0.0, 35.0}) {
    const Vec3 d = direction_of({radians(90.5), radians(lat)});
    for (int i = 0; i < 2; ++i) {
      const Vec3 seen = distance * d - pair.baseline / 2 * pair[i].axis();
      const Point truth = pair[i].project(normalised(seen)), place = planner.project(i, d);
      fail_unless(std::hypot(truth.x - place.x, truth.y - place.y) < 1e-6);
    }
  }
  // And the plan is the same, to the accuracy of its grid.
  const Mat3 view = rotation({20, 30, 40});
  WarpGrid grid;
  planner.build(view, grid);
  double worst = 0;
  for (int r = 0; r < grid.rows; r += 3)
    for (int c = 0; c < grid.columns; ++c) {
      const Point p = {double(c * grid.cell), double(r * grid.cell)};
      const Vec3 d = view * equirect_direction(p, grid.output);
      for (int i = 0; i < 2; ++i) {
        if (!(grid.flags(c, r) & (i ? cell_second : cell_first))) continue;
        const size_t n = static_cast<size_t>(r) * grid.nodes_per_row() + c;
        const Point exact = planner.project(i, d);
        worst =
            std::max(worst, std::hypot(grid.layer[i].x[n] - exact.x, grid.layer[i].y[n] - exact.y));
      }
    }
  fail_unless(worst < 0.12, "%g px", worst);
}
GST_END_TEST;

static Suite* seam_suite() {
  Suite* suite = suite_create("seam");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, disparity_is_found_to_a_fraction_of_a_row);
  tcase_add_test(tcase, no_detail_means_no_disparity);
  tcase_add_test(tcase, light_is_measured_without_clipped_or_black_samples);
  tcase_add_test(tcase, light_changes_in_small_steps);
  tcase_add_test(tcase, a_new_view_keeps_what_was_measured);
  tcase_add_test(tcase, objects_at_the_stitch_distance_are_aligned);
  tcase_add_test(tcase, gain_of_the_profile_is_not_matched_again);
  tcase_add_test(tcase, bands_hide_unequal_light);
  tcase_add_test(tcase, matched_seam_is_more_accurate);
  return suite;
}

GST_CHECK_MAIN(seam)

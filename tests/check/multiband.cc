// SPDX-License-Identifier: LGPL-2.1-or-later
// Multiband blending compared to the textbook, and its purpose: no step in brightness, and no
// double images of fine detail.

// check defines `fail` as a macro, so the standard library comes first.
#include <functional>
#include <memory>
#include <optional>
#include <random>

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/multiband.h"
#include "gst/sphere/warp/warp.h"

using namespace sphere;

namespace {

// valgrind checks memory accesses, for which few pictures are enough.
const bool quick = g_getenv("SPHERE_VALGRIND") != nullptr;

/// The brightness that a lens sees in a direction, by azimuth around the seam and height above it.
using Scene = std::function<double(int lens, double azimuth, double height)>;

struct Picture {
  Size size;
  std::vector<uint8_t> samples;
  uint8_t at(int x, int y) const { return samples[static_cast<size_t>(y) * size.width + x]; }
};

WarpPlane plane_of(const Picture& source, Picture& target) {
  WarpPlane plane;
  plane.source = source.samples.data();
  plane.source_stride = source.size.width;
  plane.source_size = source.size;
  plane.target = target.samples.data();
  plane.target_stride = target.size.width;
  plane.target_size = target.size;
  return plane;
}

Picture blank(Size size) {
  return {size, std::vector<uint8_t>(static_cast<size_t>(size.width) * size.height)};
}

LensPair pair_of(double fov) { return *load_profile("dual-190")->with_fov(radians(fov)); }

/// Luma through both lenses.
Picture seen_through(const LensPair& pair, Size size, const Scene& scene) {
  const LensPair lenses = pair.scaled_to(size);
  const SeamAxes axes(*Planner::make(pair, size, size));
  Picture picture = blank(size);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const Point p = {x + 0.5, y + 0.5};
      const int lens = p.x < lenses.front.region.left || p.x >= lenses.front.region.right;
      if (lenses[lens].distance(p) > lenses[lens].model.radius() + 2) continue;
      const Vec3 d = lenses[lens].unproject(p);
      const double value = scene(lens, std::atan2(dot(d, axes.along), dot(d, axes.across)),
                                 std::asin(std::clamp(dot(d, axes.axis), -1.0, 1.0)));
      picture.samples[static_cast<size_t>(y) * size.width + x] =
          static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
    }
  return picture;
}

/// A planner and all that follows it, for pictures of luma alone.
class Stitcher {
 public:
  Stitcher(const LensPair& pair, Size source, const Canvas& canvas, double width,
           bool multiband = true)
      : planner(
            *Planner::make(pair, source, canvas, {.blend_width = width, .multiband = multiband})) {
    if (planner.bands()) bands.emplace(planner);
  }

  Picture stitch(const Picture& source, const Mat3& view) {
    if (bands) {
      const WarpGrid& grid = bands->strip().grid();
      strip_ = blank(grid.output);
      warp_rows(grid, plane_of(source, strip_), 0, grid.output.height);
      StripPicture picture;
      for (StripPicture::Component& c : picture.component)
        c = {strip_.samples.data(), grid.output.width};
      bands->blend(picture, 0);
    }
    Picture out = blank(planner.canvas().size());
    for (int patch = 0; patch < planner.patches(); ++patch) {
      planner.build(view, grid, patch);
      if (bands) bands->prepare(view, grid, patch);
      WarpPlane plane = plane_of(source, out);
      plane.target += static_cast<ptrdiff_t>(grid.top) * plane.target_stride + grid.left;
      plane.target_size = grid.output;
      warp_rows(grid, plane, 0, grid.output.height);
      if (bands) add_field(bands->field(), grid, plane, 0, grid.output.height);
    }
    return out;
  }

  const Planner planner;
  std::optional<Multiband> bands;
  WarpGrid grid;  // the last

 private:
  Picture strip_;
};

// With this view the seam is the equator, and the front lens is above it.
const Mat3 seam_level = rotation({0, -90, 0});
// So that pixels of the output are samples of the strip.
constexpr Size source_size = {2400, 1200}, output_size = {2048, 1024};
constexpr double fov = 205;
constexpr int band_rows = 64;
constexpr double band_width = 2 * pi * band_rows / 2048;

/// Detail of many sizes that the lenses show in different places and lights.
double texture(int lens, double azimuth, double height) {
  const double u = azimuth + (lens ? 0.004 : -0.003), h = height + (lens ? 0.005 : -0.004);
  const double detail = std::sin(3 * u + 9 * h) + std::sin(17 * u - 20 * h + 1) +
                        std::sin(61 * u + 40 * h) + std::sin(90 * u - 130 * h + 2);
  return (lens ? 100 : 128) + (lens ? 16 : 20) * detail;
}

// --- the textbook -------------------------------------------------------------------------------

struct Image {
  int width = 0, height = 0;
  std::vector<double> v;
  Image(int w, int h) : width(w), height(h), v(static_cast<size_t>(w) * h) {}
  double& at(int x, int y) { return v[static_cast<size_t>(y) * width + x]; }
  /// Columns repeat around the seam; rows outside repeat the row at the edge.
  double get(int x, int y) const {
    return v[static_cast<size_t>(std::clamp(y, 0, height - 1)) * width + (x + width) % width];
  }
};

Image reduced(const Image& image) {
  constexpr double taps[4] = {0.125, 0.375, 0.375, 0.125};
  Image out(image.width / 2, (image.height + 1) / 2);
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i)
          out.at(x, y) += taps[i] * taps[j] * image.get(2 * x + i - 1, 2 * y + j - 1);
  return out;
}

Image expanded(const Image& image) {
  Image out(image.width * 2, image.height * 2);
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) {
      const int far_x = x / 2 + (x % 2 ? 1 : -1), far_y = y / 2 + (y % 2 ? 1 : -1);
      out.at(x, y) = 0.75 * (0.75 * image.get(x / 2, y / 2) + 0.25 * image.get(far_x, y / 2)) +
                     0.25 * (0.75 * image.get(x / 2, far_y) + 0.25 * image.get(far_x, far_y));
    }
  return out;
}

/// The bands of an image, from fine to coarse, each with the size of the image.
std::vector<Image> bands_of(const Image& image, int coarsest) {
  std::vector<Image> bands, levels = {image};
  for (int k = 0; k < coarsest; ++k) levels.push_back(reduced(levels.back()));
  for (int k = 0; k <= coarsest; ++k) {
    Image band = levels[k];
    if (k < coarsest) {
      const Image coarser = expanded(levels[k + 1]);
      for (size_t n = 0; n < band.v.size(); ++n) band.v[n] -= coarser.v[n];
    }
    for (int j = 0; j < k; ++j) band = expanded(band);
    bands.push_back(band);
  }
  return bands;
}

/// The middle rows of what one lens alone draws.
Image drawn_by(int lens, const Stitcher& stitcher, const Picture& source) {
  WarpGrid grid = stitcher.grid;
  std::fill(grid.first_weight.begin(), grid.first_weight.end(), lens ? -1.0f : 2.0f);
  std::fill(grid.cells.begin(), grid.cells.end(), lens ? cell_second : cell_first);
  Picture out = blank(output_size);
  const int first = (output_size.height - band_rows) / 2;
  warp_rows(grid, plane_of(source, out), first, first + band_rows);
  Image image(output_size.width, band_rows);
  for (int y = 0; y < band_rows; ++y)
    for (int x = 0; x < output_size.width; ++x) image.at(x, y) = out.at(x, first + y);
  return image;
}

/// The amplitude of the brightness in a row that contains a single frequency.
double amplitude(const Picture& picture, int row) {
  double sum = 0, squares = 0;
  for (int x = 0; x < picture.size.width; ++x) {
    sum += picture.at(x, row);
    squares += static_cast<double>(picture.at(x, row)) * picture.at(x, row);
  }
  const double n = picture.size.width;
  return std::sqrt(2 * std::max(squares / n - sum * sum / n / n, 0.0));
}

int row_at(double degrees) { return static_cast<int>((0.5 - degrees / 180) * output_size.height); }

}  // namespace

GST_START_TEST(blend_matches_the_laplacian_pyramids) {
  const LensPair pair = pair_of(fov);
  const Picture source = seen_through(pair, source_size, texture);
  Stitcher stitcher(pair, source_size, Canvas(output_size), band_width);
  fail_unless_equals_int(stitcher.planner.bands(), 3);
  fail_unless_equals_int(stitcher.bands->strip().grid().output.height, 2 * band_rows);
  const Picture out = stitcher.stitch(source, seam_level);

  const int coarsest = stitcher.planner.bands();
  const std::vector<Image> front = bands_of(drawn_by(0, stitcher, source), coarsest);
  const std::vector<Image> back = bands_of(drawn_by(1, stitcher, source), coarsest);
  double worst = 0, sum = 0, one_lens = 0;
  for (int y = 0; y < band_rows; ++y)
    for (int x = 0; x < output_size.width; ++x) {
      const double height = band_rows / 2.0 - y - 0.5;
      double expected = 0, sharp = 0;
      for (int k = 0; k <= coarsest; ++k) {
        const double w = std::clamp(height / band_rows * (1 << (coarsest - k)) + 0.5, 0.0, 1.0);
        expected += w * front[k].get(x, y) + (1 - w) * back[k].get(x, y);
        sharp += (height > 0 ? front : back)[k].get(x, y);
      }
      const double off = out.at(x, (output_size.height - band_rows) / 2 + y) - expected;
      worst = std::max(worst, std::abs(off));
      sum += off * off;
      one_lens = std::max(one_lens, std::abs(expected - sharp));
    }
  const double root_mean = std::sqrt(sum / (band_rows * output_size.width));
  fail_unless(one_lens > 20, "the lenses hardly differ: %g", one_lens);
  fail_unless(worst < 2.5, "%g steps off", worst);
  fail_unless(root_mean < 0.6, "%g steps off", root_mean);
}
GST_END_TEST;

GST_START_TEST(step_in_light_is_blended) {
  const LensPair pair = pair_of(fov);
  const Picture source =
      seen_through(pair, source_size, [](int lens, double, double) { return lens ? 100 : 150; });
  Stitcher stitcher(pair, source_size, Canvas(output_size), band_width);
  const Picture out = stitcher.stitch(source, seam_level);
  for (int y = 0; y + 1 < output_size.height; ++y)
    for (int x = 0; x < output_size.width; x += 7) {
      const int step = out.at(x, y) - out.at(x, y + 1);
      if (step < -1 || step > 2) fail_unless(false, "%d at %d,%d", step, x, y);
    }
  fail_unless_equals_int(out.at(5, row_at(6)), 150);
  fail_unless_equals_int(out.at(5, row_at(-6)), 100);
}
GST_END_TEST;

GST_START_TEST(fine_detail_stays_with_its_lens) {
  const LensPair pair = pair_of(fov);
  const Scene stripes = [](int lens, double azimuth, double) {
    return lens ? 120 : 120 + 60 * std::sin(azimuth * 410);
  };
  const Picture source = seen_through(pair, source_size, stripes);
  Stitcher bands(pair, source_size, Canvas(output_size), band_width);
  Stitcher feather(pair, source_size, Canvas(output_size), band_width, false);
  const Picture sharp = bands.stitch(source, seam_level), soft = feather.stitch(source, seam_level);
  const double whole = amplitude(sharp, row_at(7));
  fail_unless(whole > 30, "%g", whole);
  for (double degrees : {1.6, 2.5, 4.0}) {
    const double own = amplitude(sharp, row_at(degrees)) / whole,
                 ghost = amplitude(sharp, row_at(-degrees)) / whole;
    fail_unless(own > 0.93, "%g degrees up: %g", degrees, own);
    fail_unless(ghost < 0.05, "%g degrees down: %g", degrees, ghost);
    const double soft_ghost = amplitude(soft, row_at(-degrees)) / whole;
    fail_unless(soft_ghost > 2 * ghost + 0.1, "%g degrees down: %g with a feather", degrees,
                soft_ghost);
  }
}
GST_END_TEST;

GST_START_TEST(equal_lenses_make_the_same_picture) {
  const LensPair pair = pair_of(fov);
  const auto stitched = [&](const Scene& scene, bool multiband) {
    Stitcher stitcher(pair, {1200, 600}, Canvas({1024, 512}), band_width, multiband);
    fail_unless(stitcher.bands.has_value() == multiband);
    return stitcher.stitch(seen_through(pair, {1200, 600}, scene), rotation({20, 50, -30}));
  };
  const Scene flat = [](int, double, double) { return 93; };
  fail_unless(stitched(flat, true).samples == stitched(flat, false).samples);
  const Scene same = [](int, double u, double h) {
    return 120 + 40 * std::sin(9 * u + 20 * h) + 30 * std::sin(30 * u - 11 * h);
  };
  const Picture a = stitched(same, true), b = stitched(same, false);
  for (size_t n = 0; n < a.samples.size(); ++n)
    if (std::abs(a.samples[n] - b.samples[n]) > 2)
      fail_unless(false, "%d, not %d", a.samples[n], b.samples[n]);
}
GST_END_TEST;

GST_START_TEST(seam_is_blended_in_any_view_of_any_size) {
  // A smooth difference between the lenses must be blended over the whole width.
  const Scene scene = [](int lens, double azimuth, double) {
    return lens ? 110 - 25 * std::cos(azimuth) : 150 + 30 * std::sin(azimuth);
  };
  const LensPair pair = pair_of(fov);
  const Picture source = seen_through(pair, {1200, 600}, scene);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> angle(-180, 180);
  const Canvas canvases[] = {Canvas({640, 320}),
                             Canvas({1283, 641}),
                             Canvas(Projection::cubemap, {768, 512}),
                             Canvas(Projection::eac, {720, 480}),
                             Canvas(Projection::perspective, {640, 360}, radians(100)),
                             Canvas(Projection::little_planet, {720, 720})};
  int compared = 0;
  for (int round = 0; round < (quick ? 6 : 60); ++round) {
    const Canvas& canvas = canvases[round % 6];
    Stitcher stitcher(pair, source.size, canvas, band_width);
    fail_unless(stitcher.planner.bands() >= 1, "round %d", round);
    const SeamAxes axes(stitcher.planner);
    const Mat3 view = rotation({angle(random), angle(random), angle(random)});
    const Picture out = stitcher.stitch(source, view);
    for (const Canvas::Patch& patch : canvas.patches())
      for (int y = 0; y < patch.size.height; y += 3)
        for (int x = 0; x < patch.size.width; x += 2) {
          const Vec3 d = view * canvas.direction(patch, {x + 0.5, y + 0.5});
          const double height = std::asin(std::clamp(dot(d, axes.axis), -1.0, 1.0));
          const double azimuth = std::atan2(dot(d, axes.along), dot(d, axes.across));
          if (std::abs(height) > band_width) continue;
          const double w = std::clamp(height / band_width + 0.5, 0.0, 1.0);
          const double expected =
              w * scene(0, azimuth, height) + (1 - w) * scene(1, azimuth, height);
          const int is = out.at(patch.x + x, patch.y + y);
          ++compared;
          if (std::abs(is - expected) > 4)
            fail_unless(false, "round %d: %d, not %g, at %d,%d", round, is, expected, x, y);
        }
  }
  fail_unless(compared > 1000, "%d", compared);
}
GST_END_TEST;

GST_START_TEST(noise_does_not_grow_over_time) {
  const LensPair pair = pair_of(fov);
  constexpr Size small = {1200, 600}, output = {1024, 512};
  Stitcher stitcher(pair, small, Canvas(output), band_width);
  std::minstd_rand random(3);
  std::vector<double> changes(output.height);
  Picture before;
  const int frames = quick ? 3 : 12;
  for (int frame = 0; frame < frames; ++frame) {
    Picture source = blank(small);
    for (int y = 0; y < small.height; ++y)
      for (int x = 0; x < small.width; ++x)
        source.samples[static_cast<size_t>(y) * small.width + x] =
            static_cast<uint8_t>((x < small.width / 2 ? 90 : 120) + random() % 21);
    const Picture out = stitcher.stitch(source, seam_level);
    for (int y = 0; frame > 0 && y < output.height; ++y)
      for (int x = 0; x < output.width; ++x)
        changes[y] += std::pow(out.at(x, y) - before.at(x, y), 2);
    before = out;
  }
  const auto change = [&](double from, double to) {
    double sum = 0;
    const int first = static_cast<int>((0.5 - to / 180) * output.height),
              last = static_cast<int>((0.5 - from / 180) * output.height);
    for (int y = first; y < last; ++y) sum += changes[y];
    return sum / (last - first);
  };
  const double around = (change(8, 11) + change(-11, -8)) / 2, at_seam = change(-5, 5);
  fail_unless(around > 0);
  fail_unless(at_seam < 1.1 * around, "%g, and %g around", at_seam, around);
}
GST_END_TEST;

GST_START_TEST(too_small_an_overlap_is_feathered) {
  std::minstd_rand random(5);
  const Picture noise = [&] {
    Picture p = blank({640, 320});
    for (uint8_t& v : p.samples) v = static_cast<uint8_t>(random() >> 8);
    return p;
  }();
  for (double field : {180.0, 180.4, 181.0, 183.0, 187.0, 190.0, 220.0})
    for (double width : {0.0, 0.1, 1.0, 8.0, 60.0})
      for (Size size : {Size{4, 2}, Size{16, 8}, Size{66, 33}, Size{640, 320}}) {
        const LensPair pair = pair_of(field);
        Stitcher bands(pair, noise.size, Canvas(size), radians(width));
        Stitcher feather(pair, noise.size, Canvas(size), radians(width), false);
        const Mat3 view = rotation({width * 20, field, width});
        const Picture a = bands.stitch(noise, view), b = feather.stitch(noise, view);
        if (!bands.bands) fail_unless(a.samples == b.samples);
        const double samples = bands.planner.widest() * bands.planner.density();
        fail_unless(bands.bands.has_value() == (samples > 11.31), "%g: %g", field, samples);
      }
}
GST_END_TEST;

static Suite* multiband_suite() {
  Suite* suite = suite_create("multiband");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, blend_matches_the_laplacian_pyramids);
  tcase_add_test(tcase, step_in_light_is_blended);
  tcase_add_test(tcase, fine_detail_stays_with_its_lens);
  tcase_add_test(tcase, equal_lenses_make_the_same_picture);
  tcase_add_test(tcase, seam_is_blended_in_any_view_of_any_size);
  tcase_add_test(tcase, noise_does_not_grow_over_time);
  tcase_add_test(tcase, too_small_an_overlap_is_feathered);
  return suite;
}

GST_CHECK_MAIN(multiband)

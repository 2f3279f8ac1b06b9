// SPDX-License-Identifier: LGPL-2.1-or-later
// align=seam: the lenses never agree less with it than without it, nothing is torn, and the join
// is steady in a video.

#include <algorithm>
#include <cmath>
#include <random>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/seam.h"
#include "tests/check/grey.h"
#include "tests/check/strip.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size output = {3840, 1920};
constexpr double pixels_a_radian = output.width / (2 * pi);

double bilinear(const GreyPicture& picture, Point p) {
  const double x = std::clamp(p.x - 0.5, 0.0, picture.size.width - 1.001);
  const double y = std::clamp(p.y - 0.5, 0.0, picture.size.height - 1.001);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
  const double fx = x - x0, fy = y - y0;
  const auto at = [&](int column, int row) -> double {
    return picture.pixels[static_cast<size_t>(row) * picture.size.width + column];
  };
  return (at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx) * (1 - fy) +
         (at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx) * fy;
}

/// Zero-mean normalised cross-correlation.
class Correlation {
 public:
  void add(double a, double b) {
    n_ += 1, a_ += a, b_ += b, ab_ += a * b, aa_ += a * a, bb_ += b * b;
  }
  double samples() const { return n_; }
  double value() const {
    const double deviations = std::sqrt(std::max((aa_ - a_ * a_ / n_) * (bb_ - b_ * b_ / n_), 0.0));
    return deviations > 0 ? (ab_ - a_ * b_ / n_) / deviations : 0;
  }

 private:
  double n_ = 0, a_ = 0, b_ = 0, ab_ = 0, aa_ = 0, bb_ = 0;
};

/// A seam, and the strip of a picture that it measures.
class Alignment {
 public:
  explicit Alignment(const LensPair& pair, Size source)
      : pair_(pair.scaled_to(source)),
        planner_(*Planner::make(pair, source, output)),
        seam_(planner_, {.align = true}) {}

  void measure(const GreyPicture& picture, bool alone) {
    pixels_ = draw_strip(seam_.strip(), picture.pixels, picture.size);
    seam_.measure(grey_strip(pixels_), alone);
  }
  Seam& seam() { return seam_; }
  const std::vector<uint8_t>& strip() const { return pixels_; }

  struct Agreement {
    double before = 0, after = 0;
    double worst = 0;  ///< the smallest change in a sector of 10 degrees
  };
  /// What both lenses show within 2.5 degrees of the seam and 60 degrees of the equator.
  Agreement agreement(const GreyPicture& picture) const {
    constexpr int sectors = 36;
    const SeamAxes& axes = seam_.strip().axes();
    const double within = std::min(radians(2.5), seam_.strip().half());
    constexpr Size size = {1280, 640};
    Correlation before, after, sector_before[sectors], sector_after[sectors];
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, size);
        if (std::abs(lonlat_of(d).lat) > radians(60)) continue;
        const double height = (pair_.back.angle_to_axis(d) - pair_.front.angle_to_axis(d)) / 2;
        if (std::abs(height - axes.middle) > within) continue;
        double turns = std::atan2(dot(d, axes.along), dot(d, axes.across)) / (2 * pi);
        if (turns < 0) turns += 1;
        const Vec3 moved = shift_at(turns) * axes.axis;
        const double a = bilinear(picture, pair_.front.project(d));
        const double b = bilinear(picture, pair_.back.project(d));
        const double c = bilinear(picture, pair_.front.project(normalised(d - moved)));
        const double e = bilinear(picture, pair_.back.project(normalised(d + moved)));
        const int sector = std::min(static_cast<int>(turns * sectors), sectors - 1);
        before.add(a, b);
        after.add(c, e);
        sector_before[sector].add(a, b);
        sector_after[sector].add(c, e);
      }
    Agreement agreement = {before.value(), after.value(), 0};
    for (int s = 0; s < sectors; ++s)
      if (sector_before[s].samples() > 200)
        agreement.worst =
            std::min(agreement.worst, sector_after[s].value() - sector_before[s].value());
    return agreement;
  }

  /// The largest change of the shift along the seam, radians per radian.
  double steepest() const {
    const std::vector<float>& shift = seam_.shift();
    double most = 0;
    for (size_t i = 0; i < shift.size(); ++i)
      most = std::max<double>(most, std::abs(shift[(i + 1) % shift.size()] - shift[i]));
    return most * static_cast<double>(shift.size()) / (2 * pi);
  }

 private:
  double shift_at(double turns) const {
    const std::vector<float>& shift = seam_.shift();
    const double at =
        turns * static_cast<double>(shift.size()) + static_cast<double>(shift.size()) - 0.5;
    const auto n = static_cast<size_t>(at);
    const double part = at - static_cast<double>(n);
    return (1 - part) * shift[n % shift.size()] + part * shift[(n + 1) % shift.size()];
  }

  const LensPair pair_;
  const Planner planner_;
  Seam seam_;
  std::vector<uint8_t> pixels_;
};

/// Nothing beside the seam is sheared by more than this.
constexpr double steepest_allowed = 0.51;

int rounds_by_hand(const char* variable, int usual) {
  const char* chosen = g_getenv(variable);
  return chosen ? atoi(chosen) : usual;
}

}  // namespace

/// SPHERE_ALIGN_ROUNDS=200 by hand.
GST_START_TEST(lenses_of_any_scene_never_agree_less) {
  const int rounds = rounds_by_hand("SPHERE_ALIGN_ROUNDS", 8);
  double gained = 0, worst = 0;
  for (int round = 0; round < rounds; ++round) {
    std::mt19937 random(static_cast<unsigned>(round));
    const auto within = [&](double limit) {
      return std::uniform_real_distribution<double>(-limit, limit)(random);
    };
    LensPair truth = load_profile("dual-190")->scaled_to({1280, 640});
    for (int i = 0; i < 2; ++i)
      truth[i].model = *RadialModel::make(ModelKind::equidistant, radians(195 + within(5)), 310);
    truth.baseline = 0.03 + within(0.03);
    // What is stitched with is wrong.
    LensPair taken = truth;
    for (int i = 0; i < 2; ++i) {
      taken[i].to_camera = taken[i].to_camera * rotation({within(0.7), within(0.7), within(0.7)});
      taken[i].centre.x += within(2);
      taken[i].centre.y += within(2);
      taken[i].model = *RadialModel::make(ModelKind::equidistant,
                                          truth[i].model.fov() + radians(within(1)), 310);
    }
    truth.front.gain = 1 + within(0.15);
    truth.back.vignette = {0, 0, -0.15 + within(0.15)};
    const GreyPicture picture =
        drawn(truth, rotation({within(180), within(20), within(20)}), {.depth = true});
    Alignment alignment(taken, picture.size);
    alignment.measure(picture, true);
    const Alignment::Agreement agreement = alignment.agreement(picture);
    gained += agreement.after - agreement.before;
    worst = std::min(worst, agreement.worst);
    fail_unless(agreement.after >= agreement.before - 1e-3, "pair %d: %g, %g before", round,
                agreement.after, agreement.before);
    fail_unless(alignment.steepest() < steepest_allowed, "pair %d: %g", round,
                alignment.steepest());
  }
  g_print("%d pairs: correlation %+.3f in the mean; the worst sector %+.3f\n", rounds,
          gained / rounds, worst);
  fail_unless(gained / rounds > 0.05, "%g", gained / rounds);
}
GST_END_TEST;

GST_START_TEST(what_does_not_belong_together_is_not_moved) {
  const LensPair pair = load_profile("dual-190")->scaled_to({1280, 640});
  // Each lens looks at something else.
  const GreyPicture one = drawn(pair, Mat3()), other = drawn(pair, rotation({90, 25, 60}));
  GreyPicture mixed = one;
  for (int y = 0; y < 640; ++y)
    std::copy_n(&other.pixels[static_cast<size_t>(y) * 1280], 640,
                &mixed.pixels[static_cast<size_t>(y) * 1280]);
  Alignment alignment(pair, mixed.size);
  alignment.measure(mixed, true);
  std::vector<float> sizes;
  for (const float shift : alignment.seam().shift()) sizes.push_back(std::abs(shift));
  std::ranges::sort(sizes);
  g_print("unrelated pictures: moved by %.2f degrees in the median, at most by %.2f\n",
          degrees(sizes[sizes.size() / 2]), degrees(sizes.back()));
  fail_unless(sizes[sizes.size() / 2] < radians(0.1), "%g", degrees(sizes[sizes.size() / 2]));
}
GST_END_TEST;

GST_START_TEST(lenses_of_real_photos_never_agree_less) {
  const struct {
    const char* file;
    const char* lens;
    double fov;  // degrees; 0: the profile's
  } photos[] = {{"gear360-street.png", "gear360", 0},
                {"gear360-street.png", "dual-190", 0},
                {"fisheye-208.jpg", "dual-190", 208},
                {"fisheye-208.jpg", "dual-190", 206}};
  for (const auto& photo : photos) {
    const std::optional<GreyPicture> picture = shared_photo(photo.file);
    if (!picture) continue;
    LensPair pair = *load_profile(photo.lens);
    if (photo.fov > 0) pair = *pair.with_fov(radians(photo.fov));
    Alignment alignment(pair, picture->size);
    alignment.measure(*picture, true);
    const Alignment::Agreement agreement = alignment.agreement(*picture);
    g_print("%s with %s %g: correlation %.3f, aligned %.3f, worst sector %+.3f, steepest %.2f\n",
            photo.file, photo.lens, photo.fov, agreement.before, agreement.after, agreement.worst,
            alignment.steepest());
    fail_unless(agreement.after > agreement.before, "%g, %g before", agreement.after,
                agreement.before);
    fail_unless(agreement.worst > -0.1, "%g", agreement.worst);
    fail_unless(alignment.steepest() < steepest_allowed, "%g", alignment.steepest());
  }
}
GST_END_TEST;

/// SPHERE_ALIGN_FRAMES=300 by hand.
GST_START_TEST(the_join_is_steady_in_a_video) {
  const int frames = rounds_by_hand("SPHERE_ALIGN_FRAMES", 45);
  LensPair pair = load_profile("dual-190")->scaled_to({960, 480});
  pair.baseline = 0.03;
  Alignment alignment(pair, {960, 480});
  SceneView scene(pair, Mat3(), {.depth = true});
  std::vector<float> before;
  std::vector<uint8_t> strip_before;
  std::vector<double> still_steps;
  double largest = 0, all = 0;
  uint32_t noise = 1;
  std::vector<bool> still(DisparityFinder::columns);
  for (int frame = 0; frame < frames; ++frame) {
    if (frame % 3 == 0) {
      // The ball and the sign come to the seams 3 to 4 seconds on.
      GreyPicture picture = scene.picture(2.5 + frame / 30.0);
      for (uint8_t& pixel : picture.pixels) {
        noise = noise * 1664525 + 1013904223;
        pixel = static_cast<uint8_t>(std::clamp(pixel + static_cast<int>(noise >> 29) - 4, 0, 255));
      }
      alignment.measure(picture, false);
      // Nothing moves where nothing within 3 degrees of the column changes by more than noise.
      const std::vector<uint8_t>& strip = alignment.strip();
      for (size_t i = 0; !strip_before.empty() && i < still.size(); ++i) {
        still[i] = true;
        const int middle = static_cast<int>(i) * 2;
        for (int x = middle - 16; still[i] && x <= middle + 16; ++x)
          for (size_t y = 0; still[i] && y < static_cast<size_t>(SeamStrip::size.height); y += 2) {
            const size_t at = y * SeamStrip::columns +
                              static_cast<size_t>((x + SeamStrip::columns) % SeamStrip::columns);
            still[i] = std::abs(strip[at] - strip_before[at]) < 12;
          }
      }
      strip_before = strip;
    }
    alignment.seam().settle();
    const std::vector<float>& shift = alignment.seam().shift();
    for (size_t i = 0; !before.empty() && i < shift.size(); ++i) {
      // The lenses move against each other by the shift of both.
      const double step = 2 * std::abs(shift[i] - before[i]) * pixels_a_radian;
      all += step;
      largest = std::max(largest, step);
      if (still[i]) still_steps.push_back(step);
    }
    before = shift;
  }
  std::ranges::sort(still_steps);
  const double high = still_steps[still_steps.size() * 99 / 100];
  g_print(
      "%d frames: the join moves by %.2f pixels of 3840 where nothing moves (99th percentile), "
      "at most by %.2f; %.3f in the mean\n",
      frames, high, largest, all / frames / static_cast<double>(before.size()));
  fail_unless(still_steps.size() > before.size() * static_cast<size_t>(frames) / 3);
  fail_unless(all > 0);
  fail_unless(high < 0.5, "%g", high);
  fail_unless(largest < 2, "%g", largest);
}
GST_END_TEST;

static Suite* alignment_suite() {
  Suite* suite = suite_create("alignment");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, lenses_of_any_scene_never_agree_less);
  tcase_add_test(tcase, what_does_not_belong_together_is_not_moved);
  tcase_add_test(tcase, lenses_of_real_photos_never_agree_less);
  tcase_add_test(tcase, the_join_is_steady_in_a_video);
  return suite;
}

GST_CHECK_MAIN(alignment)

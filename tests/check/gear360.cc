// SPDX-License-Identifier: LGPL-2.1-or-later
// A real photograph: both lenses' views of what both see agree.

#include <functional>

#include "tests/check/pipeline.h"

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seam.h"
#include "tests/check/strip.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size output = {2560, 1280};

std::string photograph() {
  g_autofree char* path =
      g_build_filename(g_getenv("SPHERE_SHARED"), "data", "gear360-street.png", nullptr);
  return path;
}

bool have_photograph() {
  if (g_file_test(photograph().c_str(), G_FILE_TEST_EXISTS)) return true;
  g_print("skip: ../shared/data/gear360-street.png is absent\n");
  return false;
}

/// The luma of the photograph at the end of a launch line.
Component luma_of_photograph(const std::string& line) {
  Pipeline p("filesrc location=" + photograph() + " ! pngdec ! videoconvert ! " + line +
             " ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  if (!sample) fail_unless(false, "%s", p.wait().c_str());
  return component_of(sample.get(), 0);
}

double bilinear(const Component& c, Point p) {
  const double x = std::clamp(p.x - 0.5, 0.0, c.width - 1.001);
  const double y = std::clamp(p.y - 0.5, 0.0, c.height - 1.001);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
  const double fx = x - x0, fy = y - y0;
  return (c.at(x0, y0) * (1 - fx) + c.at(x0 + 1, y0) * fx) * (1 - fy) +
         (c.at(x0, y0 + 1) * (1 - fx) + c.at(x0 + 1, y0 + 1) * fx) * fy;
}

/// Zero-mean normalised cross-correlation of the luma that the lenses draw within 2.5 degrees of
/// the seam and 60 degrees of the equator, both seams pooled.
/// `moved` says where each lens is to look for a direction.
double overlap_correlation(
    const LensPair& profile, const Component& luma,
    const std::function<Vec3(Vec3, int)>& moved = [](Vec3 d, int) { return d; }) {
  const LensPair pair = profile.scaled_to({luma.width, luma.height});
  std::vector<double> a, b;
  for (int y = 0; y < output.height; ++y)
    for (int x = 0; x < output.width; ++x) {
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, output);
      if (std::abs(lonlat_of(d).lat) > radians(60)) continue;
      const double off = (pair.back.angle_to_axis(d) - pair.front.angle_to_axis(d)) / 2;
      if (std::abs(off) > radians(2.5)) continue;
      a.push_back(bilinear(luma, pair.front.project(moved(d, 0))));
      b.push_back(bilinear(luma, pair.back.project(moved(d, 1))));
    }
  fail_unless(a.size() > 40000, "%zu", a.size());
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) ma += a[i], mb += b[i];
  ma /= a.size();
  mb /= b.size();
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

/// The step in brightness at the seams divided by the steps beside them, within 75 degrees of the
/// equator. A seam that can not be seen has 1.
double seam_step_ratio(const Component& luma) {
  double at_seam = 0, beside = 0;
  int count = 0;
  for (int seam : {luma.width / 4, luma.width * 3 / 4}) {
    const auto steps = [&](int x) {
      double sum = 0;
      for (int y = 0; y < luma.height; ++y) {
        const double lat = (0.5 - (y + 0.5) / luma.height) * pi;
        if (std::abs(lat) < radians(75))
          sum += std::cos(lat) * std::abs(luma.at(x, y) - luma.at(x - 1, y));
      }
      return sum;
    };
    at_seam += steps(seam);
    for (int off = 16; off <= 64; ++off) {
      beside += steps(seam - off) + steps(seam + off);
      count += 2;
    }
  }
  return at_seam / 2 / (beside / count);
}

}  // namespace

GST_START_TEST(both_lenses_agree_at_the_seams) {
  if (!have_photograph()) return;
  const Component luma = luma_of_photograph("video/x-raw,format=GRAY8");
  const double fitted = overlap_correlation(*load_profile("gear360"), luma);
  fail_unless(fitted > 0.9, "%g", fitted);
  // The measure must tell a good profile from a poor one.
  const double ideal = overlap_correlation(*load_profile("dual-190"), luma);
  fail_unless(fitted > ideal + 0.1, "%g, against %g for ideal lenses", fitted, ideal);
}
GST_END_TEST;

GST_START_TEST(the_matched_seam_can_not_be_seen) {
  if (!have_photograph()) return;
  const std::string to_sphere = "video/x-raw,format=I420 ! cpuspherestitch lens=gear360 ";
  const std::string size = " ! video/x-raw,width=2560";
  const double hard = seam_step_ratio(luma_of_photograph(to_sphere + "blend=off" + size));
  const double matched =
      seam_step_ratio(luma_of_photograph(to_sphere + "match=gain align=seam" + size));
  g_print("seam-step ratio: hard %.2f, matched %.2f\n", hard, matched);
  fail_unless(matched > 0.9 && matched < 1.1, "%g, a hard seam %g", matched, hard);
}
GST_END_TEST;

GST_START_TEST(aligned_lenses_agree_better) {
  if (!have_photograph()) return;
  const Component luma = luma_of_photograph("video/x-raw,format=GRAY8");
  const Size source = {luma.width, luma.height};
  const Planner planner = *Planner::make(*load_profile("gear360"), source, output);
  Seam seam(planner, {.align = true});
  const std::vector<uint8_t> strip = draw_strip(seam.strip(), luma.samples, source);
  seam.measure(grey_strip(strip));

  const SeamAxes& axes = seam.strip().axes();
  const auto shift_at = [&](Vec3 d) {
    const double turns = std::atan2(dot(d, axes.along), dot(d, axes.across)) / (2 * pi);
    const auto n = static_cast<size_t>((turns < 0 ? turns + 1 : turns) * seam.shift().size());
    return static_cast<double>(seam.shift()[std::min(n, seam.shift().size() - 1)]);
  };
  const double before = overlap_correlation(*load_profile("gear360"), luma);
  const double after = overlap_correlation(*load_profile("gear360"), luma, [&](Vec3 d, int lens) {
    return normalised(d + (lens ? shift_at(d) : -shift_at(d)) * axes.axis);
  });
  g_print("correlation of the overlap: %.3f, aligned %.3f\n", before, after);
  fail_unless(after > 0.9 && after > before + 0.007, "%g, before %g", after, before);
}
GST_END_TEST;

static Suite* gear360_suite() {
  Suite* suite = suite_create("gear360");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, both_lenses_agree_at_the_seams);
  tcase_add_test(tcase, the_matched_seam_can_not_be_seen);
  tcase_add_test(tcase, aligned_lenses_agree_better);
  return suite;
}

GST_CHECK_MAIN(gear360)

// SPDX-License-Identifier: LGPL-2.1-or-later
// A real photograph: both lenses' views of what both see agree.

#include "tests/check/pipeline.h"

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/plan.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size output = {2560, 1280};

std::string photograph() {
  g_autofree char* path =
      g_build_filename(g_getenv("SPHERE_SHARED"), "data", "gear360-street.png", nullptr);
  return path;
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
double overlap_correlation(const LensPair& profile, const Component& luma) {
  const LensPair pair = profile.scaled_to({luma.width, luma.height});
  std::vector<double> a, b;
  for (int y = 0; y < output.height; ++y)
    for (int x = 0; x < output.width; ++x) {
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, output);
      if (std::abs(lonlat_of(d).lat) > radians(60)) continue;
      const double off = (pair.back.angle_to_axis(d) - pair.front.angle_to_axis(d)) / 2;
      if (std::abs(off) > radians(2.5)) continue;
      a.push_back(bilinear(luma, pair.front.project(d)));
      b.push_back(bilinear(luma, pair.back.project(d)));
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

}  // namespace

GST_START_TEST(both_lenses_agree_at_the_seams) {
  if (!g_file_test(photograph().c_str(), G_FILE_TEST_EXISTS)) {
    g_print("skip: ../shared/data/gear360-street.png is absent\n");
    return;
  }
  Pipeline p("filesrc location=" + photograph() +
             " ! pngdec ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  fail_unless(sample != nullptr);
  const Component luma = component_of(sample.get(), 0);
  const double fitted = overlap_correlation(*load_profile("gear360"), luma);
  fail_unless(fitted > 0.9, "%g", fitted);
  // And what is measured tells a good profile from a poor one.
  const double ideal = overlap_correlation(*load_profile("dual-190"), luma);
  fail_unless(fitted > ideal + 0.1, "%g, against %g for ideal lenses", fitted, ideal);
}
GST_END_TEST;

static Suite* gear360_suite() {
  Suite* suite = suite_create("gear360");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, both_lenses_agree_at_the_seams);
  return suite;
}

GST_CHECK_MAIN(gear360)

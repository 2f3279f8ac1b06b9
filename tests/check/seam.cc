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

/// A component of the picture 3.5 seconds on: then the near sign stands on the seam.
Component component_from(const std::string& line, int k = 0) {
  Pipeline p(line + " ! appsink name=sink sync=false max-buffers=1");
  p.set_state(GST_STATE_PAUSED);
  if (!p.pull_preroll()) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  fail_unless(gst_element_seek_simple(p.element(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                      3500 * GST_MSECOND));
  const SampleRef sample = p.pull_preroll();
  if (!sample) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  return component_of(sample.get(), k);
}

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

}  // namespace

GST_START_TEST(a_matched_seam_is_nearer_the_truth) {
  const Profile plain({.baseline = 0.025});
  const Profile uneven({.baseline = 0.025,
                        .front = R"(, "gain": 1.25, "vignette": [-0.08, -0.06, 0])",
                        .back = R"(, "gain": 0.97, "vignette": [-0.03, -0.04, 0])"});
  const std::string caps = " ! video/x-raw,format=NV12,width=1920";
  const Component truth = component_from(source + uneven.path() + " output=equirect" + caps);
  const std::string in = source + uneven.path() + caps + " ! cpuspherestitch lens=" + plain.path();
  const double feather = seam_psnr(component_from(in), truth);
  const double gain = seam_psnr(component_from(in + " match=gain"), truth);
  const double align = seam_psnr(component_from(in + " align=seam"), truth);
  const double both = seam_psnr(component_from(in + " match=gain align=seam"), truth);
  g_print(
      "WS-PSNR within 3 degrees of the seam: feather %.2f, gain %.2f, align %.2f, both %.2f dB\n",
      feather, gain, align, both);
  fail_unless(gain > feather, "%g, %g", gain, feather);
  fail_unless(align > feather + 1, "%g, %g", align, feather);
  fail_unless(both > feather + 4, "%g, %g", both, feather);
}
GST_END_TEST;

static Suite* seam_suite() {
  Suite* suite = suite_create("seam");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, a_matched_seam_is_nearer_the_truth);
  return suite;
}

GST_CHECK_MAIN(seam)

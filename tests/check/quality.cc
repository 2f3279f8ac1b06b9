// SPDX-License-Identifier: LGPL-2.1-or-later
// The stitched picture against the true one, and against the peer, ffmpeg's v360, on the same
// frames.

#include "tests/check/ffmpeg.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr int width = 1920, height = 960;
const std::string source = "spheretestsrc num-buffers=1 lens=dual-190 ";
const std::string caps = " ! video/x-raw,format=I420,width=1920,height=960";

/// What ffmpeg's filter makes of two ideal lenses.
Component v360(const FfmpegInput& fisheyes, const std::string& more) {
  return fisheyes.filtered("v360=dfisheye:e:ih_fov=190:iv_fov=190:" + more, width, height);
}

}  // namespace

GST_START_TEST(picture_is_more_accurate_than_v360s) {
  if (!have_ffmpeg()) return;
  const Component truth = luma_of(source + "output=equirect" + caps);
  const SampleRef fisheyes = sample_of(source + caps);
  const FfmpegInput input(fisheyes);
  const auto ours = [&](const char* more) {
    return ws_psnr(luma_of(fisheyes, std::string("cpuspherestitch lens=dual-190 ") + more), truth);
  };
  const double linear = ours(""), peer_linear = ws_psnr(v360(input, "interp=linear"), truth);
  g_print("WS-PSNR of luma: ours %.2f dB, v360 linear %.2f dB\n", linear, peer_linear);
  fail_unless(peer_linear > 30, "the peer has %g dB", peer_linear);
  fail_unless(linear >= peer_linear + 1.2, "ours %g dB, the peer's %g dB", linear, peer_linear);

  const double cubic = ours("interpolation=cubic"),
               peer_cubic = ws_psnr(v360(input, "interp=cubic"), truth);
  g_print("WS-PSNR of luma, cubic: ours %.2f dB, v360 cubic %.2f dB\n", cubic, peer_cubic);
  fail_unless(cubic > linear + 0.5);
  fail_unless(cubic >= peer_cubic + 1.9, "ours %g dB, the peer's %g dB", cubic, peer_cubic);
}
GST_END_TEST;

GST_START_TEST(yaw_pitch_and_roll_are_v360s) {
  if (!have_ffmpeg()) return;
  const SampleRef fisheyes = sample_of(source + caps);
  const FfmpegInput input(fisheyes);
  const Component ours =
      luma_of(fisheyes, "cpuspherestitch lens=dual-190 yaw=35 pitch=20 roll=-12");
  const Component same = v360(input, "interp=linear:yaw=35:pitch=20:roll=-12");
  const Component other = v360(input, "interp=linear:yaw=35:pitch=20:roll=-11.5");
  const double agreement = ws_psnr(ours, same), off = ws_psnr(ours, other);
  fail_unless(agreement > 30, "%g dB", agreement);
  fail_unless(agreement > off + 3, "%g dB, half a degree off %g dB", agreement, off);
}
GST_END_TEST;

GST_START_TEST(every_profile_gives_the_true_sphere) {
  for (const char* lens : {"gear360", "theta-s", "mi-sphere"}) {
    const std::string chosen = std::string("spheretestsrc num-buffers=1 lens=") + lens + " ";
    // A profile has only the pixels of its fisheyes, so the picture can not be sharper than these.
    const Component truth = luma_of(
        chosen + "output=equirect ! video/x-raw,format=I420,width=960,height=480 ! identity");
    const Component stitched = luma_of(chosen +
                                       "! video/x-raw,format=I420 ! cpuspherestitch ! "
                                       "video/x-raw,width=960,height=480 ! identity");
    const double db = ws_psnr(stitched, truth);
    fail_unless(db > 24, "%s: %g dB", lens, db);
  }
}
GST_END_TEST;

static Suite* quality_suite() {
  Suite* suite = suite_create("quality");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, picture_is_more_accurate_than_v360s);
  tcase_add_test(tcase, yaw_pitch_and_roll_are_v360s);
  tcase_add_test(tcase, every_profile_gives_the_true_sphere);
  return suite;
}

GST_CHECK_MAIN(quality)

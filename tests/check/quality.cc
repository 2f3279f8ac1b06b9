// SPDX-License-Identifier: LGPL-2.1-or-later
// The stitched picture against the true one, and against the peer, ffmpeg's v360, on the same
// frames.

#include "tests/check/pipeline.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr int width = 1920, height = 960;
const std::string source = "spheretestsrc num-buffers=1 lens=dual-190 ";
const std::string caps = " ! video/x-raw,format=I420,width=1920,height=960 ! ";

Component luma_of(const std::string& line) {
  Pipeline p(line + " ! appsink name=sink");
  p.play();
  const SampleRef sample = p.pull();
  if (!sample) fail_unless(false, "%s: %s", line.c_str(), p.wait().c_str());
  return component_of(sample.get(), 0);
}

bool have_ffmpeg() {
  g_autofree char* path = g_find_program_in_path("ffmpeg");
  if (!path) g_print("skip: ffmpeg is absent, nothing to compare with\n");
  return path != nullptr;
}

/// The luma that ffmpeg's filter makes of the source's frame.
Component luma_of_ffmpeg(const std::string& filter) {
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string in = std::string(folder) + "/in.yuv", out = std::string(folder) + "/out.yuv";
  Pipeline p(source + caps + "filesink location=" + in);
  fail_unless(p.run().empty());
  const std::string command = "ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 1920x960 -i " + in +
                              " -vf " + filter + " -pix_fmt yuv420p -f rawvideo " + out;
  g_autoptr(GError) error = nullptr;
  gint status = 0;
  fail_unless(
      g_spawn_command_line_sync(command.c_str(), nullptr, nullptr, &status, &error) && status == 0,
      "%s: %s", command.c_str(), error ? error->message : "failed");
  g_autofree char* bytes = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(out.c_str(), &bytes, &size, nullptr));
  fail_unless_equals_uint64(size, width * height * 3 / 2);
  Component c;
  c.width = width;
  c.height = height;
  c.samples.assign(bytes, bytes + width * height);
  g_unlink(in.c_str());
  g_unlink(out.c_str());
  g_rmdir(folder);
  return c;
}

}  // namespace

GST_START_TEST(the_picture_is_nearer_the_truth_than_v360s) {
  if (!have_ffmpeg()) return;
  const Component truth = luma_of(source + "output=equirect" + caps + "identity");
  const Component ours = luma_of(source + caps + "cpuspherestitch");
  const Component peers = luma_of_ffmpeg("v360=dfisheye:e:ih_fov=190:iv_fov=190:interp=linear");
  const double our_db = ws_psnr(ours, truth), peer_db = ws_psnr(peers, truth);
  g_print("WS-PSNR of luma: ours %.2f dB, v360 linear %.2f dB\n", our_db, peer_db);
  fail_unless(peer_db > 30, "the peer has %g dB", peer_db);
  fail_unless(our_db >= peer_db + 1.2, "ours %g dB, the peer's %g dB", our_db, peer_db);
}
GST_END_TEST;

GST_START_TEST(yaw_pitch_and_roll_are_v360s) {
  if (!have_ffmpeg()) return;
  const Component ours = luma_of(source + caps + "cpuspherestitch yaw=35 pitch=20 roll=-12");
  const Component same = luma_of_ffmpeg(
      "v360=dfisheye:e:ih_fov=190:iv_fov=190:interp=linear:yaw=35:pitch=20:roll=-12");
  const Component other = luma_of_ffmpeg(
      "v360=dfisheye:e:ih_fov=190:iv_fov=190:interp=linear:yaw=35:pitch=20:roll=-11.5");
  const double agreement = ws_psnr(ours, same), off = ws_psnr(ours, other);
  fail_unless(agreement > 30, "%g dB", agreement);
  fail_unless(agreement > off + 3, "%g dB, half a degree off %g dB", agreement, off);
}
GST_END_TEST;

GST_START_TEST(every_profile_gives_the_true_sphere) {
  for (const char* lens : {"gear360", "theta-s", "mi-sphere"}) {
    const std::string chosen = std::string("spheretestsrc num-buffers=1 lens=") + lens + " ";
    // Sharper than the truth it can't be: each has the source pixels that it has.
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

GST_START_TEST(cubic_is_nearer_the_truth_than_v360s_cubic) {
  if (!have_ffmpeg()) return;
  const Component truth = luma_of(source + "output=equirect" + caps + "identity");
  const Component linear = luma_of(source + caps + "cpuspherestitch");
  const Component ours = luma_of(source + caps + "cpuspherestitch interpolation=cubic");
  const Component peers = luma_of_ffmpeg("v360=dfisheye:e:ih_fov=190:iv_fov=190:interp=cubic");
  const double our_db = ws_psnr(ours, truth), peer_db = ws_psnr(peers, truth);
  g_print("WS-PSNR of luma, cubic: ours %.2f dB, v360 cubic %.2f dB\n", our_db, peer_db);
  fail_unless(our_db > ws_psnr(linear, truth) + 0.5);
  fail_unless(our_db >= peer_db + 1.9, "ours %g dB, the peer's %g dB", our_db, peer_db);
}
GST_END_TEST;

static Suite* quality_suite() {
  Suite* suite = suite_create("quality");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, the_picture_is_nearer_the_truth_than_v360s);
  tcase_add_test(tcase, cubic_is_nearer_the_truth_than_v360s_cubic);
  tcase_add_test(tcase, yaw_pitch_and_roll_are_v360s);
  tcase_add_test(tcase, every_profile_gives_the_true_sphere);
  return suite;
}

GST_CHECK_MAIN(quality)

// SPDX-License-Identifier: LGPL-2.1-or-later
// Lenses out of the files of other programs.

#include <memory>

#include <gst/check/gstcheck.h>

#include <string>
#include <vector>

#include "gst/sphere/lens/profile.h"

using namespace sphere;

namespace {

std::string example(const char* name) {
  g_autofree char* path = g_build_filename(g_getenv("SPHERE_SOURCE"), "tests", "fuzz", "corpus",
                                           "lens_file", name, nullptr);
  return path;
}

std::string text_of(const char* name) {
  g_autofree char* text = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(example(name).c_str(), &text, &size, nullptr));
  return {text, size};
}

LensPair loaded(const char* name) {
  const Result<LensPair> pair = load_profile(example(name));
  fail_unless(bool(pair), "%s", pair ? "" : pair.error().message.c_str());
  return *pair;
}

void expect_refused(const std::string& text, const std::vector<std::string>& words) {
  const Result<LensPair> pair = parse_lens_text(text, "f");
  fail_if(bool(pair), "accepted: %s", text.c_str());
  for (const std::string& word : words)
    fail_unless(pair.error().message.find(word) != std::string::npos, "'%s' does not say '%s'",
                pair.error().message.c_str(), word.c_str());
}

/// The text with the first `old` replaced by `fresh`.
std::string changed(std::string text, const std::string& old, const std::string& fresh) {
  const size_t at = text.find(old);
  fail_unless(at != std::string::npos, "'%s' is not there", old.c_str());
  return text.replace(at, old.size(), fresh);
}

struct Sample {
  double x, y;          // of the lens's image, as Hugin counts: 0 is the first pixel's centre
  double erp_x, erp_y;  // of a sphere of 3600x1800, as Hugin's pano_trafo gave it
};

void expect_as_hugin(const Lens& lens, double left, const std::vector<Sample>& samples,
                     double tolerance) {
  for (const Sample& s : samples) {
    const Point p = equirect_point(lens.unproject({s.x + 0.5 + left, s.y + 0.5}), {3600, 1800});
    const double away = std::hypot(p.x - 0.5 - s.erp_x, p.y - 0.5 - s.erp_y);
    fail_unless(away < tolerance, "%g %g: %g %g, not %g %g", s.x, s.y, p.x - 0.5, p.y - 0.5,
                s.erp_x, s.erp_y);
  }
}

}  // namespace

GST_START_TEST(project_projects_like_hugin) {
  const LensPair pair = loaded("halves.pto");
  fail_unless(pair.frame == (Size{3840, 1900}));
  // The second image looks ahead, the first to the back.
  expect_as_hugin(pair.front, 1920,
                  {{960, 950, 1904.937139, 698.140473},
                   {1500, 950, 2387.779318, 1021.397873},
                   {960, 300, 2737.762284, 283.533178},
                   {400, 1500, 1115.465169, 1010.424429},
                   {1600, 400, 2841.525697, 800.867179}},
                  1e-3);
  expect_as_hugin(pair.back, 0,
                  {{960, 950, 86.889688, 957.059635},
                   {1500, 950, 664.223938, 950.609789},
                   {960, 300, 119.738691, 265.550127},
                   {400, 1500, 2820.069841, 1324.279368},
                   {1600, 400, 940.838084, 515.034619}},
                  1e-3);
  fail_unless(pair.front.region.left == 1920 && pair.back.region.left == 0);
  // The crop is the circle, and both exposures meet in the middle.
  fail_unless(std::abs(pair.back.model.radius() - 920) < 1e-9);
  fail_unless(std::abs(pair.front.model.radius() - 950) < 1e-9);
  fail_unless(std::abs(pair.front.gain / pair.back.gain - std::exp2(0.5 / 2.2)) < 1e-9);
  // Hugin's fall-off is linear light's, its r 1 in the corner.
  const double r = 700 / std::hypot(960, 950);
  const double light = 1 - 0.1 * r * r + 0.02 * r * r * r * r;
  fail_unless(std::abs(pair.back.brightness(700) / pair.back.gain - std::pow(light, 1 / 2.2)) <
              1e-4);
}
GST_END_TEST;

GST_START_TEST(a_project_of_one_frame_with_two_circles) {
  const LensPair pair = loaded("frame.pto");
  fail_unless(pair.frame == (Size{3840, 1920}));
  fail_unless(pair.front.region.left == 0 && pair.back.region.left == 1920);
  fail_unless(pair.front.model.kind() == ModelKind::equidistant);
  fail_unless(pair.back.model.kind() == ModelKind::equisolid);
  expect_as_hugin(pair.front, 0,
                  {{1700, 900, 2553.749838, 852.800896}, {300, 1500, 945.791735, 1290.387761}},
                  0.2);
  // Hugin rounds half a pixel differently for this projection.
  expect_as_hugin(pair.back, 0,
                  {{2200, 1500, 3135.020504, 1198.482628},
                   {3500, 900, 376.945835, 864.330199},
                   {3000, 100, 108.040346, 369.750312}},
                  0.3);
}
GST_END_TEST;

GST_START_TEST(a_bent_equisolid_is_fitted) {
  std::string text = changed(text_of("frame.pto"), "f21 v340 a0", "f21 v340 a0.01");
  const LensPair straight = loaded("frame.pto");
  const Result<LensPair> bent = parse_lens_text(text, "f");
  fail_unless(bool(bent), "%s", bent ? "" : bent.error().message.c_str());
  fail_unless(bent->back.model.kind() == ModelKind::kannala_brandt);
  const double r = 900, unit = 960, q = 0.9;
  // The formula of Hugin: r_src = unit (a q^4 + (1 - a) q)
  const double drawn = unit * (0.01 * q * q * q * q + 0.99 * q);
  const double angle = straight.back.model.inverse(unit * q);
  fail_unless(std::abs(bent->back.model.forward(angle) - drawn) < 0.1, "%g not %g at %g",
              bent->back.model.forward(angle), drawn, r);
}
GST_END_TEST;

GST_START_TEST(projects_are_refused_by_name_and_place) {
  const std::string good = text_of("halves.pto");
  expect_refused(good.substr(0, good.rfind("\ni ") + 1), {"1 image ", "needs two"});
  expect_refused(good + good, {"4 images"});
  expect_refused(changed(good, "v205", "vnan"), {"f: line 4 (image 0)", "v is 'nan'"});
  expect_refused(changed(good, "v205", "v1e999"), {"image 0", "v"});
  expect_refused(changed(good, "v205", ""), {"image 0", "v "});
  expect_refused(changed(good, "v205", "v=1"), {"image 0", "v is linked"});
  expect_refused(changed(good, "v=0", "v=9"), {"image 1", "v is linked to image 9"});
  expect_refused(changed(good, "v=0", "v=1"), {"image 1", "v is linked"});
  expect_refused(changed(good, "h1900 f2 v=0", "h1800 f2 v=0"), {"different sizes"});
  expect_refused(changed(good, "f2 v=0", "f4 v=0"), {"image 1", "f is 4"});
  expect_refused(changed(good, "y10", "y-150"), {"120 degrees"});
  expect_refused(changed(good, "TrX0", "TrX0.5"), {"image 0", "TrX"});
  expect_refused(changed(good, "g0", "g3"), {"image 0", "g is not 0"});
  expect_refused(changed(good, "S40,1880,10,1850", "S40,1880,10"), {"image 0", "S must"});
  expect_refused(changed(good, "Vb-0.1", "Vb-8"), {"image 0", "light"});
  expect_refused(changed(good, "Eev0.5", "Eev20"), {"Eev"});
  expect_refused(changed(changed(text_of("frame.pto"), "S1920,3840,0,1920", "S0,1900,0,1900"),
                         "d958", "d-958"),
                 {"same half"});
}
GST_END_TEST;

GST_START_TEST(camera_chain_of_kalibr) {
  const LensPair pair = loaded("kalibr.yaml");
  fail_unless(pair.frame == (Size{3840, 1920}));
  fail_unless(std::abs(pair.baseline - std::hypot(0.001, 0.024)) < 1e-9);
  // The formula of cv::fisheye, at an angle that no plane can show.
  const double a = radians(93), s = a * a;
  const double d = a * (1 + s * (0.05 + s * (-0.01 + s * (0.002 + s * -0.0003))));
  const Vec3 v = {std::sin(a) * 0.6, std::sin(a) * 0.8, std::cos(a)};
  const Point p = pair.front.project(v);
  fail_unless(std::hypot(p.x - (962.75 + 550.5 * d * 0.6), p.y - (959 + 551.5 * d * 0.8)) < 1e-6);
  // The double sphere's, through T_cn_cnm1.
  const Vec3 q = {-v.x, v.y, -v.z};
  const double xi = -0.2, alpha = 0.6, d2 = std::hypot(q.x, q.y, xi + q.z);
  const double below = alpha * d2 + (1 - alpha) * (xi + q.z);
  const Point b = pair.back.project(v);
  fail_unless(std::hypot(b.x - (1920 + 955.5 + 530 * q.x / below),
                         b.y - (961.5 + 531 * q.y / below)) < 1e-6);
  const Vec3 again = pair.back.unproject(b);
  fail_unless(angle_between(again, v) < 1e-9);
}
GST_END_TEST;

GST_START_TEST(opencv_in_yaml_and_xml_is_the_same) {
  const LensPair yaml = loaded("opencv.yml"), xml = loaded("opencv.xml");
  fail_unless(std::abs(yaml.baseline - 0.03) < 1e-12);
  for (int i = 0; i < 2; ++i) {
    const Vec3 v = normalised({0.3, -0.8, i ? -0.2 : 0.2});
    fail_unless(yaml[i].project(v) == xml[i].project(v));
  }
  const Vec3 back = yaml.back.axis();
  fail_unless(angle_between(back, {0, 0, -1}) < 1e-9);
}
GST_END_TEST;

GST_START_TEST(calibration_of_basalt) {
  const LensPair pair = loaded("basalt.json");
  fail_unless(pair.front.model.kind() == ModelKind::double_sphere);
  fail_unless(pair.back.model.kind() == ModelKind::kannala_brandt);
  fail_unless(angle_between(pair.back.axis(), {0, 0, -1}) < 1e-9);
  fail_unless(std::abs(pair.baseline - 0.025) < 1e-12);
  const Vec3 v = normalised({1, 0.5, -0.02});
  const double xi = -0.25, alpha = 0.57, z = xi + v.z;
  const double below = alpha * std::hypot(v.x, v.y, z) + (1 - alpha) * z;
  const Point p = pair.front.project(v);
  fail_unless(std::hypot(p.x - (961 + 390 * v.x / below), p.y - (960 + 391 * v.y / below)) < 1e-6);
}
GST_END_TEST;

GST_START_TEST(calibrations_are_refused_by_name_and_place) {
  const std::string kalibr = text_of("kalibr.yaml");
  expect_refused(kalibr.substr(0, kalibr.find("cam1:")), {"f: cam1: is missing"});
  expect_refused(changed(kalibr, "550.5", ".nan"), {"cam0.intrinsics", ".nan"});
  expect_refused(changed(kalibr, "550.5,", ""), {"cam0.intrinsics", "3 numbers"});
  expect_refused(changed(kalibr, "equidistant", "radtan"), {"cam0.distortion_model", "radtan"});
  expect_refused(changed(kalibr, "camera_model: ds", "camera_model: omni"), {"cam1.camera_model"});
  expect_refused(changed(kalibr, "[-1.0, 0.0, 0.0, 0.001]", "[-1.0, 0.5, 0.0, 0.001]"),
                 {"cam1.T_cn_cnm1", "not a rotation"});
  expect_refused(changed(kalibr, "[1920, 1920]", "[1920, 1080]"), {"different sizes"});
  expect_refused(text_of("alias.yaml"), {"aliases"});
  expect_refused(text_of("deep.yaml"), {"deep"});
  expect_refused(text_of("cut.xml"), {"XML"});
  const std::string opencv = text_of("opencv.yml");
  expect_refused(changed(opencv, "data: [ 2.0e-02, ", "data: [ 0.1, 2.0e-02, "),
                 {"D1", "5 numbers"});
  expect_refused(opencv.substr(0, opencv.find("K2:")), {"K2", "missing"});
  expect_refused(changed(changed(opencv, "K1", "K"), "K2", "Kx"), {"one camera"});
  const std::string basalt = text_of("basalt.json");
  expect_refused(changed(basalt, "\"ds\"", "\"eucm\""), {"value0.intrinsics[0].camera_type"});
  expect_refused(changed(basalt, "\"qw\": 1.0", "\"qw\": 2.0"), {"T_imu_cam[0]", "not a rotation"});
}
GST_END_TEST;

GST_START_TEST(a_profile_that_is_written_is_the_same_pair) {
  for (const char* name : {"halves.pto", "frame.pto"}) {
    const LensPair pair = loaded(name);
    const Result<std::string> text = make_profile(pair, "a \"name\"\n", "");
    fail_unless(bool(text), "%s", text ? "" : text.error().message.c_str());
    const Result<LensPair> again = parse_lens_text(*text, "f");
    fail_unless(bool(again) && again->name == "a \"name\"_" && again->frame == pair.frame);
    for (int i = 0; i < 2; ++i)
      for (const Vec3 d :
           {Vec3{1, 0.5, 0.1}, Vec3{-0.5, -1, -0.1}, Vec3{0.3, -1, i ? -1.0 : 1.0}}) {
        const Point p = pair[i].project(d), q = (*again)[i].project(d);
        fail_unless(std::hypot(p.x - q.x, p.y - q.y) < 1e-4, "%s: %g %g", name, p.x - q.x,
                    p.y - q.y);
        fail_unless(std::abs(pair[i].brightness(500) - (*again)[i].brightness(500)) < 1e-6);
      }
  }
  // A profile can not describe pixels that are not square.
  fail_if(bool(make_profile(loaded("kalibr.yaml"), "n", "")));
}
GST_END_TEST;

static Suite* lens_file_suite() {
  Suite* suite = suite_create("lens_file");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, project_projects_like_hugin);
  tcase_add_test(tcase, a_project_of_one_frame_with_two_circles);
  tcase_add_test(tcase, a_bent_equisolid_is_fitted);
  tcase_add_test(tcase, projects_are_refused_by_name_and_place);
  tcase_add_test(tcase, camera_chain_of_kalibr);
  tcase_add_test(tcase, opencv_in_yaml_and_xml_is_the_same);
  tcase_add_test(tcase, calibration_of_basalt);
  tcase_add_test(tcase, calibrations_are_refused_by_name_and_place);
  tcase_add_test(tcase, a_profile_that_is_written_is_the_same_pair);
  return suite;
}

GST_CHECK_MAIN(lens_file)

// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens models, the pair, profiles and their C API.

// check defines `fail` as a macro, so the standard library comes first.
#include <memory>

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>

#include <random>
#include <string>
#include <vector>

#include "gst/sphere/base/gstsphereerror.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"

using namespace sphere;

namespace {

struct Case {
  ModelKind kind;
  double fov;  // degrees
  std::array<double, 4> k;
};

const std::vector<Case> cases = {
    {ModelKind::equidistant, 190, {}},
    {ModelKind::equisolid, 200, {}},
    {ModelKind::stereographic, 210, {}},
    {ModelKind::orthographic, 180, {}},
    {ModelKind::kannala_brandt, 195, {0.05, -0.01, 0.002, -0.0003}},
    {ModelKind::kannala_brandt, 220, {-0.02, 0.004, -0.0008, 0.00005}},
    {ModelKind::kannala_brandt, 300, {-0.01, 0.001, 0, 0}},
    {ModelKind::panotools, 195, {-0.03, 0.05, -0.08, 0}},
    {ModelKind::double_sphere, 195, {-0.2, 0.6}},
    {ModelKind::double_sphere, 240, {0.1, 0.7}},
};

RadialModel made(const Case& c) {
  Result<RadialModel> model = RadialModel::make(c.kind, radians(c.fov), 950, c.k);
  fail_unless(bool(model), "%s", model ? "" : model.error().message.c_str());
  return *model;
}

std::string profile(const std::string& front, const std::string& extra = "") {
  return R"({"format":"gst-sphere-lens","version":1,"name":"t","frame":[200,100],)" + extra +
         R"("layout":"side-by-side","lenses":{"front":{)" + front +
         R"(},"back":{"position":"left","model":"equidistant","fov":190,"radius":50}}})";
}

const std::string good_front = R"("position":"right","model":"equidistant","fov":190,"radius":50)";

void expect_refused(const std::string& text, const std::vector<std::string>& words) {
  const Result<LensPair> pair = parse_profile(text, "p.json");
  fail_if(bool(pair), "accepted: %s", text.c_str());
  for (const std::string& word : words)
    fail_unless(pair.error().message.find(word) != std::string::npos, "'%s' does not say '%s'",
                pair.error().message.c_str(), word.c_str());
}

}  // namespace

GST_START_TEST(models_are_invertible_over_their_range) {
  for (const Case& c : cases) {
    const RadialModel model = made(c);
    fail_unless(std::abs(model.forward(radians(c.fov) / 2) - 950) < 1e-9);
    fail_unless(model.max_angle() >= radians(c.fov) / 2 - 1e-9);
    for (int i = 0; i <= 5000; ++i) {
      const double angle = model.max_angle() * i / 5000;
      const double back = model.inverse(model.forward(angle));
      fail_unless(std::abs(back - angle) < 1e-6, "%s at %g degrees comes back as %g",
                  model_names[static_cast<size_t>(c.kind)].data(), degrees(angle), degrees(back));
    }
  }
}
GST_END_TEST;

GST_START_TEST(coefficients_are_kept) {
  std::mt19937 random(4711);
  const auto within = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const ModelKind bent[] = {ModelKind::kannala_brandt, ModelKind::panotools,
                            ModelKind::double_sphere};
  for (const ModelKind kind : bent) {
    int taken = 0;
    for (int tries = 0; taken < 200 && tries < 20000; ++tries) {
      std::array<double, 4> k = {within(-0.3, 0.3), within(-0.1, 0.1), within(-0.03, 0.03),
                                 within(-0.01, 0.01)};
      if (kind == ModelKind::double_sphere) k = {within(-0.6, 0.6), within(0.3, 0.9), 0, 0};
      const Result<RadialModel> model = RadialModel::make(kind, radians(within(150, 240)), 950, k);
      if (!model) continue;
      ++taken;
      for (int i = 0; i <= 500; ++i) {
        const double angle = model->max_angle() * i / 500;
        const double back = model->inverse(model->forward(angle));
        if (std::abs(back - angle) >= 1e-6)
          fail_unless(false, "%s [%.17g, %.17g, %.17g, %.17g] at %.17g comes back as %.17g",
                      model_names[static_cast<size_t>(kind)].data(), k[0], k[1], k[2], k[3], angle,
                      back);
      }
    }
    fail_unless_equals_int(taken, 200);
  }
}
GST_END_TEST;

GST_START_TEST(models_match_the_usual_formulas) {
  const double f = 300, a = radians(70), half = radians(95);
  const auto at = [&](ModelKind kind, double rim, const std::array<double, 4>& k = {}) {
    return RadialModel::make(kind, 2 * half, rim, k)->forward(a);
  };
  const auto near = [](double x, double y) {
    fail_unless(std::abs(x - y) < 1e-9, "%.12g is not %.12g", x, y);
  };
  near(at(ModelKind::equidistant, f * half), f * a);
  near(at(ModelKind::equisolid, 2 * f * std::sin(half / 2)), 2 * f * std::sin(a / 2));
  near(at(ModelKind::stereographic, 2 * f * std::tan(half / 2)), 2 * f * std::tan(a / 2));
  near(RadialModel::make(ModelKind::orthographic, pi, f, {})->forward(a), f * std::sin(a));
  const std::array<double, 4> k = {0.05, -0.01, 0.002, -0.0003};
  const auto kb = [&](double t) {
    return t + k[0] * std::pow(t, 3) + k[1] * std::pow(t, 5) + k[2] * std::pow(t, 7) +
           k[3] * std::pow(t, 9);
  };
  near(at(ModelKind::kannala_brandt, f * kb(half), k), f * kb(a));
  const double r = a / half, A = -0.03, B = 0.05, C = -0.08;
  near(at(ModelKind::panotools, 400, {A, B, C, 0}),
       400 * (A * std::pow(r, 4) + B * std::pow(r, 3) + C * r * r + (1 - A - B - C) * r));
  const double xi = -0.2, alpha = 0.6;
  const auto ds = [&](double t) {
    const double z = xi + std::cos(t);
    return std::sin(t) / (alpha * std::hypot(std::sin(t), z) + (1 - alpha) * z);
  };
  near(at(ModelKind::double_sphere, f * ds(half), {xi, alpha}), f * ds(a));
}
GST_END_TEST;

GST_START_TEST(decreasing_distance_is_an_error) {
  const Result<RadialModel> folded =
      RadialModel::make(ModelKind::kannala_brandt, radians(190), 100, {-0.5, 0, 0, 0});
  fail_if(bool(folded));
  fail_if(bool(RadialModel::make(ModelKind::orthographic, radians(190), 100, {})));
}
GST_END_TEST;

GST_START_TEST(pair_projects_as_it_unprojects) {
  for (const char* name : {"dual-190", "gear360", "theta-s", "mi-sphere"}) {
    const Result<LensPair> pair = load_profile(name);
    fail_unless(bool(pair), "%s: %s", name, pair ? "" : pair.error().message.c_str());
    fail_unless_equals_string(pair->name.c_str(), name);
    for (int i = 0; i < 2; ++i) {
      const Lens& lens = (*pair)[i];
      for (double x = lens.region.left + 0.5; x < lens.region.right; x += 37)
        for (double y = lens.region.top + 0.5; y < lens.region.bottom; y += 41) {
          const Vec3 d = lens.unproject({x, y});
          if (lens.angle_to_axis(d) > lens.half_fov()) continue;
          const Point p = lens.project(d);
          fail_unless(std::hypot(p.x - x, p.y - y) < 1e-6);
        }
    }
  }
}
GST_END_TEST;

GST_START_TEST(dual_190_follows_the_conventions) {
  const LensPair pair = *load_profile("dual-190");
  const auto at = [&](int lens, double lon, double lat, double x, double y) {
    const Point p = pair[lens].project(direction_of({radians(lon), radians(lat)}));
    fail_unless(std::hypot(p.x - x, p.y - y) < 1e-9, "%g,%g is at %g,%g", lon, lat, p.x, p.y);
  };
  at(0, 0, 0, 2880, 960);   // the front lens is the right half
  at(0, 95, 0, 3840, 960);  // right of the camera is right in the picture
  at(0, 0, 95, 2880, 0);
  at(1, 180, 0, 960, 960);
  at(1, 90, 0, 960 - 960 * 90 / 95.0, 960);  // and left in the picture of the lens that looks back
}
GST_END_TEST;

GST_START_TEST(profile_of_another_size_and_fov_scales) {
  const LensPair pair = *load_profile("gear360");
  const LensPair half = pair.scaled_to({pair.frame.width / 2, pair.frame.height / 2});
  const Vec3 d = direction_of({radians(40), radians(-25)});
  const Point whole = pair.front.project(d), halved = half.front.project(d);
  fail_unless(std::hypot(whole.x / 2 - halved.x, whole.y / 2 - halved.y) < 1e-9);
  const Result<LensPair> wider = load_profile("dual-190")->with_fov(radians(200));
  fail_unless(bool(wider));
  fail_unless(std::abs(wider->front.project(direction_of({radians(100), 0})).x - 3840) < 1e-9);
}
GST_END_TEST;

GST_START_TEST(layouts_rotated_lenses_and_centres) {
  const Result<LensPair> pair = parse_profile(R"({
    "format": "gst-sphere-lens", "version": 1, "name": "stacked", "frame": [100, 200],
    "layout": "over-under", "baseline": 0.03, "x-note": "anything",
    "lenses": {
      "front": { "position": "bottom", "model": "panotools", "coefficients": [0, 0, 0, 2, -3],
                 "fov": 200, "radius": 48, "rotation": [0, 0, 90], "gain": 1.25,
                 "vignette": [-0.2, 0, 0] },
      "back": { "position": "top", "model": "kannala-brandt", "coefficients": [0.01, 0, 0, 0],
                "fov": 190, "radius": 49, "centre": [51, 52] } } })",
                                              "stacked.json");
  fail_unless(bool(pair), "%s", pair ? "" : pair.error().message.c_str());
  fail_unless(pair->front.centre == (Point{52, 147}));
  fail_unless(pair->back.centre == (Point{51, 52}));
  fail_unless(pair->front.region.top == 100 && pair->back.region.bottom == 100);
  fail_unless(pair->baseline == 0.03 && pair->front.gain == 1.25);
  fail_unless(std::abs(pair->front.brightness(48) - 1.25 * 0.8) < 1e-12);
  // The lens is turned clockwise by 90 degrees: what is right of the camera is up in its picture.
  const Point p = pair->front.project(direction_of({radians(50), 0}));
  fail_unless(std::abs(p.x - 52) < 1e-9 && p.y < 147);
}
GST_END_TEST;

GST_START_TEST(wrong_profiles_are_refused_by_name_and_place) {
  fail_unless(bool(parse_profile(profile(good_front), "p.json")));
  expect_refused("", {"p.json"});
  expect_refused("not json", {"p.json", "not JSON"});
  expect_refused("[]", {"p.json", "object expected"});
  expect_refused("{}", {"p.json", "format", "missing"});
  expect_refused(profile(good_front, R"("colour":1,)"), {"colour", "no such field"});
  expect_refused(profile(good_front + R"(,"fovv":190)"), {"lenses.front.fovv", "no such field"});
  expect_refused(profile(R"("position":"right","model":"equidistant","radius":50)"),
                 {"lenses.front.fov", "missing"});
  expect_refused(profile(R"("position":"right","model":"equidistant","fov":"wide","radius":50)"),
                 {"lenses.front.fov", "number"});
  expect_refused(profile(R"("position":"right","model":"equidistant","fov":1900,"radius":50)"),
                 {"lenses.front.fov", "1900"});
  expect_refused(profile(R"("position":"right","model":"rectilinear","fov":190,"radius":50)"),
                 {"lenses.front.model", "rectilinear", "equidistant"});
  expect_refused(profile(R"("position":"top","model":"equidistant","fov":190,"radius":50)"),
                 {"lenses.front.position", "top"});
  expect_refused(profile(R"("position":"left","model":"equidistant","fov":190,"radius":50)"),
                 {"lenses.back.position"});
  expect_refused(profile(good_front + R"(,"rotation":[1,2])"), {"lenses.front.rotation", "3"});
  expect_refused(profile(good_front + R"(,"rotation":[170,0,0])"), {"rotation", "120"});
  expect_refused(profile(good_front + R"(,"centre":[10,50])"), {"lenses.front.centre", "outside"});
  expect_refused(profile(good_front + R"(,"coefficients":[1,2,3,4])"), {"coefficients"});
  expect_refused(profile(good_front + R"(,"vignette":[-1.5,0,0])"), {"lenses.front.vignette"});
  expect_refused(profile(good_front + R"(,"gain":0)"), {"lenses.front.gain"});
  expect_refused(
      profile(R"("position":"right","model":"kannala-brandt","coefficients":[-0.5,0,0,0],)"
              R"("fov":190,"radius":50)"),
      {"lenses.front.fov", "at most"});
  expect_refused(std::string(100000, '['), {"deeper"});
  expect_refused(std::string(3 << 20, ' '), {"bytes"});
  expect_refused("{\"a\":\"\xff\"}", {"UTF-8"});
}
GST_END_TEST;

GST_START_TEST(truncated_profiles_are_errors) {
  const std::string text = profile(good_front);
  for (size_t n = 0; n < text.size(); ++n)
    fail_if(bool(parse_profile(text.substr(0, n), "cut")), "accepted at %zu", n);
}
GST_END_TEST;

GST_START_TEST(profiles_are_found_by_name_folder_and_path) {
  const Result<LensPair> missing = load_profile("no-such");
  fail_if(bool(missing));
  fail_unless(missing.error().kind == Error::Kind::not_found);
  fail_unless(missing.error().message.find("gear360") != std::string::npos);
  fail_if(bool(load_profile("/no/such/file.json")));

  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  g_autofree char* path = g_build_filename(folder, "mine.json", nullptr);
  fail_unless(g_file_set_contents(path, profile(good_front).c_str(), -1, nullptr));
  fail_if(bool(load_profile("mine")));
  fail_unless(bool(load_profile(path)));
  g_setenv("GST_SPHERE_PROFILE_PATH", folder, TRUE);
  fail_unless(bool(load_profile("mine")));
  bool listed = false;
  for (const std::string& name : profile_names()) listed |= name == "mine";
  fail_unless(listed);
  g_unsetenv("GST_SPHERE_PROFILE_PATH");
  g_unlink(path);
  g_rmdir(folder);
}
GST_END_TEST;

GST_START_TEST(c_api) {
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstSphereLens) lens = gst_sphere_lens_new("dual-190", &error);
  g_assert_no_error(error);
  fail_unless_equals_string(gst_sphere_lens_get_name(lens), "dual-190");
  gint width = 0, height = 0;
  gst_sphere_lens_get_frame_size(lens, &width, &height);
  fail_unless_equals_int(width, 3840);
  fail_unless_equals_int(height, 1920);
  fail_unless(std::abs(gst_sphere_lens_get_fov(lens, GST_SPHERE_LENS_BACK) - 190) < 1e-9);
  gdouble x = 0, y = 0, lon = 0, lat = 0;
  fail_unless(gst_sphere_lens_project(lens, GST_SPHERE_LENS_FRONT, 30, 10, &x, &y));
  gst_sphere_lens_unproject(lens, GST_SPHERE_LENS_FRONT, x, y, &lon, &lat);
  fail_unless(std::abs(lon - 30) < 1e-9 && std::abs(lat - 10) < 1e-9);
  fail_if(gst_sphere_lens_project(lens, GST_SPHERE_LENS_FRONT, 180, 0, &x, &y));

  fail_if(gst_sphere_lens_new("no-such", &error));
  fail_unless(g_error_matches(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_NOT_FOUND));
  fail_unless_equals_string(g_quark_to_string(GST_SPHERE_ERROR), "gst-sphere-error-quark");
  g_clear_error(&error);
  fail_if(gst_sphere_lens_new_from_json("{}", &error));
  fail_unless(g_error_matches(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_INVALID));

  g_auto(GStrv) names = gst_sphere_lens_list_profiles();
  fail_unless(g_strv_contains(names, "mi-sphere"));

  g_autoptr(GstEvent) event = gst_event_new_sphere_lens("theta-s");
  const gchar* named = nullptr;
  fail_unless(gst_event_parse_sphere_lens(event, &named));
  fail_unless_equals_string(named, "theta-s");
  fail_unless_equals_int(GST_EVENT_TYPE(event), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  g_autoptr(GstEvent) eos = gst_event_new_eos();
  fail_if(gst_event_parse_sphere_lens(eos, &named));
}
GST_END_TEST;

static Suite* lens_suite() {
  Suite* suite = suite_create("lens");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, models_are_invertible_over_their_range);
  tcase_add_test(tcase, coefficients_are_kept);
  tcase_add_test(tcase, models_match_the_usual_formulas);
  tcase_add_test(tcase, decreasing_distance_is_an_error);
  tcase_add_test(tcase, pair_projects_as_it_unprojects);
  tcase_add_test(tcase, dual_190_follows_the_conventions);
  tcase_add_test(tcase, profile_of_another_size_and_fov_scales);
  tcase_add_test(tcase, layouts_rotated_lenses_and_centres);
  tcase_add_test(tcase, wrong_profiles_are_refused_by_name_and_place);
  tcase_add_test(tcase, truncated_profiles_are_errors);
  tcase_add_test(tcase, profiles_are_found_by_name_folder_and_path);
  tcase_add_test(tcase, c_api);
  return suite;
}

GST_CHECK_MAIN(lens)

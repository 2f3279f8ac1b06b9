// SPDX-License-Identifier: LGPL-2.1-or-later
// Lenses found from pictures: known ones from drawn pictures, unknown ones from a photograph.

#include <array>
#include <optional>
#include <random>

#include "gst/sphere/lens/agreement.h"
#include "gst/sphere/lens/calibrate.h"
#include "gst/sphere/lens/calibrate_detail.h"
#include "gst/sphere/lens/calibrate_light.h"
#include "gst/sphere/lens/profile.h"
#include "tests/check/grey.h"

using namespace sphere;
using namespace sphere::test;

namespace {

/// Full size by hand: SPHERE_CALIBRATE_WIDTH=3840.
int picture_width() {
  const char* width = g_getenv("SPHERE_CALIBRATE_WIDTH");
  return width ? atoi(width) : 1280;
}

/// Two lenses with random errors as large as those of real cameras, in a frame of 3840x1920.
LensPair random_pair(unsigned seed) {
  std::mt19937 random(seed);
  const auto within = [&](double limit) {
    return std::uniform_real_distribution<double>(-limit, limit)(random);
  };
  LensPair pair = *load_profile("dual-190");
  pair = pair.scaled_to({3840, 1920});
  for (int i = 0; i < 2; ++i) {
    Lens& lens = pair[i];
    // Each in a statement of its own: the compiler chooses the order of a function's arguments, and
    // with another order these would be other lenses.
    const std::array<double, 4> coefficients = {within(0.03), within(0.01), within(0.002), 0};
    const double radius = 945 + within(8);
    lens.model = *RadialModel::make(ModelKind::kannala_brandt, radians(191 + within(3)), radius,
                                    coefficients);
    lens.centre.x += within(10);
    lens.centre.y += within(10);
    lens.to_camera = lens.to_camera * rotation({within(0.8), within(0.8), within(0.8)});
    lens.vignette = {-0.1 + within(0.04), -0.08 + within(0.04), 0};
  }
  pair.front.gain = 1.04 + within(0.03);
  pair.back.gain = 1 / pair.front.gain;
  return pair;
}

/// The angle that `lens` assigns to the rim of the true lens.
double half_fov_at(const Lens& lens, const Lens& truth) {
  return lens.model.inverse(truth.model.radius());
}

double rotation_between(const Mat3& a, const Mat3& b) {
  const Mat3 r = a.transposed() * b;
  const double off =
      std::hypot(r.row[2].y - r.row[1].z, r.row[0].z - r.row[2].x, r.row[1].x - r.row[0].y);
  return std::atan2(off, r.row[0].x + r.row[1].y + r.row[2].z - 1);
}

}  // namespace

GST_START_TEST(drawn_lenses_are_found) {
  const int width = picture_width();
  const char* chosen = g_getenv("SPHERE_CALIBRATE_SEED");
  const LensPair truth = random_pair(chosen ? atoi(chosen) : 7).scaled_to({width, width / 2});
  std::vector<GreyPicture> pictures;
  for (const Angles& turned :
       {Angles{0, 0, 0}, Angles{47, 8, -5}, Angles{95, -12, 4}, Angles{170, 5, 70}})
    pictures.push_back(drawn(truth, rotation(turned)));
  const gint64 begin = g_get_monotonic_time();
  const Result<Calibration> found = calibrate(pictures, *load_profile("dual-190"));
  fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
  const double scale = 3840.0 / width;
  g_print(
      "%.1f s: %d matches in the overlap, %d between %d pictures, off by %.3f px (%.3f "
      "before), correlation %.4f (%.4f before)\n",
      static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC, found->overlap_matches,
      found->cross_matches, found->joined, found->residual, found->residual_before,
      found->correlation, found->correlation_before);
  for (int i = 0; i < 2; ++i) {
    const Lens &lens = found->pair[i], &true_lens = truth[i];
    g_print(
        "lens %d: fov off %.4f deg, centre off %.3f %.3f px of 3840, fall-off at the rim %.3f "
        "(%.3f), gain %.3f (%.3f)\n",
        i, degrees(2 * (half_fov_at(lens, true_lens) - true_lens.half_fov())),
        scale * (lens.centre.x - true_lens.centre.x), scale * (lens.centre.y - true_lens.centre.y),
        lens.vignette.at(0.95), true_lens.vignette.at(0.95), lens.gain, true_lens.gain);
  }
  const double turned = degrees(
      rotation_between(found->pair.front.to_camera.transposed() * found->pair.back.to_camera,
                       truth.front.to_camera.transposed() * truth.back.to_camera));
  g_print("rotation off %.4f deg\n", turned);
  fail_unless(found->joined == 4 && found->whole_field, "%d", found->joined);
  for (int i = 0; i < 2; ++i) {
    const Lens &lens = found->pair[i], &true_lens = truth[i];
    fail_unless(std::abs(half_fov_at(lens, true_lens) - true_lens.half_fov()) < radians(0.05));
    fail_unless(
        scale * std::hypot(lens.centre.x - true_lens.centre.x, lens.centre.y - true_lens.centre.y) <
        std::max(1.0, 0.3 * scale));
    fail_unless(std::abs(lens.vignette.at(0.95) - true_lens.vignette.at(0.95)) < 0.02);
    fail_unless(std::abs(lens.gain - true_lens.gain) < 0.01);
  }
  fail_unless(turned < 0.05, "%g", turned);
  fail_unless(found->correlation > found->correlation_before);
}
GST_END_TEST;

GST_START_TEST(calibration_of_a_photograph_beats_the_manual_one) {
  const std::optional<GreyPicture> photo = shared_photo("gear360-street.png");
  if (!photo) return;
  const GreyPicture& picture = *photo;
  const double by_hand =
      overlap_correlation(picture, load_profile("gear360")->scaled_to(picture.size));
  const Result<Calibration> found = calibrate({picture}, *load_profile("dual-190"));
  fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
  g_print(
      "%d matches, off by %.3f px (%.3f before), correlation %.4f (%.4f before, %.4f by hand)\n",
      found->overlap_matches, found->residual, found->residual_before, found->correlation,
      found->correlation_before, by_hand);
  fail_unless(found->correlation > by_hand, "%g %g", found->correlation, by_hand);
  fail_if(found->whole_field);
}
GST_END_TEST;

GST_START_TEST(small_circles_are_found) {
  // Circles that are far from filling their halves, and off the middle, as a Theta's.
  LensPair truth = load_profile("dual-190")->scaled_to({1280, 640});
  for (int i = 0; i < 2; ++i) {
    truth[i].model = *RadialModel::make(ModelKind::equidistant, radians(191), 270);
    truth[i].centre = {truth[i].centre.x + (i ? 12.0 : -9.0), 290};
  }
  const GreyPicture picture = drawn(truth, Mat3());
  const Result<Calibration> lost = calibrate({picture}, *load_profile("dual-190"));
  fail_if(bool(lost) && lost->correlation > 0.9);
  const Result<Calibration> found = find_lenses({picture}, std::nullopt);
  fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
  fail_unless(found->correlation > 0.97, "%g", found->correlation);
  for (int i = 0; i < 2; ++i) {
    fail_unless(std::abs(found->pair[i].model.radius() - 270) < 2, "%g",
                found->pair[i].model.radius());
    fail_unless(std::abs(half_fov_at(found->pair[i], truth[i]) - truth[i].half_fov()) <
                radians(0.3));
  }
}
GST_END_TEST;

namespace {

/// Two lenses with random parameters of any camera, in a frame of 1280x640.
LensPair any_pair(unsigned seed) {
  std::mt19937 random(seed);
  const auto within = [&](double limit) {
    return std::uniform_real_distribution<double>(-limit, limit)(random);
  };
  LensPair pair = load_profile("dual-190")->scaled_to({1280, 640});
  const double fov = 197.5 + within(12.5), radius = 300 + within(12);
  // The whole camera is turned by quarter turns, and so is one lens against the other.
  const Mat3 view = rotation({0, 0, 90.0 * (random() % 4)});
  const double turn = 90.0 * (random() % 4);
  for (int i = 0; i < 2; ++i) {
    Lens& lens = pair[i];
    // As above, in an order that no compiler changes.
    const std::array<double, 4> coefficients = {within(0.01), within(0.003), 0, 0};
    lens.model = *RadialModel::make(ModelKind::kannala_brandt, radians(fov + within(0.5)), radius,
                                    coefficients);
    lens.centre.x += within(0.03) * radius / std::sqrt(2);
    lens.centre.y += within(0.03) * radius / std::sqrt(2);
    lens.to_camera = view * lens.to_camera *
                     rotation({within(2.5), within(2.5), within(2.5) + (i ? turn : 0.0)});
    const double dark = 0.2 + within(0.2);
    lens.vignette = {-dark / 2, -dark / 2, 0};
  }
  if (random() % 2) std::swap(pair.front, pair.back);
  return pair;
}

/// How far apart the found lenses draw the same thing where both true lenses see it.
struct SeamMiss {
  double pixels = 0, degrees = 0;
};
SeamMiss seam_error(const LensPair& found, const LensPair& truth) {
  // Pictures do not tell which lens is the front one.
  const bool swapped = found.front.region.left != truth.front.region.left;
  std::vector<double> pixels, angles;
  for (int i = 0; i < 360; ++i) {
    const Vec3 axis = normalised(truth.front.axis() - truth.back.axis());
    const Vec3 right = normalised(cross({0.3, 1, 0.2}, axis)), down = cross(axis, right);
    const Vec3 d = std::cos(radians(i)) * right + std::sin(radians(i)) * down;
    const Point p = truth.front.project(d), q = truth.back.project(d);
    const Lens& first = found[swapped ? 1 : 0];
    const Lens& second = found[swapped ? 0 : 1];
    const Vec3 seen = first.unproject(p);
    const Point shown = second.project(seen);
    pixels.push_back(std::hypot(shown.x - q.x, shown.y - q.y));
    angles.push_back(degrees(angle_between(seen, second.unproject(q))));
  }
  std::ranges::sort(pixels);
  std::ranges::sort(angles);
  return {pixels[pixels.size() / 2], angles[angles.size() / 2]};
}

}  // namespace

GST_START_TEST(errors_of_lenses_are_measured) {
  // A wide overlap and a narrow one, without and with near things.
  for (const unsigned seed : {107u, 186u})
    for (const bool depth : {false, true}) {
      const LensPair truth = any_pair(seed);
      const std::vector<GreyPicture> small =
          detail_pictures({drawn(truth, Mat3(), {.depth = depth})}, truth.front.model.radius());
      const auto measured = [&](const Angles& turn) {
        LensPair pair = truth;
        pair.back.to_camera = pair.back.to_camera * rotation(turn);
        return measure_error(small, pair).degrees;
      };
      // Rolled, everything is shifted along the seam; leaning, across it, by a sine.
      const double right = measured({}), rolled = measured({0, 0, 0.5}),
                   leaning = measured({0.7, 0, 0}), wrong = measured({0, 12, 30});
      g_print("seed %u, %s near things: right lenses %.3f degrees, rolled %.3f, leaning %.3f\n",
              seed, depth ? "with" : "without", right, rolled, leaning);
      fail_unless(right < (depth ? 0.15 : 0.05), "%g", right);
      fail_unless(std::abs(rolled - 0.5) < 0.1, "%g", rolled);
      fail_unless(std::abs(leaning - 0.7 / std::sqrt(2)) < 0.12, "%g", leaning);
      fail_unless(wrong > 0.5, "%g", wrong);
    }
}
GST_END_TEST;

/// SPHERE_SEARCH_ROUNDS=200 by hand, SPHERE_SEARCH_FIRST to begin with a later pair.
GST_START_TEST(any_lenses_are_found_without_a_start) {
  const char* chosen = g_getenv("SPHERE_SEARCH_ROUNDS");
  const char* later = g_getenv("SPHERE_SEARCH_FIRST");
  const int rounds = chosen ? atoi(chosen) : 4, first = later ? atoi(later) : 0;
  int found = 0, told = 0, needlessly = 0;
  for (int round = first; round < first + rounds; ++round) {
    const LensPair truth = any_pair(static_cast<unsigned>(round) + 100);
    const Result<Calibration> result = find_lenses({drawn(truth, Mat3())}, std::nullopt);
    const SeamMiss off = result ? seam_error(result->pair, truth) : SeamMiss{999, 999};
    const bool right = off.pixels < 1.5 && off.degrees < 0.2;
    const bool doubted = !result || is_doubtful(*result);
    if (!right || doubted)
      g_print(
          "pair %d (%.1f degrees): off by %.2f px, %.3f degrees, measured %.3f, correlation %.3f "
          "%s\n",
          round, degrees(truth.front.model.fov()), off.pixels, off.degrees,
          result ? result->error.degrees : 0.0, result ? result->correlation : 0.0,
          result ? "" : result.error().message.c_str());
    found += right;
    told += !right && doubted;
    needlessly += right && doubted;
  }
  g_print("%d of %d pairs found, %d doubted of those and %d of the others\n", found, rounds,
          needlessly, told);
  fail_unless(found >= rounds * 95 / 100, "%d of %d", found, rounds);
  fail_unless(needlessly <= rounds * 5 / 100, "%d of %d", needlessly, rounds);
  fail_unless(found + told == rounds, "%d found, %d doubted, of %d", found, told, rounds);
}
GST_END_TEST;

namespace {

/// How an owner has prepared a photo for ffmpeg's v360: the two squares side by side that hold the
/// circles, and how far each was turned.
struct Squares {
  double side_of_height = 1;
  double turn = 0;  // degrees
};

/// The lenses that v360 takes (dfisheye): ideal equidistant ones in the middle of the squares, with
/// one field of view across and one down, in degrees.
LensPair pair_of_v360(Size frame, const Squares& squares, double across, double down) {
  LensPair pair = *load_profile("dual-190");
  pair.frame = frame;
  const double side = frame.height * squares.side_of_height;
  for (int i = 0; i < 2; ++i) {
    Lens& lens = pair[i];
    lens.model = *RadialModel::make(ModelKind::equidistant, radians(down), side / 2);
    lens.stretch = down / across;
    lens.centre = {i ? side / 2 : 1.5 * side, side / 2};
    lens.region = {i ? 0.0 : side, 0, i ? side : 2 * side, side};
    lens.to_camera = lens.to_camera * rotation({0, 0, i ? squares.turn : -squares.turn});
  }
  return pair;
}

/// The best that v360 reaches with any field of view.
double best_of_v360(const GreyPicture& picture, const Squares& squares, double* across,
                    double* down) {
  const auto reached = [&](double a, double d) {
    return overlap_correlation(picture, pair_of_v360(picture.size, squares, a, d));
  };
  double best = -1;
  const auto look = [&](double a, double d) {
    const double now = reached(a, d);
    if (now <= best) return false;
    best = now;
    *across = a;
    *down = d;
    return true;
  };
  for (double fov = 180; fov <= 220; fov += 2) look(fov, fov);
  for (const double step : {1.0, 0.5, 0.25})
    for (bool better = true; better;) {
      better = false;
      const double a = *across, d = *down;
      for (int i = -1; i <= 1; ++i)
        for (int k = -1; k <= 1; ++k) better |= look(a + i * step, d + k * step);
    }
  return best;
}

}  // namespace

namespace {

/// The light that a lens has at an angle off its axis, of that on the axis.
double light_at(const Vignette& vignette, const Lens& lens, double angle) {
  return vignette.at(lens.model.forward(radians(angle)) / lens.model.radius());
}

/// Luma at the seam compared to luma 30 degrees away: the mean of what is drawn within 2.5 degrees
/// of the seam, divided by the mean from 25 to 35 degrees; both seams, within 30 degrees of the
/// equator, where neither the sky nor the holder of the camera is.
double luma_at_seam(const GreyPicture& picture, const LensPair& pair) {
  double sum[2] = {}, count[2] = {};
  constexpr Size output = {1280, 640};
  for (int y = output.height / 3; y < output.height * 2 / 3; ++y)
    for (int x = 0; x < output.width; ++x) {
      const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, output);
      const double height = degrees(pair.back.angle_to_axis(d) - pair.front.angle_to_axis(d)) / 2;
      const bool at_seam = std::abs(height) < 2.5;
      if (!at_seam && (std::abs(height) < 25 || std::abs(height) > 35)) continue;
      const Lens& lens = height > 0 ? pair.front : pair.back;
      const Point p = lens.project(d);
      const auto column = std::clamp(static_cast<int>(p.x), 0, picture.size.width - 1);
      const auto row = std::clamp(static_cast<int>(p.y), 0, picture.size.height - 1);
      const double light = picture.pixels[static_cast<size_t>(row) * picture.size.width + column] /
                           lens.brightness(lens.distance(p));
      sum[at_seam] += std::min(light, 255.0);
      count[at_seam] += 1;
    }
  return sum[1] / count[1] / (sum[0] / count[0]);
}

}  // namespace

GST_START_TEST(fall_off_is_found_in_one_picture) {
  double sum = 0, step_sum = 0;
  int count = 0;
  for (const Vignette& shape :
       {Vignette{-0.5, -0.5, 0}, Vignette{-1, 0, 0}, Vignette{0, -1, 0}, Vignette{0, 0, -1}})
    for (const double dark : {0.0, 0.2, 0.4}) {
      LensPair truth = any_pair(100 + static_cast<unsigned>(count) % 3);
      for (int i = 0; i < 2; ++i)
        truth[i].vignette = {dark * shape.b, dark * shape.c, dark * shape.d};
      truth.front.gain = 1.08;
      GreyPicture picture = drawn(truth, rotation({50.0 * count, 10, 5}));
      uint32_t noise = 1;
      for (uint8_t& pixel : picture.pixels) {
        noise = noise * 1664525 + 1013904223;
        pixel = static_cast<uint8_t>(std::clamp(pixel + static_cast<int>(noise >> 28) - 8, 0, 255));
      }
      const LightFinding found = find_light({picture}, truth);
      fail_unless(found.measured);
      const double has = light_at(found.vignette, truth.front, 90);
      const double is = light_at(truth.front.vignette, truth.front, 90);
      // One picture tells little about the light near the axis. With other lenses, up to 22 % were
      // measured (docs/calibrate.md).
      fail_unless(std::abs(has / is - 1) < (dark > 0 ? 0.13 : 0.02), "%g %g %g: %g, not %g",
                  truth.front.vignette.b, truth.front.vignette.c, truth.front.vignette.d, has, is);
      // A viewer sees the difference between the light at the seam and the light beside it.
      const double step = has / light_at(found.vignette, truth.front, 60);
      const double true_step = is / light_at(truth.front.vignette, truth.front, 60);
      fail_unless(std::abs(step / true_step - 1) < 0.045, "%g, not %g", step, true_step);
      sum += std::abs(has / is - 1);
      step_sum += std::abs(step / true_step - 1);
      ++count;
    }
  g_print(
      "light at the seam: off by %.1f %% of that on the axis, and by %.1f %% of that 30 degrees "
      "away, in the mean of %d pictures\n",
      100 * sum / count, 100 * step_sum / count, count);
  fail_unless(sum / count < 0.04 && step_sum / count < 0.02, "%g %g", sum / count,
              step_sum / count);
}
GST_END_TEST;

GST_START_TEST(fall_off_is_guessed_carefully_without_detail) {
  const LensPair pair = load_profile("dual-190")->scaled_to({1280, 640});
  for (const uint8_t level : {0, 128, 255}) {
    GreyPicture flat{{1280, 640}, std::vector<uint8_t>(1280 * 640, level)};
    const LightFinding found = find_light({flat}, pair);
    // An even grey shows that there is no fall-off; black and white show nothing.
    fail_unless(found.measured == (level == 128));
    double before = 1;
    for (int i = 1; i <= 32; ++i) {
      const double now = found.vignette.at(i / 32.0);
      fail_unless(now <= before + 1e-3 && now > (level == 128 ? 0.999 : 0.87), "%g", now);
      before = now;
    }
  }
}
GST_END_TEST;

/// The lenses, which draw the seam better than v360 does, and their fall-off, with which the
/// picture is as light at the seam as beside it.
GST_START_TEST(lenses_of_real_photos_are_found_without_a_start) {
  const struct {
    const char* file;
    double least;
    Squares squares;
    // Only for the street it is known that the scene is as light at the seams as beside them.
    bool even_scene;
  } photos[] = {{"gear360-street.png", 0.95, {}, true},
                {"fisheye-208.jpg", 0.985, {}, false},
                {"theta-s-raw.jpg", 0.96, {960.0 / 1080, 90}, false}};
  for (const auto& photo : photos) {
    const std::optional<GreyPicture> picture = shared_photo(photo.file);
    if (!picture) continue;
    const Result<Calibration> found = find_lenses({*picture}, std::nullopt);
    fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
    g_print("%s: correlation %.4f\n", photo.file, found->correlation);
    fail_unless(found->correlation >= photo.least, "%s: %g", photo.file, found->correlation);
    fail_unless(std::abs(overlap_correlation(*picture, found->pair) - found->correlation) < 1e-9);
    double across = 0, down = 0;
    const double theirs = best_of_v360(*picture, photo.squares, &across, &down);
    g_print("%s: v360 reaches %.4f, with %g by %g degrees\n", photo.file, theirs, across, down);
    // That the comparison is a fair one: v360 finds a seam, too.
    fail_unless(theirs > 0.5 && theirs <= found->correlation, "%s: v360 %g, ours %g", photo.file,
                theirs, found->correlation);

    fail_unless(found->fall_off_found);
    LensPair plain = found->pair;
    plain.front.vignette = plain.back.vignette = {};
    const double before = luma_at_seam(*picture, plain),
                 after = luma_at_seam(*picture, found->pair);
    g_print(
        "%s: luma at the seam %.3f, with the fall-off that was found %.3f (%.3f of the light)\n",
        photo.file, before, after, light_at(found->pair.front.vignette, plain.front, 90));
    if (photo.even_scene)
      fail_unless(before < 0.75 && after > 0.9 && after < 1.1, "%g, before %g", after, before);
    else
      fail_unless(std::abs(after - 1) < std::abs(before - 1) + 0.05, "%g, before %g", after,
                  before);
  }
}
GST_END_TEST;

GST_START_TEST(pictures_of_other_scenes_are_not_joined) {
  const LensPair truth = random_pair(11).scaled_to({1280, 640});
  const std::vector<GreyPicture> pictures = {drawn(truth, Mat3()),
                                             drawn(truth, Mat3(), {.pattern = Pattern::graticule})};
  const Result<Calibration> found = calibrate(pictures, *load_profile("dual-190"));
  fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
  fail_unless(found->joined == 1 && !found->whole_field && found->cross_matches == 0);
  fail_unless(found->unturned == 0);
  fail_unless(found->correlation > found->correlation_before, "%g", found->correlation);
}
GST_END_TEST;

// A video of a camera on a tripod: the pictures differ by noise and by hardly any turn.
GST_START_TEST(lenses_of_a_camera_that_stands_still_are_found) {
  const LensPair truth = load_profile("gear360")->scaled_to({1920, 960});
  std::mt19937 random(5);
  std::vector<GreyPicture> pictures;
  for (const double turned : {0.0, 0.9}) {
    pictures.push_back(drawn(truth, rotation({turned, turned / 3, 0})));
    for (uint8_t& pixel : pictures.back().pixels)
      pixel =
          static_cast<uint8_t>(std::clamp<int>(pixel + static_cast<int>(random() % 7) - 3, 0, 255));
  }
  const Result<Calibration> found = find_lenses(pictures, std::nullopt);
  fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
  const SeamMiss off = seam_error(found->pair, truth);
  fail_unless(off.degrees < 0.2, "off by %g degrees", off.degrees);
  fail_unless(found->joined == 1 && !found->whole_field, "%d joined", found->joined);
  fail_unless(found->unturned == 1);
}
GST_END_TEST;

GST_START_TEST(scenes_without_detail_are_an_error) {
  GreyPicture grey{{1280, 640}, std::vector<uint8_t>(1280 * 640, 128)};
  const Result<Calibration> flat = calibrate({grey}, *load_profile("dual-190"));
  fail_if(bool(flat));
  fail_unless(flat.error().message.find("only 0 things") != std::string::npos, "%s",
              flat.error().message.c_str());
  // Each lens looks at something else.
  const LensPair pair = load_profile("dual-190")->scaled_to(grey.size);
  const GreyPicture one = drawn(pair, Mat3()), other = drawn(pair, rotation({90, 20, 60}));
  GreyPicture mixed = one;
  for (int y = 0; y < 640; ++y)
    std::copy_n(&other.pixels[static_cast<size_t>(y) * 1280], 640,
                &mixed.pixels[static_cast<size_t>(y) * 1280]);
  fail_if(bool(calibrate({mixed}, *load_profile("dual-190"))));
  GreyPicture small{{640, 320}, std::vector<uint8_t>(640 * 320, 128)};
  const Result<Calibration> sizes = calibrate({grey, small}, *load_profile("dual-190"));
  fail_unless(!sizes && sizes.error().message.find("different sizes") != std::string::npos);
  GreyPicture square{{640, 640}, std::vector<uint8_t>(640 * 640, 128)};
  const Result<Calibration> shape = calibrate({square}, *load_profile("dual-190"));
  fail_unless(!shape && shape.error().message.find("another shape") != std::string::npos);
  fail_if(bool(calibrate({}, *load_profile("dual-190"))));
}
GST_END_TEST;

static Suite* calibrate_suite() {
  Suite* suite = suite_create("calibrate");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, drawn_lenses_are_found);
  tcase_add_test(tcase, calibration_of_a_photograph_beats_the_manual_one);
  tcase_add_test(tcase, small_circles_are_found);
  tcase_add_test(tcase, errors_of_lenses_are_measured);
  tcase_add_test(tcase, any_lenses_are_found_without_a_start);
  tcase_add_test(tcase, lenses_of_real_photos_are_found_without_a_start);
  tcase_add_test(tcase, fall_off_is_found_in_one_picture);
  tcase_add_test(tcase, fall_off_is_guessed_carefully_without_detail);
  tcase_add_test(tcase, pictures_of_other_scenes_are_not_joined);
  tcase_add_test(tcase, lenses_of_a_camera_that_stands_still_are_found);
  tcase_add_test(tcase, scenes_without_detail_are_an_error);
  return suite;
}

GST_CHECK_MAIN(calibrate)

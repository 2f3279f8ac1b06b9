// SPDX-License-Identifier: LGPL-2.1-or-later
// The scene on the sphere, its number, and how it is drawn.

#include "tests/check/pipeline.h"

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/scene/glyphs.h"
#include "gst/sphere/scene/marker.h"
#include "gst/sphere/scene/render.h"

using namespace sphere;
using namespace sphere::test;

namespace {

double plate_luma(uint32_t number, LonLat at) {
  const std::optional<bool> lit = marker_at(number, degrees(at.lon), degrees(at.lat));
  return !lit ? 128 : *lit ? 235 : 16;
}

float luma(Colour c) { return 0.2126f * c.r + 0.7152f * c.g + 0.0722f * c.b; }

Ray ray(double lon, double lat) {
  const Vec3 d = direction_of({radians(lon), radians(lat)});
  return {static_cast<float>(d.x), static_cast<float>(d.y), static_cast<float>(d.z)};
}

/// The luma of a whole picture, drawn tile by tile: 0..1, -1 where nothing is drawn.
std::vector<float> draw(const Renderer& renderer, const MovingThings* moving_things) {
  const Size size = renderer.size();
  std::vector<float> picture(static_cast<size_t>(size.width) * size.height, -1);
  Tile tile;
  for (int row = 0; row < renderer.rows(); ++row)
    for (int column = 0; column < renderer.columns(); ++column) {
      if (!moving_things)
        renderer.draw_still(Pattern::scene, column, row, tile);
      else if (!renderer.draw_moving_things(*moving_things, column, row, tile))
        continue;
      for (int y = row * Tile::side; y < std::min((row + 1) * Tile::side, size.height); ++y)
        for (int x = column * Tile::side; x < std::min((column + 1) * Tile::side, size.width);
             ++x) {
          const Tile::Pixel& p = tile.pixels[y % Tile::side * Tile::side + x % Tile::side];
          if (p.cover > 0) picture[static_cast<size_t>(y) * size.width + x] = luma({p.r, p.g, p.b});
        }
    }
  return picture;
}

}  // namespace

GST_START_TEST(every_number_is_read_back) {
  for (uint32_t number :
       {0u, 1u, 2u, 299u, 65535u, 65536u, 0xaaaaaaaau, 0x55555555u, 0xffffffffu}) {
    const auto read = read_marker([&](LonLat at) { return plate_luma(number, at); });
    fail_unless(read && *read == number, "%u", number);
  }
}
GST_END_TEST;

GST_START_TEST(pictures_without_a_plate_are_not_read) {
  fail_if(read_marker([](LonLat) { return 128.0; }).has_value());
  fail_if(read_marker([](LonLat) { return 16.0; }).has_value());
  // Mirrored, upside down, and negative.
  fail_if(read_marker([](LonLat at) { return plate_luma(77, {-at.lon, at.lat}); }).has_value());
  fail_if(read_marker([](LonLat at) {
            return plate_luma(77, {at.lon, radians(2 * -28.0) - at.lat});
          }).has_value());
  fail_if(read_marker([](LonLat at) { return 255 - plate_luma(77, at); }).has_value());
}
GST_END_TEST;

GST_START_TEST(one_wrong_cell_is_noticed) {
  using Layout = MarkerLayout;
  int tried = 0;
  for (int row = 0; row < Layout::rows; ++row)
    for (int column = 2; column < Layout::columns; ++column) {
      const auto spoilt = [&](LonLat at) {
        const int x = static_cast<int>((degrees(at.lon) - Layout::left) / Layout::cell_width);
        const int y = static_cast<int>((Layout::top - degrees(at.lat)) / Layout::cell_height);
        const double value = plate_luma(123456, at);
        return x == column && y == row ? 251 - value : value;
      };
      fail_if(read_marker(spoilt).has_value(), "row %d column %d", row, column);
      ++tried;
    }
  fail_unless_equals_int(tried, 40);
}
GST_END_TEST;

GST_START_TEST(letters_are_legible) {
  fail_unless(has_ink("L", 0.5f, 3.5f));
  fail_if(has_ink("L", 2.5f, 3.5f));
  fail_unless(has_ink("L", 2.5f, 6.5f));
  fail_unless(has_ink("LI", 8.5f, 3.5f));
  fail_if(has_ink("L", -0.1f, 3.5f) || has_ink("L", 0.5f, 7.0f) || has_ink("L", 6.5f, 6.5f) ||
          has_ink("?", 0.5f, 0.5f) || has_ink("\xff", 0.5f, 0.5f) || has_ink("", 0, 0));
}
GST_END_TEST;

GST_START_TEST(labels_are_at_their_directions) {
  // Blue boards with white letters stand at each of the four sides.
  for (double lon : {0.0, 90.0, 180.0, -90.0}) {
    int blue = 0, white = 0;
    for (double x = -14; x <= 14; x += 0.25)
      for (double y = 8; y <= 22; y += 0.25) {
        const Colour c = still_colour(Pattern::scene, ray(lon + x, y));
        blue += c.b > 0.3f && c.r < 0.12f;
        white += c.r > 0.93f && c.b > 0.91f;
      }
    fail_unless(blue > 300 && white > 80, "%g: %d blue, %d white", lon, blue, white);
  }
  // The scene is not symmetric: it differs if it is mirrored in longitude or latitude, or turned.
  double left_right = 0, front_back = 0;
  int n = 0;
  for (double lon = 1; lon < 180; lon += 3)
    for (double lat = -80; lat < 80; lat += 3, ++n) {
      const float here = luma(still_colour(Pattern::scene, ray(lon, lat)));
      left_right += std::abs(here - luma(still_colour(Pattern::scene, ray(-lon, lat))));
      front_back += std::abs(here - luma(still_colour(Pattern::scene, ray(lon - 180, lat))));
    }
  fail_unless(left_right / n > 0.05 && front_back / n > 0.05, "%g %g", left_right / n,
              front_back / n);
}
GST_END_TEST;

GST_START_TEST(a_lens_sees_what_the_sphere_shows) {
  const Result<LensPair> pair = load_profile("gear360");
  fail_unless(static_cast<bool>(pair));
  const LensPair scaled = pair->scaled_to({384, 192});
  const std::vector<float> fisheye = draw(Renderer::fisheye(scaled, 2), nullptr);
  double square = 0;
  int seen = 0;
  for (int y = 0; y < 192; ++y)
    for (int x = 0; x < 384; ++x) {
      const float value = fisheye[y * 384 + x];
      const Lens& lens = x < 192 ? (scaled.front.region.left == 0 ? scaled.front : scaled.back)
                                 : (scaled.front.region.left == 0 ? scaled.back : scaled.front);
      const double distance = lens.distance({x + 0.5, y + 0.5});
      if (distance > lens.model.radius() + 1) {
        if (value != -1) fail_unless(false, "light outside the circle at %d %d", x, y);
        continue;
      }
      if (distance > lens.model.radius() - 1) continue;
      // The same rays, calculated one by one.
      float exact = 0;
      for (double j : {0.25, 0.75})
        for (double i : {0.25, 0.75}) {
          const Vec3 d = lens.unproject({x + i, y + j});
          exact +=
              luma(still_colour(Pattern::scene, {static_cast<float>(d.x), static_cast<float>(d.y),
                                                 static_cast<float>(d.z)})) *
              static_cast<float>(lens.brightness(lens.distance({x + i, y + j}))) / 4;
        }
      square += (value - exact) * (value - exact);
      ++seen;
    }
  fail_unless(seen > 30000, "%d", seen);
  // Interpolated directions are slightly off, which is visible only at the edges of things.
  fail_unless(std::sqrt(square / seen) < 0.01, "%g", std::sqrt(square / seen));
}
GST_END_TEST;

GST_START_TEST(moving_objects_are_drawn_everywhere) {
  // No tile may be skipped by mistake: the picture is compared with one in which every ray is
  // calculated.
  for (const char* name : {"dual-190", "theta-s"}) {
    const Result<LensPair> pair = load_profile(name);
    fail_unless(static_cast<bool>(pair));
    const Size size = {320, 320 * pair->frame.height / pair->frame.width};
    const LensPair scaled = pair->scaled_to(size);
    for (bool equirect : {false, true}) {
      const Renderer renderer =
          equirect ? Renderer::equirect({320, 160}, 1) : Renderer::fisheye(scaled, 1);
      for (double seconds : {0.0, 1.7, 4.4, 7.9, 10.3}) {
        const MovingThings moving_things(7, seconds);
        const std::vector<float> drawn = draw(renderer, &moving_things);
        int found = 0, missing = 0;
        for (int y = 0; y < renderer.size().height; ++y)
          for (int x = 0; x < renderer.size().width; ++x) {
            const Point p = {x + 0.5, y + 0.5};
            Vec3 d = equirect_direction(p, renderer.size());
            if (!equirect) {
              const Lens* lens = nullptr;
              for (const Lens* one : {&scaled.front, &scaled.back})
                if (p.x >= one->region.left && p.x < one->region.right && p.y >= one->region.top &&
                    p.y < one->region.bottom)
                  lens = one;
              if (!lens || lens->distance(p) > lens->model.radius() - 2) continue;
              d = lens->unproject(p);
            }
            bool there = false;
            for (int thing = 0; thing < MovingThings::count; ++thing)
              there |= moving_things
                           .colour(thing, {static_cast<float>(d.x), static_cast<float>(d.y),
                                           static_cast<float>(d.z)})
                           .has_value();
            if (!there) continue;
            ++found;
            missing += drawn[static_cast<size_t>(y) * renderer.size().width + x] < 0;
          }
        fail_unless(found > 200, "%s at %g s: %d", name, seconds, found);
        // A pixel whose middle is just on an edge may fall to either side.
        fail_unless(missing * 100 < found, "%s at %g s: %d of %d are missing", name, seconds,
                    missing, found);
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST(near_objects_depend_on_the_viewpoint) {
  // Boards stand 0.5 m away at the right seam and 1.5 m away at the left one.
  struct {
    double lon, lat, distance;
  } const places[] = {{93, 24, 0.5}, {-86, 22, 1.5}};
  const Ray eye = {0.001f, -0.002f, 0.0125f};
  for (const auto& place : places) {
    int same = 0, same_if_far = 0, looked = 0;
    for (double lon = -8; lon <= 8; lon += 0.37)
      for (double lat = -5; lat <= 5; lat += 0.37) {
        const Ray n = ray(place.lon + lon, place.lat + lat);
        const auto d = static_cast<float>(place.distance);
        const Colour middle = near_colour(Pattern::scene, n, {});
        const Ray to = {n.x * d - eye.x, n.y * d - eye.y, n.z * d - eye.z};
        ++looked;
        same += std::abs(luma(near_colour(Pattern::scene, to, eye)) - luma(middle)) < 0.01f;
        same_if_far += std::abs(luma(near_colour(Pattern::scene, n, eye)) - luma(middle)) < 0.01f;
      }
    // Single rays fall to either side of an edge.
    fail_unless(same * 100 > looked * 98, "%d of %d", same, looked);
    fail_unless(same_if_far * 100 < looked * 80, "%d of %d", same_if_far, looked);
  }
  // The sky does not move, and for an eye in the middle the rest does not move either.
  for (double lon : {0.0, 40.0, 150.0}) {
    const Ray up = ray(lon, 60), level = ray(lon, 5);
    fail_unless(near_colour(Pattern::scene, up, eye) == still_colour(Pattern::scene, up));
    fail_unless(near_colour(Pattern::scene, level, {}) == still_colour(Pattern::scene, level));
  }
}
GST_END_TEST;

static Suite* scene_suite() {
  Suite* suite = suite_create("scene");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, every_number_is_read_back);
  tcase_add_test(tcase, pictures_without_a_plate_are_not_read);
  tcase_add_test(tcase, one_wrong_cell_is_noticed);
  tcase_add_test(tcase, letters_are_legible);
  tcase_add_test(tcase, labels_are_at_their_directions);
  tcase_add_test(tcase, a_lens_sees_what_the_sphere_shows);
  tcase_add_test(tcase, moving_objects_are_drawn_everywhere);
  tcase_add_test(tcase, near_objects_depend_on_the_viewpoint);
  return suite;
}

GST_CHECK_MAIN(scene)

// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan against the closed form of each lens, and the warp against the grid.

// check defines `fail` as a macro, so the standard library comes first.
#include <hwy/highway.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/warp/warp.h"

using namespace sphere;

namespace {

constexpr Size full = {3840, 1920};

/// An imperfect pair: centres off, lenses turned against each other.
LensPair pair_of(ModelKind kind, double fov, const std::array<double, 4>& k = {}) {
  LensPair pair = *load_profile("dual-190");
  for (int i = 0; i < 2; ++i)
    pair[i].model = *RadialModel::make(kind, radians(fov), i ? 941 : 935, k);
  pair.front.centre = {2871.3, 966.1};
  pair.back.centre = {966.6, 955.2};
  pair.back.to_camera = pair.back.to_camera * rotation({0.7, -1.1, 0.9});
  return pair;
}

struct Named {
  const char* name;
  LensPair pair;
};

std::vector<Named> pairs() {
  return {
      {"equidistant", pair_of(ModelKind::equidistant, 190)},
      {"equisolid", pair_of(ModelKind::equisolid, 195)},
      {"stereographic", pair_of(ModelKind::stereographic, 190)},
      {"orthographic", pair_of(ModelKind::orthographic, 180)},
      {"kannala-brandt", pair_of(ModelKind::kannala_brandt, 195, {0.05, -0.01, 0.002, -0.0003})},
      {"wide kannala-brandt", pair_of(ModelKind::kannala_brandt, 240, {-0.02, 0.004, -0.0008, 0})},
      {"panotools", pair_of(ModelKind::panotools, 195, {-0.03, 0.05, -0.08, 0})},
      {"double-sphere", pair_of(ModelKind::double_sphere, 195, {-0.2, 0.6})},
      {"gear360", *load_profile("gear360")},
      {"theta-s", *load_profile("theta-s")},
      {"mi-sphere", *load_profile("mi-sphere")},
  };
}

float at(const WarpGrid& grid, const std::vector<float>& nodes, double x, double y) {
  const int c = static_cast<int>(x / grid.cell), r = static_cast<int>(y / grid.cell);
  const float tx = static_cast<float>(x / grid.cell - c),
              ty = static_cast<float>(y / grid.cell - r);
  const size_t n = static_cast<size_t>(r) * grid.nodes_per_row() + c;
  const size_t m = n + grid.nodes_per_row();
  const float upper = nodes[n] + tx * (nodes[n + 1] - nodes[n]);
  return upper + ty * (nodes[m] + tx * (nodes[m + 1] - nodes[m]) - upper);
}

/// The largest distance in pixels between the plan and the closed form, over the whole output.
// valgrind checks memory accesses, for which fewer rows are enough.
const int thin = g_getenv("SPHERE_VALGRIND") ? 20 : 1;

double worst_error(const LensPair& pair, Size source, const Mat3& view, const WarpGrid& grid,
                   const Planner& planner) {
  const LensPair scaled = pair.scaled_to(source);
  double worst = 0;
  long compared = 0;
  for (int y = 0; y < grid.output.height; y += 7 * thin)
    for (int x = 0; x < grid.output.width; x += 11) {
      const Point p = {x + 0.5, y + 0.5};
      const Vec3 d = view * equirect_direction(p, grid.output);
      const double first_weight = planner.first_weight(d);
      for (int i = 0; i < 2; ++i) {
        if (i ? first_weight >= 1 : first_weight <= 0) continue;
        const uint8_t flags = grid.flags(x / grid.cell, y / grid.cell);
        if (!(flags & (i ? cell_second : cell_first)))
          fail_unless(false, "cell at %d,%d misses lens %d", x, y, i);
        const Point exact = scaled[i].project(d);
        worst = std::max(worst, std::hypot(at(grid, grid.layer[i].x, p.x, p.y) - exact.x,
                                           at(grid, grid.layer[i].y, p.x, p.y) - exact.y));
        ++compared;
      }
    }
  fail_unless(compared >= grid.output.width * grid.output.height / 77 / thin);
  return worst;
}

const std::vector<Angles> views = {{0, 0, 0}, {30, 20, 10}, {-100, 75, -160}, {0, 90, 0}};

std::vector<uint8_t> noise(size_t size, uint32_t seed) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& b : bytes) {
    seed = seed * 1664525 + 1013904223;
    b = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

/// A picture without fine detail, in which the error of interpolation is small.
std::vector<uint8_t> waves(int width, int height, int components) {
  std::vector<uint8_t> bytes(static_cast<size_t>(width) * height * components);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int k = 0; k < components; ++k)
        bytes[(static_cast<size_t>(y) * width + x) * components + k] = static_cast<uint8_t>(
            128 + 100 * std::sin(x * 0.11 + k) * std::cos(y * 0.07 - x * 0.013 * k));
  return bytes;
}

/// The expected sample of a plane: exact mapping, bilinear interpolation in doubles.
double reference(const LensPair& scaled, const Planner& planner, const Mat3& view,
                 const WarpPlane& p, Size output, int x, int y, int k) {
  const Point place = {p.phase_x + p.step_x * x, p.phase_y + p.step_y * y};
  const Vec3 d = view * equirect_direction(place, output);
  const double first_weight = std::clamp(planner.first_weight(d), 0.0, 1.0);
  double sum = 0;
  for (int i = 0; i < 2; ++i) {
    const double weight = i ? 1 - first_weight : first_weight;
    if (weight <= 0) continue;
    const Lens& lens = scaled[i];
    const Point s = lens.project(d);
    const auto edge = [](double v, double step, int size, bool last) {
      const int n = static_cast<int>(v / step);
      return std::clamp(last ? n - 1 : n, 0, size - 1);
    };
    const int left = edge(lens.region.left, p.step_x, p.source_size.width, false);
    const int right = edge(lens.region.right, p.step_x, p.source_size.width, true);
    const int top = edge(lens.region.top, p.step_y, p.source_size.height, false);
    const int bottom = edge(lens.region.bottom, p.step_y, p.source_size.height, true);
    const double sx = std::clamp((s.x - p.phase_x) / p.step_x, double(left), double(right));
    const double sy = std::clamp((s.y - p.phase_y) / p.step_y, double(top), double(bottom));
    const int x0 = static_cast<int>(sx), y0 = static_cast<int>(sy);
    const int x1 = std::min(x0 + 1, right), y1 = std::min(y0 + 1, bottom);
    const auto sample = [&](int px, int py) {
      return double(p.source[py * p.source_stride + px * p.components + k]);
    };
    const double fx = sx - x0, fy = sy - y0;
    double light = (sample(x0, y0) * (1 - fx) + sample(x1, y0) * fx) * (1 - fy) +
                   (sample(x0, y1) * (1 - fx) + sample(x1, y1) * fx) * fy;
    const double distance = std::hypot(s.x - lens.centre.x, s.y - lens.centre.y);
    if (k < 3)
      light = (light - p.neutral) / lens.brightness(std::min(distance, lens.model.radius())) +
              p.neutral;
    sum += weight * light;
  }
  return std::clamp(sum, 0.0, 255.0);
}

struct Warp {
  const char* name;
  LensPair pair;
  Size source, output;
  Angles view;
  double band = 4;
  int components = 1, step = 1;
  double phase = 0.5;
  int padding = 0;
};

/// Warps waves and compares; returns the root of the mean square error, and checks the worst.
double warp_error(const Warp& w) {
  const Planner planner =
      *Planner::make(w.pair, w.source, w.output, {.blend_width = radians(w.band)});
  WarpGrid grid;
  const Mat3 view = rotation(w.view);
  planner.build(view, grid);
  WarpPlane p;
  p.components = w.components;
  p.step_x = p.step_y = w.step;
  p.phase_x = p.phase_y = w.phase;
  p.neutral = 16;
  p.source_size = {(w.source.width + w.step - 1) / w.step, (w.source.height + w.step - 1) / w.step};
  p.target_size = {(w.output.width + w.step - 1) / w.step, (w.output.height + w.step - 1) / w.step};
  const std::vector<uint8_t> source =
      waves(p.source_size.width, p.source_size.height, w.components);
  p.source = source.data();
  p.source_stride = p.source_size.width * w.components;
  p.target_stride = p.target_size.width * w.components + w.padding;
  std::vector<uint8_t> target(static_cast<size_t>(p.target_stride) * p.target_size.height, 77);
  p.target = target.data();
  warp_rows(grid, p, 0, p.target_size.height);

  const LensPair scaled = w.pair.scaled_to(w.source);
  double sum = 0;
  long count = 0;
  for (int y = 0; y < p.target_size.height; y += 2 * thin)
    for (int x = 0; x < p.target_size.width; ++x)
      for (int k = 0; k < w.components; ++k) {
        const double is = target[y * p.target_stride + x * w.components + k];
        // At a hard seam, rounding decides to which lens a pixel belongs; that is not tested here.
        const Point place = {p.phase_x + w.step * x, p.phase_y + w.step * y};
        const double across =
            planner.first_weight(view * equirect_direction(place, w.output)) - 0.5;
        if (w.band == 0 && std::abs(across) < 200) continue;
        const double should = reference(scaled, planner, view, p, w.output, x, y, k);
        // Check notes each assertion in a file: one for each sample would take minutes.
        if (std::abs(is - should) >= 8)
          fail_unless(false, "%s: %d,%d[%d] is %g, should be %g", w.name, x, y, k, is, should);
        sum += (is - should) * (is - should);
        ++count;
      }
  for (int y = 0; y < p.target_size.height; ++y)
    for (int x = 0; x < w.padding; ++x)
      if (target[y * p.target_stride + p.target_size.width * w.components + x] != 77)
        fail_unless(false, "%s: row %d is written past its end", w.name, y);
  return std::sqrt(sum / count);
}

/// The instruction sets that the kernel was built for and that run here, the best one first.
std::vector<int64_t> instruction_sets() {
  std::vector<int64_t> sets = hwy::SupportedAndGeneratedTargets();
  std::sort(sets.begin(), sets.end());
  return sets;
}

void draw_with(int set) {
  const int64_t chosen = instruction_sets()[static_cast<size_t>(set)];
  hwy::GetChosenTarget().Update(chosen);
  ck_assert_str_eq(warp_target(), hwy::TargetName(chosen));
}

}  // namespace

GST_START_TEST(plan_is_within_a_tenth_of_a_pixel_of_the_closed_form) {
  for (const Named& n : pairs()) {
    // Pictures as large as the output, or in the profile's own pixels where its frame has another
    // shape.
    const Size source = n.pair.frame.width == 2 * n.pair.frame.height ? full : n.pair.frame;
    const Planner planner = *Planner::make(n.pair, source, full);
    for (const Angles& angles : views) {
      WarpGrid grid;
      planner.build(rotation(angles), grid);
      const double worst = worst_error(n.pair, source, rotation(angles), grid, planner);
      GST_INFO("%s, cell %d, yaw %g: %.4f px", n.name, grid.cell, angles.yaw, worst);
      fail_unless(worst < 0.1, "%s with cells of %d is off by %g px", n.name, grid.cell, worst);
    }
  }
}
GST_END_TEST;

GST_START_TEST(ideal_lens_keeps_the_coarse_grid) {
  fail_unless_equals_int(Planner::make(*load_profile("dual-190"), full, full)->cell(), 16);
}
GST_END_TEST;

GST_START_TEST(both_lenses_are_used_only_near_the_seam) {
  const Planner planner = *Planner::make(*load_profile("dual-190"), full, full);
  WarpGrid grid;
  planner.build(Mat3{}, grid);
  int both = 0;
  for (int r = 0; r < full.height / grid.cell; ++r)
    for (int c = 0; c < full.width / grid.cell; ++c) {
      const uint8_t flags = grid.flags(c, r) & (cell_first | cell_second);
      if (flags == 0) fail_unless(false, "cell %d,%d needs no lens", c, r);
      both += flags == (cell_first | cell_second);
    }
  const double first_weight = static_cast<double>(both) / (full.width * full.height / 256);
  // The band itself is 8.1 % of the equirectangular picture; cells round it up.
  fail_unless(first_weight > 0.08 && first_weight < 0.13, "%g", first_weight);
  const size_t middle = static_cast<size_t>(grid.rows / 2) * grid.nodes_per_row();
  fail_unless(grid.first_weight[middle + grid.columns / 2] >= 1);
  fail_unless(grid.first_weight[middle] <= 0);
  fail_unless(std::abs(grid.first_weight[middle + grid.columns * 3 / 4] - 0.5f) < 1e-4f);
}
GST_END_TEST;

GST_START_TEST(blend_is_a_linear_ramp_of_the_width_asked_for) {
  const LensPair pair = *load_profile("dual-190");
  const Planner four = *Planner::make(pair, full, full);
  const auto at_angle = [&](const Planner& p, double lon) {
    return p.first_weight(direction_of({radians(lon), radians(10)}));
  };
  const auto off = [](double lon) {
    return degrees(std::asin(std::cos(radians(lon)) * std::cos(radians(10))));
  };
  for (double lon : {88.5, 89.0, 90.0, 90.7, 91.5})
    fail_unless(std::abs(at_angle(four, lon) - (0.5 + off(lon) / 4)) < 1e-9);
  // No wider than what both lenses see, less the last degree of each.
  const Planner wide = *Planner::make(pair, full, full, {.blend_width = radians(60)});
  fail_unless(std::abs(wide.first_weight(direction_of({radians(86), 0})) - 1) < 1e-9);
  fail_unless(std::abs(wide.first_weight(direction_of({radians(94), 0}))) < 1e-9);
  const Planner hard = *Planner::make(pair, full, full, {.blend_width = 0});
  fail_unless(hard.first_weight(direction_of({radians(89.99), 0})) > 1);
  fail_unless(hard.first_weight(direction_of({radians(90.01), 0})) < 0);
}
GST_END_TEST;

GST_START_TEST(narrow_lens_moves_the_seam) {
  LensPair pair = *load_profile("dual-190");
  pair.back.model = *RadialModel::make(ModelKind::equidistant, radians(174), 960);
  pair.front.model = *RadialModel::make(ModelKind::equidistant, radians(200), 960);
  const Planner planner = *Planner::make(pair, full, full);
  // The back lens ends 87 degrees off its axis, which is 93 degrees off the axis of the front lens.
  // Nothing beyond that is used, and its last degree is not used either.
  fail_unless(planner.first_weight(direction_of({radians(93.9), 0})) >= 0.99);
  fail_unless(planner.first_weight(direction_of({radians(98.1), 0})) <= 0.01);
}
GST_END_TEST;

GST_START_TEST(rebuilding_gives_the_same_without_allocating) {
  const Planner planner = *Planner::make(*load_profile("dual-190"), full, full);
  WarpGrid a, b;
  planner.build(rotation({12, 3, 4}), a);
  planner.build(rotation({-50, 0, 80}), b);
  const float* const kept = b.layer[0].x.data();
  planner.build(rotation({12, 3, 4}), b);
  fail_unless(b.layer[0].x.data() == kept);
  fail_unless(a.layer[0].x == b.layer[0].x && a.layer[1].y == b.layer[1].y &&
              a.first_weight == b.first_weight && a.cells == b.cells);
}
GST_END_TEST;

GST_START_TEST(pictures_that_do_not_fit_are_refused) {
  const LensPair pair = *load_profile("gear360");
  fail_unless(bool(Planner::fits(pair, {3840, 1920})));
  fail_unless(bool(Planner::fits(pair, {2560, 1280})));
  fail_unless(bool(Planner::fits(pair, {1920, 1920}, 2.0)));
  const Status wrong = Planner::fits(pair, {1920, 1080});
  fail_if(bool(wrong));
  for (const char* word : {"1920x1080", "gear360", "1920x960"})
    fail_unless(wrong.error().message.find(word) != std::string::npos, "%s",
                wrong.error().message.c_str());
  fail_if(bool(Planner::fits(pair, {16, 8})));
  fail_if(bool(Planner::make(pair, full, {0, 0})));
}
GST_END_TEST;

GST_START_TEST(warp_follows_the_plan) {
  draw_with(__i__);
  const LensPair ideal = *load_profile("dual-190");
  const LensPair imperfect = pair_of(ModelKind::kannala_brandt, 195, {0.05, -0.01, 0.002, -0.0003});
  LensPair uneven = imperfect;
  uneven.front.gain = 1.2;
  uneven.back.vignette = {-0.2, -0.1, 0};
  const Size in = {1280, 640}, out = {1280, 640};
  const std::vector<Warp> warps = {
      {"level", ideal, in, out, {}},
      {"padded rows", ideal, in, out, {40, 30, 20}, 4, 1, 1, 0.5, 13},
      {"hard seam", imperfect, in, out, {40, 30, 20}, 0},
      {"wide band", imperfect, in, out, {-120, 80, 5}, 9},
      {"half-size plane", ideal, in, out, {10, 0, 0}, 4, 1, 2, 1.0},
      {"two components", ideal, in, out, {10, 0, 0}, 4, 2, 2, 1.0},
      {"co-sited, padded", imperfect, in, out, {10, 20, 0}, 4, 2, 2, 0.5, 5},
      {"RGBA", imperfect, in, out, {10, 20, 0}, 4, 4},
      {"RGBA, hard seam", ideal, in, out, {0, -50, 70}, 0, 4},
      {"gain", uneven, in, out, {10, 20, 0}, 4, 1},
      {"gain, two components", uneven, in, out, {10, 20, 0}, 4, 2, 2, 1.0},
      {"gain, RGBA", uneven, in, out, {10, 20, 0}, 4, 4},
      {"enlarged", ideal, in, {2560, 1280}, {5, 6, 7}},
      {"size off the grid",
       ideal,
       {1920, 960},
       {1022, 510},
       {5, 6, 7}},  // neither a multiple of a cell
      {"odd size", ideal, in, {333, 167}, {5, 6, 7}, 4, 1, 2, 1.0},
      {"odd source", ideal, {641, 321}, {640, 320}, {5, 6, 7}},
      {"small", ideal, {64, 32}, {64, 32}, {}},
      {"tiny", ideal, {16, 16}, {16, 8}, {}, 4, 2, 2, 1.0},
      {"other shape of frame",
       *load_profile("theta-s"),
       {1280, load_profile("theta-s")->frame.height * 1280 / load_profile("theta-s")->frame.width},
       out,
       {0, 10, 0}},
  };
  // Of the sets that are seldom used, only every other one is tried, to save time.
  for (size_t i = 0; i<warps.size(); i += __i__> 0 ? 2 : 1) {
    const double error = warp_error(warps[i]);
    fail_unless(error < 0.75, "%s: off by %g on average", warps[i].name, error);
  }
}
GST_END_TEST;

GST_START_TEST(rows_may_be_drawn_in_any_order) {
  const Planner planner = *Planner::make(*load_profile("dual-190"), {640, 320}, {640, 320});
  WarpGrid grid;
  planner.build(rotation({3, 4, 5}), grid);
  const std::vector<uint8_t> source = noise(640 * 320, 1);
  std::vector<uint8_t> whole(640 * 320), parts(640 * 320);
  WarpPlane p;
  p.source = source.data();
  p.source_stride = p.target_stride = 640;
  p.source_size = p.target_size = {640, 320};
  p.target = whole.data();
  warp_rows(grid, p, 0, 320);
  p.target = parts.data();
  for (int row = 319; row >= 0; --row) warp_rows(grid, p, row, row + 1);
  fail_unless(whole == parts);
}
GST_END_TEST;

// The pixels fill few pages, but their addresses span more than 31 bits.
GST_START_TEST(planes_of_more_than_two_gib) {
  draw_with(__i__);
  const Size size = {640, 320};
  constexpr size_t far_stride = size_t{8} << 20;
  const size_t extent = far_stride * size.height;
  void* const memory = mmap(nullptr, extent, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    g_print("skip: there is no address space for it here\n");
    return;
  }
  for (const int components : {1, 2, 4})
    for (const bool cubic : {false, true}) {
      const std::vector<uint8_t> source = waves(size.width, size.height, components);
      const size_t row = static_cast<size_t>(size.width) * components;
      for (int y = 0; y < size.height; ++y)
        std::memcpy(static_cast<uint8_t*>(memory) + far_stride * y, &source[row * y], row);
      const Planner planner = *Planner::make(*load_profile("dual-190"), size, size);
      WarpGrid grid;
      planner.build(rotation({20, 30, 40}), grid);
      const auto drawn = [&](const void* from, size_t stride) {
        std::vector<uint8_t> target(source.size());
        WarpPlane p;
        p.components = components;
        p.source = static_cast<const uint8_t*>(from);
        p.source_stride = static_cast<ptrdiff_t>(stride);
        p.source_size = p.target_size = size;
        p.target = target.data();
        p.target_stride = static_cast<ptrdiff_t>(row);
        p.cubic = cubic;
        warp_rows(grid, p, 0, size.height);
        return target;
      };
      const std::vector<uint8_t> near = drawn(source.data(), row), far = drawn(memory, far_stride);
      for (size_t i = 0; i < near.size(); ++i)
        if (std::abs(near[i] - far[i]) > 2)
          fail_unless(false, "components %d, cubic %d: %d in place of %d", components, cubic,
                      far[i], near[i]);
    }
  munmap(memory, extent);
}
GST_END_TEST;

GST_START_TEST(nothing_outside_the_source_is_read) {
  draw_with(__i__);
  // A field of view that puts the rim outside the frame, and a plan with invalid coordinates. The
  // sanitizers and valgrind check the reads; without them only a crash would be noticed.
  const Size size = {320, 160};
  for (double fov : {60.0, 190.0, 358.0}) {
    const Planner planner =
        *Planner::make(*load_profile("dual-190"), size, size, {.lens_fov = radians(fov)});
    WarpGrid grid;
    planner.build(rotation({20, 30, 40}), grid);
    for (int round = 0; round < 2; ++round) {
      for (int components : {1, 2, 4}) {
        const int step = components == 2 ? 2 : 1;
        const int width = size.width / step, height = size.height / step;
        const std::vector<uint8_t> source =
            noise(static_cast<size_t>(width) * height * components, 7);
        std::vector<uint8_t> target(source.size());
        WarpPlane p;
        p.components = components;
        p.step_x = p.step_y = step;
        p.phase_x = p.phase_y = step / 2.0;
        p.source = source.data();
        p.target = target.data();
        p.source_stride = p.target_stride = width * components;
        p.source_size = p.target_size = {width, height};
        warp_rows(grid, p, 0, height);
        fail_unless(std::count(target.begin(), target.end(), target[0]) <
                    static_cast<long>(target.size()));
      }
      // Second round: invalid coordinates.
      for (uint8_t& flags : grid.cells)
        flags &= static_cast<uint8_t>(~(cell_first_inside | cell_second_inside));
      for (size_t i = 0; i < grid.node_count(); ++i) {
        grid.layer[0].x[i] = i % 3 ? -1e30f : NAN;
        grid.layer[0].y[i] = i % 2 ? 1e30f : INFINITY;
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST(cubic_samples_match_the_formula) {
  draw_with(__i__);
  // Not at the rims, where sampling is limited to the edge.
  const LensPair pair = *load_profile("dual-190");
  const Size size = {640, 320};
  const Planner planner = *Planner::make(pair, size, size);
  WarpGrid grid;
  planner.build(rotation({10, 20, 5}), grid);
  for (int components : {1, 2, 4}) {
    const std::vector<uint8_t> source = noise(static_cast<size_t>(640) * 320 * components, 7);
    std::vector<uint8_t> target(source.size());
    WarpPlane p;
    p.components = components;
    p.source = source.data();
    p.source_stride = p.target_stride = 640 * components;
    p.source_size = p.target_size = size;
    p.target = target.data();
    p.cubic = true;
    warp_rows(grid, p, 0, 320);
    const auto weights = [](double t) {
      return std::array<double, 4>{-0.5 * t * (1 - t) * (1 - t), 1 + t * t * (1.5 * t - 2.5),
                                   t * (0.5 + t * (2 - 1.5 * t)), -0.5 * t * t * (1 - t)};
    };
    double worst = 0, sum = 0;
    long count = 0;
    for (int y = 1; y < 320; y += 3 * thin)
      for (int x = 0; x < 640; ++x) {
        const uint8_t flags = grid.flags(x / grid.cell, y / grid.cell);
        const int lens = (flags & (cell_first | cell_second)) == cell_first    ? 0
                         : (flags & (cell_first | cell_second)) == cell_second ? 1
                                                                               : -1;
        if (lens < 0 || !(flags & (lens ? cell_second_inside : cell_first_inside))) continue;
        const double sx =
            std::nearbyint((at(grid, grid.layer[lens].x, x + 0.5, y + 0.5) - 0.5) * 128) / 128;
        const double sy =
            std::nearbyint((at(grid, grid.layer[lens].y, x + 0.5, y + 0.5) - 0.5) * 128) / 128;
        const int x0 = static_cast<int>(std::floor(sx)), y0 = static_cast<int>(std::floor(sy));
        const auto wx = weights(sx - x0), wy = weights(sy - y0);
        for (int k = 0; k < components; ++k) {
          double light = 0;
          for (int r = 0; r < 4; ++r)
            for (int c = 0; c < 4; ++c)
              light += wx[c] * wy[r] * source[((y0 + r - 1) * 640 + x0 + c - 1) * components + k];
          const double off =
              std::abs(std::clamp(light, 0.0, 255.0) - target[(y * 640 + x) * components + k]);
          worst = std::max(worst, off);
          sum += off;
          ++count;
        }
      }
    fail_unless(count > 40000 / thin);
    // Noise is the worst case, because weights of six bits are off by up to 1/128.
    fail_unless(worst < 7 && sum / count < 1, "%d components: %g at most, %g on average",
                components, worst, sum / count);
  }
}
GST_END_TEST;

GST_START_TEST(ten_bits_match_eight) {
  draw_with(__i__);
  LensPair pair = pair_of(ModelKind::kannala_brandt, 195, {0.05, -0.01, 0.002, -0.0003});
  const Size size = {640, 320};
  for (bool gain : {false, true}) {
    if (gain) pair.front.gain = 1.2;
    const Planner planner = *Planner::make(pair, size, size);
    WarpGrid grid;
    planner.build(rotation({10, 20, 5}), grid);
    for (int components : {1, 2})
      for (bool cubic : {false, true}) {
        const std::vector<uint8_t> source = waves(640, 320, components);
        const auto drawn = [&](int bits, int shift) {
          const int bytes = bits > 8 ? 2 : 1;
          std::vector<uint8_t> from(source.size() * bytes), to(from.size());
          for (size_t i = 0; i < source.size(); ++i) {
            const unsigned value = bits > 8 ? source[i] << 2 << shift : source[i];
            from[bytes * i] = static_cast<uint8_t>(value);
            if (bits > 8) from[bytes * i + 1] = static_cast<uint8_t>(value >> 8);
          }
          WarpPlane p;
          p.components = components;
          p.first_component = components - 1;
          p.bits = bits;
          p.shift = shift;
          p.neutral = 16;
          p.source = from.data();
          p.source_stride = p.target_stride = 640 * components * bytes;
          p.source_size = p.target_size = size;
          p.target = to.data();
          p.cubic = cubic;
          warp_rows(grid, p, 0, 320);
          std::vector<int> values(source.size());
          for (size_t i = 0; i < values.size(); ++i)
            values[i] = bits > 8 ? to[2 * i] | to[2 * i + 1] << 8 : to[i];
          return values;
        };
        const std::vector<int> eight = drawn(8, 0), low = drawn(10, 0), high = drawn(10, 6);
        int finer = 0;
        for (size_t i = 0; i < eight.size(); ++i) {
          if (high[i] != low[i] << 6) fail_unless(false, "%d, not %d", high[i], low[i] << 6);
          // A cubic weight of eight bits is off by a hundredth.
          if (std::abs(low[i] / 4.0 - eight[i]) > (cubic ? 2.5 : 1))
            fail_unless(false, "%d of 1023, %d of 255, gain %d, cubic %d, components %d", low[i],
                        eight[i], gain, cubic, components);
          finer += low[i] % 4 != 0;
        }
        fail_unless(finer > static_cast<int>(eight.size()) / 2, "%d", finer);
      }
  }
}
GST_END_TEST;

namespace {

/// What lenses that need this gain make of each even picture, from the darkest to the brightest
/// one: the smallest and the largest value of the output, of 8 or 10 bits.
struct Range {
  int least, most;
};
std::vector<Range> brightened(double gain, int components, int bits, uint8_t neutral,
                              uint8_t white) {
  constexpr Size source = {64, 32}, output = {128, 64};
  LensPair pair = load_profile("dual-190")->scaled_to(source);
  pair.front.gain = pair.back.gain = 1 / gain;
  const Planner planner = *Planner::make(pair, source, output);
  WarpGrid grid;
  planner.build(Mat3(), grid);
  WarpPlane p;
  p.components = components;
  p.bits = bits;
  p.neutral = neutral;
  p.white = white;
  p.source_size = source;
  p.target_size = output;
  const int bytes = components * (bits > 8 ? 2 : 1);
  p.source_stride = source.width * bytes;
  p.target_stride = output.width * bytes;
  std::vector<Range> values;
  const int step = bits > 8 ? 11 : 3;
  const size_t apart = bits > 8 ? 2 : 1;
  for (int value = 0; value < (1 << bits); value += step) {
    std::vector<uint8_t> from(static_cast<size_t>(p.source_stride) * source.height,
                              static_cast<uint8_t>(value)),
        to(static_cast<size_t>(p.target_stride) * output.height);
    if (bits > 8)
      for (size_t i = 1; i < from.size(); i += 2) from[i] = static_cast<uint8_t>(value >> 8);
    p.source = from.data();
    p.target = to.data();
    warp_rows(grid, p, 0, output.height);
    Range range{1 << bits, 0};
    for (size_t i = 0; i < to.size(); i += apart) {
      if (components == 4 && i % 4 == 3) {
        if (to[i] != value) fail_unless(false, "alpha is %d, not %d", to[i], value);
        continue;
      }
      const int out = bits > 8 ? to[i] | to[i + 1] << 8 : to[i];
      range = {std::min(range.least, out), std::max(range.most, out)};
    }
    values.push_back(range);
  }
  return values;
}

}  // namespace

GST_START_TEST(a_gain_makes_nothing_white_that_was_not) {
  draw_with(__i__);
  const struct {
    int components, bits;
    uint8_t neutral, white;
  } planes[] = {{1, 8, 16, 235}, {1, 8, 0, 255}, {4, 8, 0, 255}, {1, 10, 16, 235}};
  for (const auto& plane : planes)
    for (const double gain : {0.6, 1.0, 1.1, 1.5, 1.9, 2.5, 8.0}) {
      const std::vector<Range> out =
          brightened(gain, plane.components, plane.bits, plane.neutral, plane.white);
      const int step = plane.bits > 8 ? 4 : 1, every = plane.bits > 8 ? 11 : 3;
      const int black = plane.neutral * step, white = plane.white * step;
      for (int n = 0; n < static_cast<int>(out.size()); ++n) {
        const int in = n * every;
        const Range& now = out[static_cast<size_t>(n)];
        const auto say = [&] {
          fail_unless(false, "%d components, %d bits, gain %g: %d becomes %d to %d",
                      plane.components, plane.bits, gain, in, now.least, now.most);
        };
        // The kernels and the scalar code at the rims say the same, within rounding.
        if (now.most - now.least > step) say();
        if (n > 0 && now.most < out[static_cast<size_t>(n) - 1].least) say();
        if (gain == 1 && (now.least != in || now.most != in)) say();
        if (gain <= 1 || in < black) continue;
        if (in <= white && (now.most > white || now.most + step / 2 < in)) say();
        // Dark areas get the whole gain.
        const double whole = black + gain * (in - black);
        if (whole < black + (white - black) * (2 - gain) && std::abs(whole - now.most) > step)
          say();
      }
      const int bright = black + (white - black) * 9 / 10;
      if (gain > 1.1 && gain < 2)
        fail_unless(out[static_cast<size_t>(bright / every)].most < white, "gain %g", gain);
    }
}
GST_END_TEST;

static Suite* plan_suite() {
  Suite* suite = suite_create("plan");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  const int sets = static_cast<int>(instruction_sets().size());
  tcase_add_test(tcase, plan_is_within_a_tenth_of_a_pixel_of_the_closed_form);
  tcase_add_test(tcase, ideal_lens_keeps_the_coarse_grid);
  tcase_add_test(tcase, both_lenses_are_used_only_near_the_seam);
  tcase_add_test(tcase, blend_is_a_linear_ramp_of_the_width_asked_for);
  tcase_add_test(tcase, narrow_lens_moves_the_seam);
  tcase_add_test(tcase, rebuilding_gives_the_same_without_allocating);
  tcase_add_test(tcase, pictures_that_do_not_fit_are_refused);
  tcase_add_loop_test(tcase, warp_follows_the_plan, 0, sets);
  tcase_add_loop_test(tcase, cubic_samples_match_the_formula, 0, sets);
  tcase_add_loop_test(tcase, ten_bits_match_eight, 0, sets);
  tcase_add_loop_test(tcase, a_gain_makes_nothing_white_that_was_not, 0, sets);
  tcase_add_test(tcase, rows_may_be_drawn_in_any_order);
  tcase_add_loop_test(tcase, planes_of_more_than_two_gib, 0, sets);
  tcase_add_loop_test(tcase, nothing_outside_the_source_is_read, 0, sets);
  return suite;
}

GST_CHECK_MAIN(plan)

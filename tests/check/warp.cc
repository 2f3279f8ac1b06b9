// SPDX-License-Identifier: LGPL-2.1-or-later
// A 360 picture as the source: what the CPU and GL draw of it against the closed form, turned, at
// the edge where its left and right meet, and at the poles.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "config.h"
#include "tests/check/pipeline.h"

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "gst/sphere/warp/equirectsource.h"
#include "gst/sphere/warp/gridbuilder.h"
#if HAVE_GL
#include <gst/gl/gl.h>

#include "gst/sphere/gl/headless.h"
#include "gst/sphere/warp/glwarp.h"
#endif

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr Size source_size = {1920, 960};
const std::vector<Angles> views = {{0, 0, 0},    {30, 0, 0}, {180, 0, 0},
                                   {30, 20, 10}, {0, 90, 0}, {-100, -75, 160}};
// Those that are drawn: as it is, with the edge in the middle, a pole in the middle, and all askew.
const std::vector<Angles> drawn_views = {{0, 0, 0}, {180, 0, 0}, {0, 90, 0}, {-100, -75, 160}};

struct Output {
  const char* name;
  Canvas canvas;
};

std::vector<Output> outputs() {
  return {
      {"the same size", Canvas({1920, 960})},
      {"larger", Canvas({2600, 1300})},
      {"perspective", Canvas(Projection::perspective, {960, 540}, radians(100))},
      {"cubemap", Canvas(Projection::cubemap, {1440, 960})},
      {"little planet", Canvas(Projection::little_planet, {1200, 1200})},
      {"coarser", Canvas({960, 480})},
  };
}

/// Brightness that changes evenly over the sphere, also at the edge and the poles of the picture,
/// so that an error in position shows as an error in value.
constexpr double amplitude = 100, frequency = 60;  // waves a radian, times 2 pi
double light(Vec3 d) {
  return 128 + amplitude * std::sin(frequency * (0.6 * d.x + 0.48 * d.y + 0.64 * d.z));
}

/// How much the brightness changes over one pixel of the source at the equator, and the error of
/// linear interpolation.
constexpr double pixel = 2 * pi / source_size.width;
constexpr double light_a_pixel = amplitude * frequency * pixel;
constexpr double bend = amplitude * frequency * frequency * pixel * pixel / 8;

/// A picture of that light, with all three components the same.
std::vector<uint8_t> picture() {
  std::vector<uint8_t> pixels(static_cast<size_t>(source_size.width) * source_size.height);
  for (int y = 0; y < source_size.height; ++y)
    for (int x = 0; x < source_size.width; ++x)
      pixels[static_cast<size_t>(y) * source_size.width + x] = static_cast<uint8_t>(
          std::lround(light(equirect_direction({x + 0.5, y + 0.5}, source_size))));
  return pixels;
}

float between(const WarpGrid& grid, const std::vector<float>& nodes, double x, double y) {
  const int c = static_cast<int>(x / grid.cell), r = static_cast<int>(y / grid.cell);
  const auto tx = static_cast<float>(x / grid.cell - c), ty = static_cast<float>(y / grid.cell - r);
  const size_t n = static_cast<size_t>(r) * grid.nodes_per_row() + c;
  const size_t m = n + grid.nodes_per_row();
  const float upper = nodes[n] + tx * (nodes[n + 1] - nodes[n]);
  return upper + ty * (nodes[m] + tx * (nodes[m + 1] - nodes[m]) - upper);
}

/// Checks each pixel of a drawn patch. Allowed are rounding, and an error in position of a tenth of
/// a pixel.
void expect_light(const char* what, const Output& output, const Mat3& view,
                  const Canvas::Patch& patch, bool reduced, const GstVideoFrame& frame) {
  const auto* data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  // A smaller copy blurs such waves; a seam would give a much larger error.
  constexpr double coarser_bend = 12 * bend;
  // The source, the result and the weights of the kernel are rounded.
  const double most = 1.2 + 2 * bend + 0.1 * light_a_pixel + (reduced ? coarser_bend : 0);
  for (int y = 0; y < patch.size.height; ++y)
    for (int x = 0; x < patch.size.width; ++x) {
      const Vec3 d = view * output.canvas.direction(patch, {x + 0.5, y + 0.5});
      const double is = data[(patch.y + y) * stride + patch.x + x];
      if (std::abs(is - light(d)) > most)
        fail_unless(false, "%s, %s: %d,%d is %g, should be %g", what, output.name, x, y, is,
                    light(d));
    }
}

/// A frame of Y444 whose three components are the picture.
BufferRef frame_of(const GstVideoInfo& info, const std::vector<uint8_t>* pixels) {
  BufferRef buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  if (!pixels) return buffer;
  VideoFrame frame(info, buffer.get(), GST_MAP_WRITE);
  fail_unless(bool(frame));
  for (int plane = 0; plane < 3; ++plane)
    for (int y = 0; y < GST_VIDEO_INFO_HEIGHT(&info); ++y)
      std::copy_n(&(*pixels)[static_cast<size_t>(y) * GST_VIDEO_INFO_WIDTH(&info)],
                  GST_VIDEO_INFO_WIDTH(&info),
                  static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame.get(), plane)) +
                      y * GST_VIDEO_FRAME_PLANE_STRIDE(frame.get(), plane));
  return buffer;
}

GstVideoInfo info_of(Size size) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_Y444, size.width, size.height);
  return info;
}

std::vector<WarpGrid> grids_of(const Canvas& canvas, const Mat3& view, int* reductions) {
  EquirectSource source(source_size);
  GridBuilder builder(canvas);
  builder.choose_cell(source, {});
  std::vector<WarpGrid> grids(builder.patches());
  for (int patch = 0; patch < builder.patches(); ++patch)
    builder.build(source, view, grids[patch], patch);
  *reductions = builder.reductions();
  return grids;
}

/// Looks at what was drawn.
using Check = std::function<void(GstVideoFrame& drawn)>;
using Draw = std::function<void(const std::vector<WarpGrid>& grids, int reductions, bool cubic,
                                const Check& check)>;

/// Draws the output in each view, and checks the brightness of its patches.
void draw_views(const Output& output, const std::string& by, const Draw& draw) {
  for (const Angles& angles : drawn_views)
    for (const bool cubic : {false, true}) {
      // Cubic is slower and draws the same positions, so one view is enough.
      if (cubic && !(angles == drawn_views.back())) continue;
      const Mat3 view = rotation(angles);
      int reductions = 0;
      const std::vector<WarpGrid> grids = grids_of(output.canvas, view, &reductions);
      draw(grids, reductions, cubic, [&](GstVideoFrame& drawn) {
        for (const Canvas::Patch& patch : output.canvas.patches())
          expect_light((cubic ? by + ", cubic" : by).c_str(), output, view, patch, reductions > 0,
                       drawn);
      });
    }
}

}  // namespace

GST_START_TEST(places_are_within_a_tenth_of_a_pixel_of_the_closed_form) {
  for (const Output& output : outputs())
    for (const Angles& angles : views) {
      const Mat3 view = rotation(angles);
      EquirectSource source(source_size);
      GridBuilder builder(output.canvas);
      builder.choose_cell(source, {});
      double worst = 0;
      long exact = 0, all = 0;
      for (int patch = 0; patch < builder.patches(); ++patch) {
        WarpGrid grid;
        builder.build(source, view, grid, patch);
        for (int y = 0; y < grid.output.height; y += 3)
          for (int x = 0; x < grid.output.width; x += 5) {
            ++all;
            const double px = x + 0.5, py = y + 0.5;
            const Vec3 d = view * output.canvas.direction(output.canvas.patches()[patch], {px, py});
            const uint8_t flags = grid.flags(x / grid.cell, y / grid.cell);
            if (flags & cell_exact) {
              // What is interpolated is the direction.
              ++exact;
              const auto axis = [&](int k) {
                return static_cast<double>(between(grid, grid.direction[k], px, py));
              };
              worst = std::max(worst,
                               angle_between({axis(0), axis(1), axis(2)}, d) * source.resolution());
              continue;
            }
            const Point should = equirect_point(d, source_size);
            // In pixels of the equator: towards a pole, columns are narrower.
            const double across = std::remainder(between(grid, grid.layer[0].x, px, py) - should.x,
                                                 source_size.width) *
                                  std::hypot(d.x, d.z);
            worst = std::max(worst,
                             std::hypot(across, between(grid, grid.layer[0].y, px, py) - should.y));
          }
      }
      fail_unless(worst < 0.1, "%s, yaw %g, pitch %g: off by %g px", output.name, angles.yaw,
                  angles.pitch, worst);
      fail_unless(exact < all / 4, "%s, yaw %g, pitch %g: %ld of %ld are drawn one by one",
                  output.name, angles.yaw, angles.pitch, exact, all);
    }
}
GST_END_TEST;

GST_START_TEST(the_cpu_draws_a_turned_sphere_without_a_seam) {
  const std::vector<uint8_t> pixels = picture();
  const GstVideoInfo in_info = info_of(source_size);
  const BufferRef in_buffer = frame_of(in_info, &pixels);
  VideoFrame in(in_info, in_buffer.get(), GST_MAP_READ);
  CpuWarp warp;
  for (const Output& output : outputs())
    draw_views(
        output, "CPU",
        [&](const std::vector<WarpGrid>& grids, int reductions, bool cubic, const Check& check) {
          const GstVideoInfo info = info_of(output.canvas.size());
          const BufferRef buffer = frame_of(info, nullptr);
          VideoFrame out(info, buffer.get(), GST_MAP_READWRITE);
          warp.reduce(*in, reductions);
          warp.draw(grids, *in, *out, cubic);
          check(*out);
        });
}
GST_END_TEST;

#if HAVE_GL
namespace {

GstRef<GstBufferPool> textures(GstGLContext* context, const GstVideoInfo& info) {
  GstRef<GstBufferPool> pool(gst_gl_buffer_pool_new(context));
  const CapsRef caps(gst_video_info_to_caps(&info));
  gst_caps_set_features(caps.get(), 0,
                        gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_GL_MEMORY, nullptr));
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps.get(),
                                    static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 1, 1);
  fail_unless(gst_buffer_pool_set_config(pool.get(), config));
  fail_unless(gst_buffer_pool_set_active(pool.get(), TRUE));
  return pool;
}

BufferRef texture_of(const GstRef<GstBufferPool>& pool) {
  GstBuffer* buffer = nullptr;
  fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), GST_FLOW_OK);
  return BufferRef(buffer);
}

void draw_with_gl(GstGLContext* context, gpointer data) {
  const GstVideoInfo in_info = info_of(source_size);
  const GstRef<GstBufferPool> in_pool = textures(context, in_info);
  const BufferRef in_buffer = texture_of(in_pool);
  {
    const BufferRef memory = frame_of(in_info, static_cast<const std::vector<uint8_t>*>(data));
    VideoFrame from(in_info, memory.get(), GST_MAP_READ);
    VideoFrame to(in_info, in_buffer.get(), GST_MAP_WRITE);
    fail_unless(gst_video_frame_copy(to.get(), from.get()));
  }
  Result<std::unique_ptr<GlWarp>> warp = GlWarp::make(context);
  fail_unless(bool(warp));
  unsigned generation = 0;
  for (const Output& output : outputs()) {
    const GstVideoInfo info = info_of(output.canvas.size());
    const GstRef<GstBufferPool> pool = textures(context, info);
    const BufferRef buffer = texture_of(pool);
    fail_unless(bool((*warp)->set_formats(in_info, info)));
    draw_views(output, "GL",
               [&](const std::vector<WarpGrid>& grids, int, bool cubic, const Check& check) {
                 {
                   VideoFrame in(in_info, in_buffer.get(), GST_MAP_READ | GST_MAP_GL);
                   VideoFrame out(info, buffer.get(), GST_MAP_WRITE | GST_MAP_GL);
                   const Status drawn = (*warp)->draw(grids, ++generation, *in, *out, cubic);
                   fail_unless(bool(drawn), "%s", drawn ? "" : drawn.error().message.c_str());
                 }
                 VideoFrame out(info, buffer.get(), GST_MAP_READ);
                 check(*out);
               });
  }
}

}  // namespace

GST_START_TEST(gl_draws_a_turned_sphere_without_a_seam) {
  const GstRef<GstGLDisplay> display = headless_display();
  if (!probe_gl().usable || !display) {
    g_print("skip: there is no GL here: %s\n", probe_gl().reason.c_str());
    return;
  }
  const GstRef<GstGLContext> context(gst_gl_context_new(display.get()));
  g_autoptr(GError) error = nullptr;
  fail_unless(gst_gl_context_create(context.get(), nullptr, &error), "%s",
              error ? error->message : "");
  std::vector<uint8_t> pixels = picture();
  gst_gl_context_thread_add(context.get(), draw_with_gl, &pixels);
}
GST_END_TEST;
#endif

static Suite* warp_suite() {
  Suite* suite = suite_create("warp");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, places_are_within_a_tenth_of_a_pixel_of_the_closed_form);
  tcase_add_test(tcase, the_cpu_draws_a_turned_sphere_without_a_seam);
#if HAVE_GL
  tcase_add_test(tcase, gl_draws_a_turned_sphere_without_a_seam);
#endif
  return suite;
}

GST_CHECK_MAIN(warp)

// SPDX-License-Identifier: LGPL-2.1-or-later
// A 360 picture as the source, equirectangular or the faces of a cube: what the CPU and GL draw of
// it against the closed form, turned, at the edge where its left and right meet, at the poles, and
// at the edges and corners of faces.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config.h"
#include "tests/check/pipeline.h"

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/cpuwarp.h"
#include "gst/sphere/warp/cubesource.h"
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

/// How the source is stored, and the fewest and the most pixels that it has per radian.
struct Input {
  Projection projection;
  Size size;
  double coarsest, finest;

  std::string name() const { return std::string(projection_names[static_cast<int>(projection)]); }
  std::unique_ptr<WarpSource> source() const {
    if (projection == Projection::equirect) return std::make_unique<EquirectSource>(size);
    return std::make_unique<CubeSource>(size, projection == Projection::eac);
  }
};
const std::vector<Input> inputs = {
    {Projection::equirect, {1920, 960}, 1920 / (2 * pi), 1920 / (2 * pi)},
    {Projection::cubemap, {1440, 960}, 240, 480},
    {Projection::eac, {1444, 968}, 480 * 2 / pi, 480},
};
// Those that are drawn are half as wide: an error counts in pixels, and so do the waves of light.
const std::vector<Input> drawn_inputs = {
    {Projection::equirect, {960, 480}, 960 / (2 * pi), 960 / (2 * pi)},
    {Projection::cubemap, {720, 480}, 120, 240},
    {Projection::eac, {724, 488}, 240 * 2 / pi, 240},
};

/// Where a direction is in the source, written out for each face.
Point closed_form(const Input& input, Vec3 d) {
  if (input.projection == Projection::equirect) return equirect_point(d, input.size);
  const double x = std::abs(d.x), y = std::abs(d.y), z = std::abs(d.z);
  const bool eac = input.projection == Projection::eac;
  int column = 0, row = 0;
  double u = 0, v = 0;
  const auto put = [&](int to_column, int to_row, double to_u, double to_v) {
    column = to_column;
    row = to_row;
    u = to_u;
    v = to_v;
  };
  if (z >= x && z >= y && d.z > 0)
    eac ? put(1, 0, d.x / z, d.y / z) : put(1, 1, d.x / z, d.y / z);
  else if (z >= x && z >= y)
    eac ? put(1, 1, -d.y / z, -d.x / z) : put(2, 1, -d.x / z, d.y / z);
  else if (x >= y && d.x > 0)
    eac ? put(2, 0, -d.z / x, d.y / x) : put(0, 0, -d.z / x, d.y / x);
  else if (x >= y)
    eac ? put(0, 0, d.z / x, d.y / x) : put(1, 0, d.z / x, d.y / x);
  else if (d.y > 0)
    eac ? put(0, 1, -d.z / y, -d.x / y) : put(0, 1, d.x / y, -d.z / y);
  else
    eac ? put(2, 1, d.z / y, -d.x / y) : put(2, 0, d.x / y, d.z / y);
  const double half = input.size.height / 2.0;
  if (!eac) return {(column + (u + 1) / 2) * input.size.width / 3, (row + (v + 1) / 2) * half};
  const auto even = [](double w) { return (std::atan(w) * 4 / pi + 1) / 2; };
  return {2 + (column + even(u)) * (input.size.width - 4) / 3,
          row * half + 2 + even(v) * (half - 4)};
}

const std::vector<Angles> views = {{0, 0, 0},    {30, 0, 0}, {180, 0, 0},
                                   {30, 20, 10}, {0, 90, 0}, {-100, -75, 160}};
// Those that are drawn: as it is, with the edge in the middle, a pole in the middle, and all askew.
const std::vector<Angles> drawn_views = {{0, 0, 0}, {180, 0, 0}, {0, 90, 0}, {-100, -75, 160}};

struct Output {
  const char* name;
  Canvas canvas;
  std::vector<std::vector<float>> light;  // of the pixels in each drawn view
};

std::vector<Output> outputs() {
  return {
      {"the same size", Canvas({1920, 960}), {}},
      {"larger", Canvas({2600, 1300}), {}},
      {"perspective", Canvas(Projection::perspective, {960, 540}, radians(100)), {}},
      {"cubemap", Canvas(Projection::cubemap, {1440, 960}), {}},
      {"little planet", Canvas(Projection::little_planet, {1200, 1200}), {}},
      {"coarser", Canvas({960, 480}), {}},
  };
}

/// Brightness that changes evenly over the sphere, also at the edge and the poles of the picture,
/// so that an error in position shows as an error in value.
constexpr double amplitude = 100, frequency = 30;  // waves a radian, times 2 pi
double light(Vec3 d) {
  return 128 + amplitude * std::sin(frequency * (0.6 * d.x + 0.48 * d.y + 0.64 * d.z));
}

/// That light at each pixel of a canvas.
std::vector<float> light_of(const Canvas& canvas, const Mat3& view) {
  const Size size = canvas.size();
  std::vector<float> pixels(static_cast<size_t>(size.width) * size.height);
  for (const Canvas::Patch& patch : canvas.patches())
    for (int y = 0; y < patch.size.height; ++y)
      for (int x = 0; x < patch.size.width; ++x)
        pixels[static_cast<size_t>(patch.y + y) * size.width + patch.x + x] =
            static_cast<float>(light(view * canvas.direction(patch, {x + 0.5, y + 0.5})));
  return pixels;
}

/// The outputs that are drawn, half as wide as the sources of `drawn_inputs` ask for.
std::vector<Output> drawn_outputs() {
  std::vector<Output> outputs = {
      {"the same size", Canvas({960, 480}), {}},
      {"larger", Canvas({1300, 650}), {}},
      {"perspective", Canvas(Projection::perspective, {480, 270}, radians(100)), {}},
      {"cubemap", Canvas(Projection::cubemap, {720, 480}), {}},
      {"little planet", Canvas(Projection::little_planet, {600, 600}), {}},
      {"coarser", Canvas({480, 240}), {}},
  };
  for (Output& output : outputs)
    for (const Angles& angles : drawn_views)
      output.light.push_back(light_of(output.canvas, rotation(angles)));
  return outputs;
}

/// How much the brightness changes over one pixel of the source where these are largest, and the
/// error of linear interpolation.
double light_a_pixel(const Input& input) { return amplitude * frequency / input.coarsest; }
double bend(const Input& input) {
  return amplitude * frequency * frequency / (input.coarsest * input.coarsest) / 8;
}

/// A picture of that light, with all three components the same.
std::vector<uint8_t> picture(const Input& input) {
  std::vector<uint8_t> pixels;
  for (const float light : light_of(Canvas(input.projection, input.size), Mat3()))
    pixels.push_back(static_cast<uint8_t>(std::lround(light)));
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

/// Checks each pixel of a drawn view. Allowed are rounding, and an error in position of a tenth of
/// a pixel.
void expect_light(const std::string& what, const Input& input, const Output& output, size_t view,
                  bool reduced, const GstVideoFrame& frame) {
  const auto* data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  // A smaller copy blurs such waves; a seam would give a much larger error.
  const double coarser_bend = 12 * bend(input);
  // The source, the result and the weights of the kernel are rounded.
  const double most =
      1.2 + 2 * bend(input) + 0.1 * light_a_pixel(input) + (reduced ? coarser_bend : 0);
  const Size size = output.canvas.size();
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double is = data[y * stride + x];
      const double wanted = output.light[view][static_cast<size_t>(y) * size.width + x];
      if (std::abs(is - wanted) > most)
        fail_unless(false, "%s, %s: %d,%d is %g, should be %g, give or take %g", what.c_str(),
                    output.name, x, y, is, wanted, most);
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

std::vector<WarpGrid> grids_of(const Input& input, const Canvas& canvas, const Mat3& view,
                               bool triangles, int* reductions) {
  const std::unique_ptr<WarpSource> source = input.source();
  GridBuilder builder(canvas, triangles);
  builder.choose_cell(*source, {});
  std::vector<WarpGrid> grids(builder.patches());
  for (int patch = 0; patch < builder.patches(); ++patch)
    builder.build(*source, view, grids[patch], patch);
  *reductions = builder.reductions();
  return grids;
}

/// Looks at what was drawn.
using Check = std::function<void(GstVideoFrame& drawn)>;
using Draw = std::function<void(const std::vector<WarpGrid>& grids, int reductions, bool cubic,
                                const Check& check)>;

/// Draws the output in each view, and checks its brightness.
void draw_views(const Input& input, const Output& output, const std::string& by, const Draw& draw) {
  for (size_t i = 0; i < drawn_views.size(); ++i)
    for (const bool cubic : {false, true}) {
      // Cubic is slower and draws the same positions, so one view is enough.
      if (cubic && i + 1 < drawn_views.size()) continue;
      int reductions = 0;
      const std::vector<WarpGrid> grids =
          grids_of(input, output.canvas, rotation(drawn_views[i]), by == "GL", &reductions);
      draw(grids, reductions, cubic, [&](GstVideoFrame& drawn) {
        expect_light(by + (cubic ? ", cubic, " : ", ") + input.name(), input, output, i,
                     reductions > 0, drawn);
      });
    }
}

}  // namespace

GST_START_TEST(places_are_within_a_tenth_of_a_pixel_of_the_closed_form) {
  for (const Input& input : inputs)
    for (const Output& output : outputs())
      for (const Angles& angles : views) {
        const Mat3 view = rotation(angles);
        const std::unique_ptr<WarpSource> source = input.source();
        GridBuilder builder(output.canvas);
        builder.choose_cell(*source, {});
        double worst = 0;
        long exact = 0, all = 0;
        for (int patch = 0; patch < builder.patches(); ++patch) {
          WarpGrid grid;
          builder.build(*source, view, grid, patch);
          for (int y = 0; y < grid.output.height; y += 3)
            for (int x = 0; x < grid.output.width; x += 5) {
              ++all;
              const double px = x + 0.5, py = y + 0.5;
              const Vec3 d =
                  view * output.canvas.direction(output.canvas.patches()[patch], {px, py});
              const uint8_t flags = grid.flags(x / grid.cell, y / grid.cell);
              if (flags & cell_exact) {
                // What is interpolated is the direction.
                ++exact;
                const auto axis = [&](int k) {
                  return static_cast<double>(between(grid, grid.direction[k], px, py));
                };
                worst =
                    std::max(worst, angle_between({axis(0), axis(1), axis(2)}, d) * input.finest);
                continue;
              }
              const Point should = closed_form(input, d);
              double across = between(grid, grid.layer[0].x, px, py) - should.x;
              // In pixels of the equator: towards a pole, columns are narrower.
              if (grid.edges_meet())
                across = std::remainder(across, input.size.width) * std::hypot(d.x, d.z);
              worst = std::max(
                  worst, std::hypot(across, between(grid, grid.layer[0].y, px, py) - should.y));
            }
        }
        fail_unless(worst < 0.1, "%s to %s, yaw %g, pitch %g: off by %g px", input.name().c_str(),
                    output.name, angles.yaw, angles.pitch, worst);
        // Near the edges of faces, at a pole, and where the output is much coarser.
        fail_unless(exact < all * 2 / 3, "%s to %s, yaw %g, pitch %g: %ld of %ld are calculated",
                    input.name().c_str(), output.name, angles.yaw, angles.pitch, exact, all);
      }
}
GST_END_TEST;

GST_START_TEST(directions_and_points_of_faces_belong_together) {
  for (const Input& input : inputs) {
    if (input.projection == Projection::equirect) continue;
    const CubeLayout cube(input.size, input.projection == Projection::eac);
    for (double lat = -89; lat < 90; lat += 7)
      // None of them is on an edge, which belongs to both faces.
      for (double lon = -179.3; lon < 180; lon += 7) {
        const Vec3 d = direction_of({radians(lon), radians(lat)});
        const int face = cube.face_of(d);
        const Point at = cube.point(face, d), should = closed_form(input, d);
        fail_unless(std::hypot(at.x - should.x, at.y - should.y) < 1e-3, "%s: %g,%g is at %g,%g",
                    input.name().c_str(), lon, lat, at.x, at.y);
        fail_unless(angle_between(cube.direction(face, at), d) < 1e-6);
      }
  }
}
GST_END_TEST;

GST_START_TEST(the_cpu_draws_a_turned_sphere_without_a_seam) {
  const std::vector<Output> outputs = drawn_outputs();
  for (const Input& input : drawn_inputs) {
    const std::vector<uint8_t> pixels = picture(input);
    const GstVideoInfo in_info = info_of(input.size);
    const BufferRef in_buffer = frame_of(in_info, &pixels);
    VideoFrame in(in_info, in_buffer.get(), GST_MAP_READ);
    CpuWarp warp;
    for (const Output& output : outputs)
      draw_views(
          input, output, "CPU",
          [&](const std::vector<WarpGrid>& grids, int reductions, bool cubic, const Check& check) {
            const GstVideoInfo info = info_of(output.canvas.size());
            const BufferRef buffer = frame_of(info, nullptr);
            VideoFrame out(info, buffer.get(), GST_MAP_READWRITE);
            warp.reduce(*in, reductions);
            warp.draw(grids, *in, *out, cubic);
            check(*out);
          });
  }
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

void draw_with_gl(GstGLContext* context, const Input& input, const std::vector<Output>& outputs) {
  const std::vector<uint8_t> pixels = picture(input);
  const GstVideoInfo in_info = info_of(input.size);
  const GstRef<GstBufferPool> in_pool = textures(context, in_info);
  const BufferRef in_buffer = texture_of(in_pool);
  {
    const BufferRef memory = frame_of(in_info, &pixels);
    VideoFrame from(in_info, memory.get(), GST_MAP_READ);
    VideoFrame to(in_info, in_buffer.get(), GST_MAP_WRITE);
    fail_unless(gst_video_frame_copy(to.get(), from.get()));
  }
  Result<std::unique_ptr<GlWarp>> warp = GlWarp::make(context);
  fail_unless(bool(warp));
  unsigned generation = 0;
  for (const Output& output : outputs) {
    const GstVideoInfo info = info_of(output.canvas.size());
    const GstRef<GstBufferPool> pool = textures(context, info);
    const BufferRef buffer = texture_of(pool);
    fail_unless(bool((*warp)->set_formats(in_info, info)));
    draw_views(input, output, "GL",
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

void draw_all_with_gl(GstGLContext* context, gpointer) {
  const std::vector<Output> outputs = drawn_outputs();
  for (const Input& input : drawn_inputs) draw_with_gl(context, input, outputs);
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
  gst_gl_context_thread_add(context.get(), draw_all_with_gl, nullptr);
}
GST_END_TEST;
#endif

static Suite* warp_suite() {
  Suite* suite = suite_create("warp");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, places_are_within_a_tenth_of_a_pixel_of_the_closed_form);
  tcase_add_test(tcase, directions_and_points_of_faces_belong_together);
  tcase_add_test(tcase, the_cpu_draws_a_turned_sphere_without_a_seam);
#if HAVE_GL
  tcase_add_test(tcase, gl_draws_a_turned_sphere_without_a_seam);
#endif
  return suite;
}

GST_CHECK_MAIN(warp)

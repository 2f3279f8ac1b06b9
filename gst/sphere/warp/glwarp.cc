// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/glwarp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/facesamples.h"

namespace sphere {

namespace {

// The locations of the attributes, in the order of the names below.
enum Attribute : GLuint {
  at_position,
  at_x,
  at_y,
  at_gain,
  at_x2,
  at_y2,
  at_gain2,
  at_share,
};
constexpr std::array attributes = {"position", "x",  "y",     "gain",
                                   "x2",       "y2", "gain2", "first_weight"};
// For exact points, x is replaced by a direction.
constexpr std::array exact_attributes = {"position", "direction", "y",     "gain",
                                         "x2",       "y2",        "gain2", "first_weight"};
// The values that change with the view are in one buffer, one array after the other. Gains have
// four values for each node.
enum Array {
  first_x,
  first_y,
  first_gain,
  second_x = first_gain + 4,
  second_y,
  second_gain,
  weights = second_gain + 4,
  packed_values,  // four to a node: the weight of the first layer, where in the field it is, and
                  // the reduction
  directions = packed_values + 4,  // three for each node
  arrays = directions + 3
};

constexpr size_t short_index_limit = 65536;

/// The offset of a plane's coordinates from the picture's, in samples.
double offset_of(double phase, int step) { return 0.5 - phase / step; }

/// The value of a step of eight bits in a texture. Ten bits are the upper bits of sixteen.
float step_value(const GstVideoInfo& info) {
  return GST_VIDEO_INFO_COMP_DEPTH(&info, 0) > 8 ? 256 / 65535.0f : 1 / 255.0f;
}

/// With GLES 2, a texture may have to be wider than the plane, for the padding of each row.
Size texture_size(const GstVideoFrame& frame, int plane) {
  auto* memory = reinterpret_cast<GstGLMemory*>(gst_buffer_peek_memory(frame.buffer, plane));
  const SampleLayout samples = layout_of_plane(frame.info, plane);
  return {std::max(gst_gl_memory_get_texture_width(memory), samples.width),
          std::max(gst_gl_memory_get_texture_height(memory), samples.height)};
}

/// Uniforms for one direction of one plane: a factor and an offset.
struct Linear {
  float factor, offset;
};

/// Pixels of the output to clip coordinates, -1..1 over the samples of the plane.
Linear to_clip(int step, double offset, int samples) {
  return {static_cast<float>(2.0 / (static_cast<double>(step) * samples)),
          static_cast<float>(2.0 * offset / samples - 1)};
}

/// Pixels of the source to texture coordinates, 0..1 over the texture.
Linear to_texture(int step, double offset, int samples) {
  return {static_cast<float>(1.0 / (static_cast<double>(step) * samples)),
          static_cast<float>(offset / samples)};
}

/// The middles of the first and the last sample in an interval of the picture, as texture
/// coordinates. Filtering between these reads no sample outside of the interval.
std::array<float, 2> limits(double from, double to, int picture, int step, int samples,
                            int texture) {
  const auto sample = [&](double pixel) {
    return std::clamp(static_cast<int>(pixel) / step, 0, samples);
  };
  const int first = std::min(sample(std::ceil(from)), samples - 1);
  // If the region ends at the picture's edge, the limit is the last sample, also for odd sizes.
  const int last = std::max(to >= picture ? samples - 1 : sample(to) - 1, first);
  return {static_cast<float>((first + 0.5) / texture), static_cast<float>((last + 0.5) / texture)};
}

/// Tells the shader where the faces of a cube are in a plane, and what they show.
void set_faces(GstGLShader* shader, const CubeLayout& cube, const SampleLayout& plane,
               Size texture) {
  constexpr int faces = CubeLayout::faces;
  std::array<float, 3 * faces> ahead, right, down;
  std::array<float, 4 * faces> areas, limits;
  for (int n = 0; n < faces; ++n) {
    const auto put = [n](std::array<float, 3 * faces>& to, Vec3 v) {
      to[3 * n] = static_cast<float>(v.x);
      to[3 * n + 1] = static_cast<float>(v.y);
      to[3 * n + 2] = static_cast<float>(v.z);
    };
    put(ahead, cube.face(n).ahead);
    put(right, cube.face(n).right);
    put(down, cube.face(n).down);
    const Region area = cube.area(n);
    const double of_area[4] = {area.left, area.top, area.right - area.left, area.bottom - area.top};
    std::copy(std::begin(of_area), std::end(of_area), &areas[4 * n]);
    const FaceSamples s =
        face_samples(cube, n, plane.step_x, plane.step_y, {plane.width, plane.height});
    const double middles[4] = {(s.left + 0.5) / texture.width, (s.top + 0.5) / texture.height,
                               (s.right + 0.5) / texture.width, (s.bottom + 0.5) / texture.height};
    std::copy(std::begin(middles), std::end(middles), &limits[4 * n]);
  }
  gst_gl_shader_set_uniform_3fv(shader, "face_ahead", faces, ahead.data());
  gst_gl_shader_set_uniform_3fv(shader, "face_right", faces, right.data());
  gst_gl_shader_set_uniform_3fv(shader, "face_down", faces, down.data());
  gst_gl_shader_set_uniform_4fv(shader, "face_areas", faces, areas.data());
  gst_gl_shader_set_uniform_4fv(shader, "face_limits", faces, limits.data());
  gst_gl_shader_set_uniform_1f(shader, "equiangular", cube.equiangular() ? 1 : 0);
}

/// Writes the indices of the six corners of each cell, class by class, and the beginning and end of
/// each class.
template <typename Index, typename ClassOf>
void triangles(const WarpGrid& grid, ClassOf class_of, int class_count, size_t (*bounds)[2],
               std::vector<Index>& out) {
  out.clear();
  out.reserve(grid.cells.size() * 6);
  const int across = grid.nodes_per_row();
  for (int k = 0; k < class_count; ++k) {
    bounds[k][0] = out.size();
    for (int r = 0; r < grid.rows; ++r) {
      for (int c = 0; c < grid.columns; ++c) {
        if (class_of(static_cast<size_t>(r) * grid.columns + c) != k) continue;
        const auto a = static_cast<Index>(r * across + c);
        const auto b = static_cast<Index>(a + 1);
        const auto d = static_cast<Index>(a + across);
        const auto e = static_cast<Index>(d + 1);
        for (Index i : {a, d, b, b, d, e}) out.push_back(i);
      }
    }
    bounds[k][1] = out.size() - bounds[k][0];
  }
}

}  // namespace

GlWarp::Mesh::Mesh(const GstGLFuncs* gl)
    : positions(make_buffer(gl)), values(make_buffer(gl)), indices(make_buffer(gl)) {}

GlWarp::GlWarp(GstGLContext* context)
    : context_(context),
      gl_(context->gl_vtable),
      dialect_(dialect_of(context)),
      long_indices_(dialect_ != Dialect::gles2 ||
                    gst_gl_context_check_feature(context, "GL_OES_element_index_uint")),
      framebuffer_(make_framebuffer(gl_)),
      array_(make_vertex_array(gl_)) {}

Result<std::unique_ptr<GlWarp>> GlWarp::make(GstGLContext* context) {
  std::unique_ptr<GlWarp> warp(new GlWarp(context));
  for (bool two_layers : {false, true}) {
    if (const Result<GstGLShader*> made = warp->program({.two_layers = two_layers}); !made)
      return made.error();
  }
  return warp;
}

Result<GstGLShader*> GlWarp::program(const Kind& kind) {
  const std::pair<bool, const char*> defines_of[] = {
      {kind.two_layers, "TWO_LAYERS"}, {kind.gain, "GAIN"},       {kind.cubic, "CUBIC"},
      {kind.at_edge, "EDGE"},          {kind.reduced, "REDUCED"}, {kind.added, "ADDED"},
      {kind.exact, "EXACT"},           {kind.cube, "CUBE"}};
  std::vector<const char*> defines;
  size_t bits = 0;
  for (size_t i = 0; i < std::size(defines_of); ++i) {
    if (!defines_of[i].first) continue;
    defines.push_back(defines_of[i].second);
    bits |= size_t{1} << i;
  }
  GstRef<GstGLShader>& slot = programs_[bits];
  if (!slot) {
    Result<GstRef<GstGLShader>> made =
        make_program(context_, dialect_, "warp.vert", "warp.frag", defines,
                     kind.exact ? exact_attributes : attributes);
    if (!made) return made.error();
    slot = std::move(*made);
  }
  return slot.get();
}

Status GlWarp::set_formats(const GstVideoInfo& input, const GstVideoInfo& output) {
  std::fill(std::begin(complete_), std::end(complete_), false);
  rgb_ = GST_VIDEO_INFO_IS_RGB(&input);
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&output); ++plane) {
    // Without red-green textures, GstGL uses luminance textures, which can be read but not drawn
    // into.
    const GstGLFormat format = gst_gl_format_from_video_info(
        context_, const_cast<GstVideoInfo*>(&output), static_cast<guint>(plane));
    if (format == GST_GL_LUMINANCE || format == GST_GL_LUMINANCE_ALPHA)
      return unsupported(
          std::string("This GPU can't draw ") + GST_VIDEO_INFO_NAME(&output) +
          " pictures (GLES 2 without EXT_texture_rg); convert to RGBA before, with glcolorconvert");
  }
  return ok();
}

Status GlWarp::draw(std::span<const WarpGrid> grids, unsigned generation,
                    const GstVideoFrame& input, const GstVideoFrame& output, bool cubic,
                    const AddedField* field) {
  if (array_) gl_->BindVertexArray(array_.get());
  Status status = ok();
  if (generation_ != generation) {
    while (meshes_.size() < grids.size()) meshes_.emplace_back(gl_);
    for (size_t patch = 0; status && patch < grids.size(); ++patch)
      status = update_mesh(grids[patch], meshes_[patch]);
    if (status) generation_ = generation;
  }
  gl_->BindFramebuffer(GL_FRAMEBUFFER, framebuffer_.get());
  gl_->ActiveTexture(GL_TEXTURE0);
  for (guint plane = 0; status && plane < GST_VIDEO_FRAME_N_PLANES(&output); ++plane)
    status = draw_plane(grids, static_cast<int>(plane), input, output, cubic, field);
  gl_->BindTexture(GL_TEXTURE_2D, 0);
  gl_->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
  gl_->BindBuffer(GL_ARRAY_BUFFER, 0);
  if (array_) gl_->BindVertexArray(0);
  gst_gl_context_clear_shader(context_);
  gst_gl_context_clear_framebuffer(context_);
  return status;
}

Status GlWarp::update_mesh(const WarpGrid& grid, Mesh& mesh) {
  if (grid.node_count() > short_index_limit && !long_indices_)
    return unsupported(
        "this GPU can't draw a grid as fine as this (GLES 2 without OES_element_index_uint); make "
        "the "
        "output smaller or use cpuspherestitch");
  const Shape shape = {grid.columns, grid.rows, grid.cell};
  if (mesh.shape != shape) {
    upload_positions(grid, mesh);
    mesh.cells.clear();
    mesh.shape = shape;
  }
  upload_indices(grid, mesh);
  upload_values(grid, mesh);
  return ok();
}

void GlWarp::upload_positions(const WarpGrid& grid, const Mesh& mesh) {
  std::vector<uint16_t> nodes;
  nodes.reserve(grid.node_count() * 2);
  for (int r = 0; r <= grid.rows; ++r) {
    // The last sample of a subsampled plane is on the edge only if cells have one pixel.
    const bool open = r == grid.rows && grid.cell == 1;
    const int y = open ? grid.output.height + 1 : r * grid.cell;
    for (int c = 0; c <= grid.columns; ++c) {
      nodes.push_back(static_cast<uint16_t>(c * grid.cell));
      nodes.push_back(static_cast<uint16_t>(y));
    }
  }
  gl_->BindBuffer(GL_ARRAY_BUFFER, mesh.positions.get());
  gl_->BufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(nodes.size() * sizeof nodes[0]),
                  nodes.data(), GL_STATIC_DRAW);
}

void GlWarp::upload_indices(const WarpGrid& grid, Mesh& mesh) {
  const bool copies = !grid.reduction.empty();
  const auto drawn_as = [copies](uint8_t flags) -> uint8_t {
    const bool first = flags & cell_first, second = flags & cell_second;
    const int layers = first == second ? both : first ? first_only : second_only;
    const bool inside = (layers == second_only || flags & cell_first_inside) &&
                        (layers == first_only || flags & cell_second_inside);
    return static_cast<uint8_t>(layers + (inside ? 0 : edge) +
                                (copies && flags & cell_reduced ? reduced : 0) +
                                (flags & cell_added ? added : 0));
  };
  if (mesh.cells.size() == grid.cells.size() &&
      std::equal(mesh.cells.begin(), mesh.cells.end(), grid.cells.begin(),
                 [&](uint8_t was, uint8_t is) { return was == drawn_as(is); }))
    return;
  mesh.cells.resize(grid.cells.size());
  std::transform(grid.cells.begin(), grid.cells.end(), mesh.cells.begin(), drawn_as);

  const auto class_of = [&](size_t cell) -> int { return mesh.cells[cell]; };
  size_t bounds[classes][2];
  gl_->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, mesh.indices.get());
  const auto upload = [&](auto& scratch) {
    triangles(grid, class_of, classes, bounds, scratch);
    gl_->BufferData(GL_ELEMENT_ARRAY_BUFFER,
                    static_cast<GLsizeiptr>(scratch.size() * sizeof scratch[0]), scratch.data(),
                    GL_STREAM_DRAW);
    return sizeof scratch[0];
  };
  const size_t size =
      grid.node_count() > short_index_limit ? upload(long_scratch_) : upload(short_scratch_);
  for (int k = 0; k < classes; ++k) mesh.ranges[k] = {bounds[k][0] * size, bounds[k][1]};
}

void GlWarp::upload_values(const WarpGrid& grid, const Mesh& mesh) {
  const size_t size = grid.node_count() * sizeof(float);
  gl_->BindBuffer(GL_ARRAY_BUFFER, mesh.values.get());
  // New storage, so that GL does not wait for the frame before.
  gl_->BufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(size * arrays), nullptr, GL_STREAM_DRAW);
  const auto upload = [&](int array, const std::vector<float>& values) {
    gl_->BufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(size * array),
                       static_cast<GLsizeiptr>(size), values.data());
  };
  for (int i = 0; i < 2; ++i) {
    const WarpGrid::Layer& layer = grid.layer[i];
    if (layer.x.empty()) continue;
    upload(i ? second_x : first_x, layer.x);
    upload(i ? second_y : first_y, layer.y);
    if (!layer.gain.empty()) upload_gain(grid, i ? second_gain : first_gain, layer);
  }
  if (!grid.first_weight.empty()) upload(weights, grid.first_weight);
  if (grid.is_sphere()) {
    scratch_.resize(3 * grid.node_count());
    for (size_t n = 0; n < grid.node_count(); ++n)
      for (int k = 0; k < 3; ++k) scratch_[3 * n + k] = grid.direction[k][n];
    gl_->BufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(size * directions),
                       static_cast<GLsizeiptr>(3 * size), scratch_.data());
  }
  const bool around = !grid.azimuth.empty(), reduction = !grid.reduction.empty();
  if (!around && !reduction) return;
  scratch_.resize(4 * grid.node_count());
  for (size_t n = 0; n < grid.node_count(); ++n) {
    scratch_[4 * n] = grid.first_weight.empty() ? 1 : grid.first_weight[n];
    scratch_[4 * n + 1] = around ? grid.azimuth[n] : 0;
    scratch_[4 * n + 2] = around ? grid.height[n] : 0;
    scratch_[4 * n + 3] = reduction ? grid.reduction[n] : 0;
  }
  gl_->BufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(size * packed_values),
                     static_cast<GLsizeiptr>(4 * size), scratch_.data());
}

void GlWarp::upload_field(const AddedField& field, int first_component, int components) {
  const AddedField::Component& shape = field.component[first_component];
  const size_t samples = static_cast<size_t>(shape.columns) * shape.rows;
  // Texture components of one byte, because GLES 2 without extensions has no larger ones.
  field_scratch_.resize(4 * samples * components);
  uint8_t* to = field_scratch_.data();
  for (int k = first_component; k < first_component + components; ++k) {
    const auto& layer = field.component[k].layer;
    for (size_t n = 0; n < samples; ++n)
      for (int i = 0; i < 2; ++i) {
        const int value = layer[i][n] + 32768;
        *to++ = static_cast<uint8_t>(value >> 8);
        *to++ = static_cast<uint8_t>(value);
      }
  }
  gl_->ActiveTexture(GL_TEXTURE2);
  if (!field_) field_ = make_texture(gl_);
  gl_->BindTexture(GL_TEXTURE_2D, field_.get());
  for (auto [name, value] :
       {std::pair{GL_TEXTURE_MIN_FILTER, GL_NEAREST}, std::pair{GL_TEXTURE_MAG_FILTER, GL_NEAREST},
        std::pair{GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE},
        std::pair{GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE}})
    gl_->TexParameteri(GL_TEXTURE_2D, name, value);
  gl_->TexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, shape.columns, shape.rows * components, 0, GL_RGBA,
                  GL_UNSIGNED_BYTE, field_scratch_.data());
  gl_->ActiveTexture(GL_TEXTURE0);
}

void GlWarp::set_field(GstGLShader* shader, const AddedField::Component& field, int components,
                       float step, bool first) {
  gst_gl_shader_set_uniform_1i(shader, "field", 2);
  gst_gl_shader_set_uniform_4f(shader, "field_point", field.per_turn, field.per_radian,
                               field.first_column, field.first_row);
  gst_gl_shader_set_uniform_4f(
      shader, "field_size", static_cast<float>(field.columns), static_cast<float>(field.rows),
      1 / static_cast<float>(field.columns), 1 / static_cast<float>(field.rows * components));
  gst_gl_shader_set_uniform_3f(shader, "field_parts", static_cast<float>(components),
                               step / AddedField::one, first ? 1 : 0);
}

void GlWarp::upload_gain(const WarpGrid& grid, int array, const WarpGrid::Layer& layer) {
  const size_t nodes = grid.node_count();
  scratch_.resize(4 * nodes);
  for (size_t n = 0; n < nodes; ++n) {
    scratch_[4 * n] = layer.gain[n];
    for (int k = 0; k < 3; ++k) {
      const std::vector<float>& tint = layer.tint[k];
      scratch_[4 * n + 1 + k] = tint.empty() ? (rgb_ ? 1.0f : 0.0f) : tint[n];
    }
  }
  gl_->BufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(nodes * sizeof(float) * array),
                     static_cast<GLsizeiptr>(scratch_.size() * sizeof(float)), scratch_.data());
}

Status GlWarp::draw_plane(std::span<const WarpGrid> grids, int plane, const GstVideoFrame& input,
                          const GstVideoFrame& output, bool cubic, const AddedField* field) {
  const GLuint source = *static_cast<const guint*>(input.data[plane]);
  gl_->BindTexture(GL_TEXTURE_2D, source);
  for (auto [name, value] :
       {std::pair{GL_TEXTURE_MIN_FILTER, GL_LINEAR}, std::pair{GL_TEXTURE_MAG_FILTER, GL_LINEAR},
        std::pair{GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE},
        std::pair{GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE}})
    gl_->TexParameteri(GL_TEXTURE_2D, name, value);
  if (!grids.empty() && !grids[0].reduction.empty()) {
    if (const Status made = draw_copies(plane, source, input); !made) return made;
  }
  const SampleLayout to = layout_of_plane(output.info, plane);
  if (field) upload_field(*field, to.first_component, to.colours);
  gl_->FramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D,
                            *static_cast<const guint*>(output.data[plane]), 0);
  if (!complete_[plane] && gl_->CheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
    return unsupported(std::string("this GPU can't draw ") + GST_VIDEO_INFO_NAME(&output.info) +
                       " pictures; use cpuspherestitch");
  complete_[plane] = true;
  Status status = ok();
  for (size_t patch = 0; status && patch < grids.size(); ++patch)
    status = draw_patch(grids[patch], meshes_[patch], plane, input, output, cubic, field);
  return status;
}

Status GlWarp::draw_copies(int plane, GLuint source, const GstVideoFrame& input) {
  if (!reduce_) {
    Result<std::unique_ptr<GlReduce>> made = GlReduce::make(context_, dialect_);
    if (!made) return made.error();
    reduce_ = std::move(*made);
  }
  const SampleLayout from = layout_of_plane(input.info, plane);
  GstVideoInfo info = input.info;
  const GstGLFormat format =
      gst_gl_format_from_video_info(context_, &info, static_cast<guint>(plane));
  const Status drawn =
      reduce_->draw(plane, source, texture_size(input, plane), {from.width, from.height}, format);
  if (!drawn) return drawn;
  gl_->ActiveTexture(GL_TEXTURE1);
  gl_->BindTexture(GL_TEXTURE_2D, reduce_->copies(plane));
  gl_->ActiveTexture(GL_TEXTURE0);
  gl_->BindTexture(GL_TEXTURE_2D, source);
  return ok();
}

Status GlWarp::draw_patch(const WarpGrid& grid, const Mesh& mesh, int plane,
                          const GstVideoFrame& input, const GstVideoFrame& output, bool cubic,
                          const AddedField* field) {
  const SampleLayout from = layout_of_plane(input.info, plane),
                     to = layout_of_plane(output.info, plane);
  const int width = (grid.output.width + to.step_x - 1) / to.step_x;
  const int height = (grid.output.height + to.step_y - 1) / to.step_y;
  gl_->Viewport(grid.left / to.step_x, grid.top / to.step_y, width, height);
  gl_->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, mesh.indices.get());

  const auto [texture_width, texture_height] = texture_size(input, plane);
  const Linear clip_x = to_clip(to.step_x, offset_of(to.phase_x, to.step_x), width);
  const Linear clip_y = to_clip(to.step_y, offset_of(to.phase_y, to.step_y), height);
  const Linear texture_x =
      to_texture(from.step_x, offset_of(from.phase_x, from.step_x), texture_width);
  const Linear texture_y =
      to_texture(from.step_y, offset_of(from.phase_y, from.step_y), texture_height);
  std::array<float, 2> limits_x[2], limits_y[2];
  for (int i = 0; i < 2; ++i) {
    const Region& g = grid.layer[i].region;
    limits_x[i] =
        limits(g.left, g.right, grid.source.width, from.step_x, from.width, texture_width);
    limits_y[i] =
        limits(g.top, g.bottom, grid.source.height, from.step_y, from.height, texture_height);
  }
  const float neutral = static_cast<float>(from.neutral) * step_value(input.info);
  const float white =
      static_cast<float>(std::max(from.white - from.neutral, 0)) * step_value(input.info);
  const bool gain = !grid.layer[0].gain.empty();

  for (int k = 0; k < classes; ++k) {
    if (mesh.ranges[k].count == 0) continue;
    const bool exact = k % reduced >= edge && grid.is_sphere();
    const bool at_edge = k % reduced >= edge && !exact, copies = k % added >= reduced;
    const auto layers = static_cast<Class>(k % edge);
    const Kind kind = {layers == both,    gain, cubic, at_edge, copies, k >= added && field, exact,
                       exact && grid.cube};
    const Result<GstGLShader*> made = program(kind);
    if (!made) return made.error();
    GstGLShader* shader = *made;
    const int first = layers == second_only ? 1 : 0;
    gst_gl_shader_use(shader);
    gst_gl_shader_set_uniform_1i(shader, "plane", 0);
    gst_gl_shader_set_uniform_4f(shader, "target", clip_x.factor, clip_y.factor, clip_x.offset,
                                 clip_y.offset);
    gst_gl_shader_set_uniform_4f(shader, "source", texture_x.factor, texture_y.factor,
                                 texture_x.offset, texture_y.offset);
    if (at_edge)
      gst_gl_shader_set_uniform_4f(shader, "limits", limits_x[first][0], limits_y[first][0],
                                   limits_x[first][1], limits_y[first][1]);
    if (at_edge && layers == both)
      gst_gl_shader_set_uniform_4f(shader, "limits2", limits_x[1][0], limits_y[1][0],
                                   limits_x[1][1], limits_y[1][1]);
    if (exact) {
      gst_gl_shader_set_uniform_2f(shader, "picture", static_cast<float>(grid.source.width),
                                   static_cast<float>(grid.source.height));
      const auto wide = static_cast<float>(texture_width),
                 tall = static_cast<float>(texture_height);
      gst_gl_shader_set_uniform_4f(shader, "edges", static_cast<float>(from.width) / wide,
                                   0.5f / wide, 0.5f / tall,
                                   (static_cast<float>(from.height) - 0.5f) / tall);
    }
    if (kind.cube) set_faces(shader, *grid.cube, from, {texture_width, texture_height});
    if (copies) {
      gst_gl_shader_set_uniform_1i(shader, "copies", 1);
      const Size size = GlReduce::size_for({from.width, from.height});
      gst_gl_shader_set_uniform_2f(shader, "to_copies",
                                   static_cast<float>(texture_width) / (2 * size.width),
                                   static_cast<float>(texture_height) / (2 * size.height));
    }
    if (cubic)
      gst_gl_shader_set_uniform_2f(shader, "samples", static_cast<float>(texture_width),
                                   static_cast<float>(texture_height));
    if (gain) {
      gst_gl_shader_set_uniform_3f(shader, "neutral", neutral, neutral, neutral);
      gst_gl_shader_set_uniform_1f(shader, "white", white);
      gst_gl_shader_set_uniform_1f(shader, "rgb", rgb_ ? 1.0f : 0.0f);
      // Each column has what a tint adds to the components of the plane. Nothing is added to luma.
      std::array<float, 9> offsets{};
      if (const int first_component = from.first_component; !rgb_ && first_component > 0) {
        for (int tint = first_component; tint < 3; ++tint)
          offsets[3 * tint + tint - first_component] = step_value(input.info);
      }
      gst_gl_shader_set_uniform_matrix_3fv(shader, "component_offsets", 1, FALSE, offsets.data());
    }
    if (kind.added)
      set_field(shader, field->component[from.first_component], from.colours,
                step_value(input.info), first == 0);
    draw_class(grid, mesh, mesh.ranges[k], layers, kind);
  }
  return ok();
}

void GlWarp::draw_class(const WarpGrid& grid, const Mesh& mesh, Range range, Class layers,
                        const Kind& kind) {
  std::array<bool, attributes.size()> used{};
  const size_t size = grid.node_count() * sizeof(float);
  const auto use = [&](Attribute attribute, int array, int values = 1) {
    gl_->VertexAttribPointer(attribute, values, GL_FLOAT, GL_FALSE, 0,
                             reinterpret_cast<const void*>(size * array));
    gl_->EnableVertexAttribArray(attribute);
    used[attribute] = true;
  };
  gl_->BindBuffer(GL_ARRAY_BUFFER, mesh.positions.get());
  gl_->VertexAttribPointer(at_position, 2, GL_UNSIGNED_SHORT, GL_FALSE, 0, nullptr);
  gl_->EnableVertexAttribArray(at_position);
  used[at_position] = true;
  gl_->BindBuffer(GL_ARRAY_BUFFER, mesh.values.get());
  const int layer = layers == second_only ? second_x : first_x;
  if (kind.exact) {
    use(at_x, directions, 3);
  } else {
    use(at_x, layer);
    use(at_y, layer + first_y);
  }
  if (kind.gain) use(at_gain, layer + first_gain, 4);
  const bool packed = kind.reduced || kind.added;
  if (layers == both) {
    use(at_x2, second_x);
    use(at_y2, second_y);
    if (kind.gain) use(at_gain2, second_gain, 4);
    if (!packed) use(at_share, weights);
  }
  if (packed) use(at_share, packed_values, 4);
  const bool is_long = grid.node_count() > short_index_limit;
  gl_->DrawElements(GL_TRIANGLES, static_cast<GLsizei>(range.count),
                    is_long ? GL_UNSIGNED_INT : GL_UNSIGNED_SHORT,
                    reinterpret_cast<const void*>(range.first));
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i]) gl_->DisableVertexAttribArray(static_cast<GLuint>(i));
}

}  // namespace sphere

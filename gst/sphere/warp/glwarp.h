// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws by a grid with GL, plane by plane: the grid is drawn as triangles whose corners know
// where in the source they stand.

#pragma once

#include <gst/gl/gl.h>
#include <gst/gl/gstglfuncs.h>
#include <gst/video/video.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/gl/shader.h"
#include "gst/sphere/warp/addedfield.h"
#include "gst/sphere/warp/glname.h"
#include "gst/sphere/warp/glreduce.h"
#include "gst/sphere/warp/grid.h"

namespace sphere {

/// Lives from gl_start to gl_stop; everything here is for the GL thread.
class GlWarp {
 public:
  /// Compiles what every stream needs.
  static Result<std::unique_ptr<GlWarp>> make(GstGLContext* context);

  /// Whether this GL can draw into planes of this format; the error says what can be done.
  Status set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// Draws one frame, both mapped for GL, by the grids of all its patches. `generation` tells one
  /// state of them from the next. `cubic`: four by four samples (Catmull-Rom), rather than two by
  /// two. `field`: what is to be added around the seam, or null.
  Status draw(std::span<const WarpGrid> grids, unsigned generation, const GstVideoFrame& input,
              const GstVideoFrame& output, bool cubic = false, const AddedField* field = nullptr);

 private:
  /// The cells that are drawn with one program, and the layer or layers in its attributes. Those at
  /// an edge, counted from `edge` on, may look beyond the layer's part of the picture, and are
  /// asked sample by sample; those from `reduced` on look at smaller copies of the source, and to
  /// those from `added` on a field is added.
  enum Class { first_only, second_only, both, layer_classes };
  static constexpr int edge = layer_classes, reduced = 2 * edge, added = 2 * reduced,
                       classes = 2 * added;

  /// Shape of the grid, on which the fixed part of the mesh depends.
  struct Shape {
    int columns = 0, rows = 0, cell = 0;
    bool operator==(const Shape&) const = default;
  };
  struct Range {
    size_t first = 0, count = 0;
  };

  /// The grid of one patch, as GL has it.
  struct Mesh {
    explicit Mesh(const GstGLFuncs* gl);
    GlName positions, values, indices;
    std::optional<Shape> shape;
    std::vector<uint8_t> cells;  // the class of each, as the indices were made for
    Range ranges[classes];
  };

  explicit GlWarp(GstGLContext* context);

  struct Kind {
    bool two_layers = false, gain = false, cubic = false, at_edge = false, reduced = false,
         added = false, exact = false;
  };
  Result<GstGLShader*> program(const Kind& kind);
  Status update_mesh(const WarpGrid& grid, Mesh& mesh);
  void upload_positions(const WarpGrid& grid, const Mesh& mesh);
  void upload_indices(const WarpGrid& grid, Mesh& mesh);
  void upload_values(const WarpGrid& grid, const Mesh& mesh);
  void upload_gain(const WarpGrid& grid, int array, const WarpGrid::Layer& layer);
  Status draw_plane(std::span<const WarpGrid> grids, int plane, const GstVideoFrame& input,
                    const GstVideoFrame& output, bool cubic, const AddedField* field);
  Status draw_copies(int plane, GLuint source, const GstVideoFrame& input);
  Status draw_patch(const WarpGrid& grid, const Mesh& mesh, int plane, const GstVideoFrame& input,
                    const GstVideoFrame& output, bool cubic, const AddedField* field);
  void draw_class(const WarpGrid& grid, const Mesh& mesh, Range range, Class layers,
                  const Kind& kind);
  void upload_field(const AddedField& field, int first_component, int components);
  void set_field(GstGLShader* shader, const AddedField::Component& field, int components,
                 float step, bool first);

  GstGLContext* const context_;
  const GstGLFuncs* const gl_;
  const Dialect dialect_;
  bool long_indices_ = false;

  GstRef<GstGLShader> programs_[128];  // by the bits of their kind
  std::unique_ptr<GlReduce> reduce_;   // when it is first needed
  GlName framebuffer_, array_, field_;
  std::optional<unsigned> generation_;
  std::vector<Mesh> meshes_;  // a patch each
  std::vector<uint16_t> short_scratch_;
  std::vector<uint32_t> long_scratch_;
  std::vector<float> scratch_;
  std::vector<uint8_t> field_scratch_;
  bool rgb_ = false;
  // Whether the framebuffer was checked with a texture of this plane of the present format. To ask
  // each time would make the driver wait.
  bool complete_[GST_VIDEO_MAX_PLANES] = {};
};

}  // namespace sphere

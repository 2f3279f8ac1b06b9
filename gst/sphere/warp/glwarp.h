// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws by a grid with GL, plane by plane. The grid is drawn as triangles, whose corners have the
// points in the source as attributes.

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

/// Exists from gl_start to gl_stop. All functions must be called on the GL thread.
class GlWarp {
 public:
  /// Compiles the shaders that every stream needs.
  static Result<std::unique_ptr<GlWarp>> make(GstGLContext* context);

  /// Returns an error if this GL can't draw into planes of this format; its message says what the
  /// user can do.
  Status set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// Draws one frame by the grids of all its patches; input and output are mapped for GL.
  /// `generation`: a number that is changed with the grids. `cubic`: interpolates from four by four
  /// samples (Catmull-Rom), not from two by two. `field`: added around the seam, or null.
  Status draw(std::span<const WarpGrid> grids, unsigned generation, const GstVideoFrame& input,
              const GstVideoFrame& output, bool cubic = false, const AddedField* field = nullptr);

 private:
  /// The indices of the cells that are drawn with one program, and the layers in its attributes.
  /// Cells from `edge` on may have points outside of the layer's part of the picture, and are
  /// checked sample by sample. Cells from `reduced` on are read from smaller copies of the source.
  /// A field is added to cells from `added` on.
  enum Class { first_only, second_only, both, layer_classes };
  static constexpr int edge = layer_classes, reduced = 2 * edge, added = 2 * reduced,
                       classes = 2 * added;

  /// The size of the grid, on which the constant part of the mesh depends.
  struct Shape {
    int columns = 0, rows = 0, cell = 0;
    bool operator==(const Shape&) const = default;
  };
  struct Range {
    size_t first = 0, count = 0;
  };

  /// The grid of one patch in GL buffers.
  struct Mesh {
    explicit Mesh(const GstGLFuncs* gl);
    GlName positions, values, indices;
    std::optional<Shape> shape;
    std::vector<uint8_t> cells;  // class of each cell, for which the indices were made
    Range ranges[classes];
  };

  explicit GlWarp(GstGLContext* context);

  struct Kind {
    bool two_layers = false, gain = false, cubic = false, at_edge = false, reduced = false,
         added = false, exact = false, cube = false;
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

  GstRef<GstGLShader> programs_[256];  // indexed by the bits of their kind
  std::unique_ptr<GlReduce> reduce_;   // made when it is first needed
  GlName framebuffer_, array_, field_;
  std::optional<unsigned> generation_;
  std::vector<Mesh> meshes_;  // one for each patch
  std::vector<uint16_t> short_scratch_;
  std::vector<uint32_t> long_scratch_;
  std::vector<float> scratch_;
  std::vector<uint8_t> field_scratch_;
  bool rgb_ = false;
  // Whether the framebuffer was checked with a texture of this plane in the present format. It is
  // not checked for each frame, because the driver would wait.
  bool complete_[GST_VIDEO_MAX_PLANES] = {};
};

}  // namespace sphere

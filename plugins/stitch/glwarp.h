// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries out a plan with GL, plane by plane: the grid is drawn as triangles whose corners know
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
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seamfield.h"
#include "plugins/stitch/glname.h"
#include "plugins/stitch/glreduce.h"

namespace sphere {

/// Lives from gl_start to gl_stop; everything here is for the GL thread.
class GlWarp {
 public:
  /// Compiles what every stream needs.
  static Result<std::unique_ptr<GlWarp>> make(GstGLContext* context);

  /// Whether this GL can draw into planes of this format; the error says what can be done.
  Status set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// Draws one frame, both mapped for GL, by the plans of all its patches. `generation` tells one
  /// state of them from the next. `cubic`: four by four samples (Catmull-Rom), rather than two by
  /// two. `field`: what is to be added around the seam, or null.
  Status draw(std::span<const Plan> plans, unsigned generation, const GstVideoFrame& input,
              const GstVideoFrame& output, bool cubic = false, const SeamField* field = nullptr);

 private:
  /// The cells that are drawn with one program, and the lens or lenses in its attributes. Those at
  /// an edge, counted from `edge` on, may look beyond the lens's part of the picture, and are asked
  /// sample by sample; those from `reduced` on look at smaller copies of the source, and to those
  /// from `fielded` on a field is added.
  enum Class { front_only, back_only, both, lens_classes };
  static constexpr int edge = lens_classes, reduced = 2 * edge, fielded = 2 * reduced,
                       classes = 2 * fielded;

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
    bool two_lenses = false, gain = false, cubic = false, at_edge = false, reduced = false,
         field = false;
  };
  Result<GstGLShader*> program(const Kind& kind);
  Status update_mesh(const Plan& plan, Mesh& mesh);
  void upload_positions(const Plan& plan, const Mesh& mesh);
  void upload_indices(const Plan& plan, Mesh& mesh);
  void upload_values(const Plan& plan, const Mesh& mesh);
  void upload_light(const Plan& plan, int array, const Plan::Coordinates& lens);
  Status draw_plane(std::span<const Plan> plans, int plane, const GstVideoFrame& input,
                    const GstVideoFrame& output, bool cubic, const SeamField* field);
  Status draw_copies(int plane, GLuint source, const GstVideoFrame& input);
  Status draw_patch(const Plan& plan, const Mesh& mesh, int plane, const GstVideoFrame& input,
                    const GstVideoFrame& output, bool cubic, const SeamField* field);
  void draw_class(const Plan& plan, const Mesh& mesh, Range range, Class lenses, const Kind& kind);
  void upload_field(const SeamField& field, int first_component, int components);
  void set_field(GstGLShader* shader, const SeamField::Component& field, int components, float step,
                 bool front);

  GstGLContext* const context_;
  const GstGLFuncs* const gl_;
  const Dialect dialect_;
  bool long_indices_ = false;

  GstRef<GstGLShader> programs_[64];  // by the bits of their kind
  std::unique_ptr<GlReduce> reduce_;  // when it is first needed
  GlName framebuffer_, array_, field_;
  std::optional<unsigned> generation_;
  std::vector<Mesh> meshes_;  // a patch each
  std::vector<uint16_t> short_scratch_;
  std::vector<uint32_t> long_scratch_;
  std::vector<float> light_scratch_;
  std::vector<uint8_t> field_scratch_;
  bool rgb_ = false;
  // Whether the framebuffer was checked with a texture of this plane of the present format. To ask
  // each time would make the driver wait.
  bool complete_[GST_VIDEO_MAX_PLANES] = {};
};

}  // namespace sphere

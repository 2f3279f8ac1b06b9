// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes smaller copies of a picture's planes with GL, for outputs that are coarser than their
// source.

#pragma once

#include <gst/gl/gl.h>
#include <gst/video/video.h>

#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/gl/shader.h"
#include "gst/sphere/warp/glname.h"

namespace sphere {

/// To be used on the GL thread, and within GlWarp::draw(), which has bound its framebuffer and its
/// vertex array.
class GlReduce {
 public:
  static Result<std::unique_ptr<GlReduce>> make(GstGLContext* context, Dialect dialect);

  /// Draws the copies of a plane, which is the part `samples` of a texture of the size `texture`.
  /// The largest copy has size_for() samples; further ones are its mipmaps. Afterwards the
  /// framebuffer has no texture attached.
  Status draw(int plane, GLuint name, Size texture, Size samples, GstGLFormat format);
  /// Half of the plane's size, rounded up so that each mipmap has exactly half the size of the one
  /// before.
  static Size size_for(Size samples);
  /// The texture of the copies.
  GLuint copies(int plane) const { return planes_[plane].texture.get(); }

 private:
  struct Plane {
    GlName texture;
    Size size;
    GstGLFormat format = GST_GL_RGBA;
  };
  GlReduce(GstGLContext* context, Dialect dialect, GstRef<GstGLShader> program);

  const GstGLFuncs* const gl_;
  const bool mipmaps_, sized_formats_;
  const GstRef<GstGLShader> program_;
  GlName corners_;
  Plane planes_[GST_VIDEO_MAX_PLANES];
};

}  // namespace sphere

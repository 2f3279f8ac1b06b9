// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/glreduce.h"

#include <array>
#include <utility>

#include "gst/sphere/warp/grid.h"

namespace sphere {

Result<std::unique_ptr<GlReduce>> GlReduce::make(GstGLContext* context, Dialect dialect) {
  static constexpr std::array attributes = {"position"};
  Result<GstRef<GstGLShader>> program =
      make_program(context, dialect, "halve.vert", "halve.frag", {}, attributes);
  if (!program) return program.error();
  return std::unique_ptr<GlReduce>(new GlReduce(context, dialect, std::move(*program)));
}

GlReduce::GlReduce(GstGLContext* context, Dialect dialect, GstRef<GstGLShader> program)
    : gl_(context->gl_vtable),
      // GLES 2 has mipmaps only for sizes that are powers of two.
      mipmaps_(dialect != Dialect::gles2 ||
               gst_gl_context_check_feature(context, "GL_OES_texture_npot")),
      sized_formats_(dialect != Dialect::gles2),
      program_(std::move(program)),
      corners_(make_buffer(gl_)) {
  constexpr std::array<GLubyte, 8> corners = {0, 0, 1, 0, 0, 1, 1, 1};
  gl_->BindBuffer(GL_ARRAY_BUFFER, corners_.get());
  gl_->BufferData(GL_ARRAY_BUFFER, corners.size(), corners.data(), GL_STATIC_DRAW);
}

Size GlReduce::size_for(Size samples) {
  constexpr int step = 1 << most_reductions;
  const auto half = [](int n) { return (n + step - 1) / step * (step / 2); };
  return {half(samples.width), half(samples.height)};
}

Status GlReduce::draw(int plane, GLuint name, Size texture, Size samples, GstGLFormat format) {
  Plane& copy = planes_[plane];
  const Size size = size_for(samples);
  const bool made = !copy.texture || copy.size != size || copy.format != format;
  if (made) {
    copy.texture = make_texture(gl_);
    copy.size = size;
    copy.format = format;
    GstGLFormat unsized = format;
    guint type = GL_UNSIGNED_BYTE;
    gst_gl_format_type_from_sized_gl_format(format, &unsized, &type);
    gl_->BindTexture(GL_TEXTURE_2D, copy.texture.get());
    gl_->TexImage2D(GL_TEXTURE_2D, 0, static_cast<GLint>(sized_formats_ ? format : unsized),
                    size.width, size.height, 0, unsized, type, nullptr);
    for (auto [key, value] :
         {std::pair{GL_TEXTURE_MIN_FILTER, mipmaps_ ? GL_LINEAR_MIPMAP_LINEAR : GL_LINEAR},
          std::pair{GL_TEXTURE_MAG_FILTER, GL_LINEAR},
          std::pair{GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE},
          std::pair{GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE}})
      gl_->TexParameteri(GL_TEXTURE_2D, key, value);
  }
  gl_->FramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, copy.texture.get(),
                            0);
  if (made && gl_->CheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
    copy.texture = {};
    return unsupported("this GPU can't draw smaller copies of such pictures; use cpuspherestitch");
  }
  gl_->Viewport(0, 0, size.width, size.height);
  gl_->BindTexture(GL_TEXTURE_2D, name);
  gst_gl_shader_use(program_.get());
  gst_gl_shader_set_uniform_1i(program_.get(), "plane", 0);
  // The middle of a sample of the copy is the corner of four samples of the plane, therefore the
  // texture unit returns their mean.
  gst_gl_shader_set_uniform_2f(program_.get(), "scale",
                               2.0f * static_cast<float>(size.width) / texture.width,
                               2.0f * static_cast<float>(size.height) / texture.height);
  gst_gl_shader_set_uniform_2f(
      program_.get(), "last",
      (static_cast<float>(samples.width) - 0.5f) / static_cast<float>(texture.width),
      (static_cast<float>(samples.height) - 0.5f) / static_cast<float>(texture.height));
  gl_->BindBuffer(GL_ARRAY_BUFFER, corners_.get());
  gl_->VertexAttribPointer(0, 2, GL_UNSIGNED_BYTE, GL_FALSE, 0, nullptr);
  gl_->EnableVertexAttribArray(0);
  gl_->DrawArrays(GL_TRIANGLE_STRIP, 0, 4);
  gl_->DisableVertexAttribArray(0);
  gl_->FramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 0, 0);
  if (mipmaps_) {
    gl_->BindTexture(GL_TEXTURE_2D, copy.texture.get());
    gl_->GenerateMipmap(GL_TEXTURE_2D);
  }
  return ok();
}

}  // namespace sphere

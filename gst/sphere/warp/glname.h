// SPDX-License-Identifier: LGPL-2.1-or-later
// Owns GL objects: a name is deleted with its owner.

#pragma once

#include <gst/gl/gl.h>
#include <gst/gl/gstglfuncs.h>

#include <utility>

namespace sphere {

/// The name of a GL object. The object is deleted with its owner, which must be destroyed on the GL
/// thread.
class GlName {
 public:
  using Delete = void (*)(const GstGLFuncs*, GLuint);
  GlName() = default;
  GlName(const GstGLFuncs* gl, GLuint name, Delete free) : gl_(gl), name_(name), free_(free) {}
  GlName(GlName&& other) noexcept
      : gl_(other.gl_), name_(std::exchange(other.name_, 0)), free_(other.free_) {}
  GlName& operator=(GlName&& other) noexcept {
    std::swap(gl_, other.gl_);
    std::swap(name_, other.name_);
    std::swap(free_, other.free_);
    return *this;
  }
  ~GlName() {
    if (name_) free_(gl_, name_);
  }
  GLuint get() const { return name_; }
  explicit operator bool() const { return name_ != 0; }

 private:
  const GstGLFuncs* gl_ = nullptr;
  GLuint name_ = 0;
  Delete free_ = nullptr;
};

/// Makes a name with a function of GL; another one deletes it. Both are members of GstGLFuncs.
template <auto generate, auto remove>
GlName make_name(const GstGLFuncs* gl) {
  GLuint name = 0;
  (gl->*generate)(1, &name);
  return {gl, name, [](const GstGLFuncs* f, GLuint n) { (f->*remove)(1, &n); }};
}

inline GlName make_buffer(const GstGLFuncs* gl) {
  return make_name<&GstGLFuncs::GenBuffers, &GstGLFuncs::DeleteBuffers>(gl);
}

inline GlName make_framebuffer(const GstGLFuncs* gl) {
  return make_name<&GstGLFuncs::GenFramebuffers, &GstGLFuncs::DeleteFramebuffers>(gl);
}

inline GlName make_vertex_array(const GstGLFuncs* gl) {
  // A core profile requires vertex arrays; GLES 2 does not have them.
  if (!gl->GenVertexArrays) return {};
  return make_name<&GstGLFuncs::GenVertexArrays, &GstGLFuncs::DeleteVertexArrays>(gl);
}

inline GlName make_texture(const GstGLFuncs* gl) {
  return make_name<&GstGLFuncs::GenTextures, &GstGLFuncs::DeleteTextures>(gl);
}

}  // namespace sphere

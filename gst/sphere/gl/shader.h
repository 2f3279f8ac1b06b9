// SPDX-License-Identifier: LGPL-2.1-or-later
// Programs from the shader files under shaders/. A file is written once, in macros that stand for
// what the dialects of GLSL call differently: ATTRIBUTE, VARYING, TEXTURE, RESULT.

#pragma once

#include <gst/gl/gl.h>

#include <initializer_list>
#include <span>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere {

enum class Dialect {
  gles2,  ///< GLSL ES 1.00
  gles3,  ///< GLSL ES 3.00
  gl2,    ///< GLSL 1.20
  gl31,   ///< GLSL 1.40
  gl32,   ///< GLSL 1.50, core
  gl33,   ///< GLSL 3.30, core
};

/// The newest dialect that the context speaks.
Dialect dialect_of(GstGLContext* context);

/// What stands before the text of a file: version, precision, the macros, and the given switches.
std::string shader_prefix(Dialect dialect, bool fragment, std::span<const char* const> defines);

/// Compiles and links two files, such as "stitch.vert" and "stitch.frag". The attributes get their
/// place in the list as location. An error has the compiler's words. GL thread only.
Result<GstRef<GstGLShader>> make_program(GstGLContext* context, Dialect dialect, const char* vertex,
                                         const char* fragment, std::span<const char* const> defines,
                                         std::span<const char* const> attributes);

}  // namespace sphere

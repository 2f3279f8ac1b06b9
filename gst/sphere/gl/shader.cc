// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/gl/shader.h"

#include <gio/gio.h>
#include <gst/gl/gstglfuncs.h>

namespace sphere {

namespace {

struct DialectInfo {
  GstGLSLVersion version;
  GstGLSLProfile profile;
  const char* line;
  bool embedded;  ///< numbers have a precision
  bool old;       ///< attribute, varying, texture2D
};

DialectInfo info_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::gles2:
      return {GST_GLSL_VERSION_100, GST_GLSL_PROFILE_ES, "#version 100\n", true, true};
    case Dialect::gles3:
      return {GST_GLSL_VERSION_300, GST_GLSL_PROFILE_ES, "#version 300 es\n", true, false};
    case Dialect::gl2:
      return {GST_GLSL_VERSION_120, GST_GLSL_PROFILE_NONE, "#version 120\n", false, true};
    case Dialect::gl31:
      return {GST_GLSL_VERSION_140, GST_GLSL_PROFILE_NONE, "#version 140\n", false, false};
    case Dialect::gl32:
      return {GST_GLSL_VERSION_150, GST_GLSL_PROFILE_CORE, "#version 150 core\n", false, false};
    case Dialect::gl33:
      break;
  }
  return {GST_GLSL_VERSION_330, GST_GLSL_PROFILE_CORE, "#version 330 core\n", false, false};
}

Result<GstRef<GstGLSLStage>> make_stage(GstGLContext* context, Dialect dialect, const char* name,
                                        bool fragment, std::span<const char* const> defines) {
  const std::string path = std::string("/org/gstsphere/shaders/") + name;
  g_autoptr(GError) error = nullptr;
  const BytesRef file(g_resources_lookup_data(path.c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, &error));
  if (!file) return not_found(std::string("no shader '") + name + "': " + error->message);
  gsize size = 0;
  const auto* text = static_cast<const char*>(g_bytes_get_data(file.get(), &size));
  const std::string source = shader_prefix(dialect, fragment, defines) + std::string(text, size);

  const DialectInfo info = info_of(dialect);
  GstGLSLStage* made =
      gst_glsl_stage_new_with_string(context, fragment ? GL_FRAGMENT_SHADER : GL_VERTEX_SHADER,
                                     info.version, info.profile, source.c_str());
  if (!made)
    return unsupported(std::string("this GL has no ") + (fragment ? "fragment" : "vertex") +
                       " shaders of the version that '" + name + "' needs");
  gst_object_ref_sink(made);
  GstRef<GstGLSLStage> stage(made);
  if (!gst_glsl_stage_compile(stage.get(), &error))
    return failed(std::string("the shader '") + name + "' does not compile: " + error->message);
  return stage;
}

}  // namespace

Dialect dialect_of(GstGLContext* context) {
  gint major = 0, minor = 0;
  gst_gl_context_get_gl_version(context, &major, &minor);
  const GstGLAPI api = gst_gl_context_get_gl_api(context);
  if (api & GST_GL_API_GLES2) return major >= 3 ? Dialect::gles3 : Dialect::gles2;
  if (api & GST_GL_API_OPENGL3) {
    if (major > 3 || minor >= 3) return Dialect::gl33;
    return minor >= 2 ? Dialect::gl32 : Dialect::gl31;
  }
  return Dialect::gl2;
}

std::string shader_prefix(Dialect dialect, bool fragment, std::span<const char* const> defines) {
  const DialectInfo info = info_of(dialect);
  std::string prefix = info.line;
  // Of a coordinate in 4096 samples, anything less than highp is off by pixels.
  if (info.embedded) prefix += "precision highp float;\n";
  if (info.old) {
    prefix +=
        "#define ATTRIBUTE attribute\n"
        "#define VARYING varying\n"
        "#define TEXTURE texture2D\n"
        // It takes the level that the slope of the coordinates asks for, which is the same.
        "#define TEXTURE_LEVEL(sampler, place, level) texture2D(sampler, place)\n"
        "#define RESULT gl_FragColor\n";
  } else {
    prefix += "#define ATTRIBUTE in\n";
    // All is drawn flat, at one depth; software GL need not divide by it then.
    prefix += std::string("#define VARYING ") + (info.embedded ? "" : "noperspective ") +
              (fragment ? "in\n" : "out\n");
    prefix += "#define TEXTURE texture\n#define TEXTURE_LEVEL textureLod\n";
    if (fragment) prefix += "#define RESULT result_colour\nout vec4 result_colour;\n";
  }
  for (const char* define : defines) prefix += std::string("#define ") + define + "\n";
  // The compiler's line numbers are then those of the file.
  prefix += "#line 1\n";
  return prefix;
}

Result<GstRef<GstGLShader>> make_program(GstGLContext* context, Dialect dialect, const char* vertex,
                                         const char* fragment, std::span<const char* const> defines,
                                         std::span<const char* const> attributes) {
  const DialectInfo info = info_of(dialect);
  if (info.embedded &&
      !gst_gl_context_supports_precision_highp(context, info.version, info.profile))
    return unsupported("the fragment shaders of this GPU are not exact enough (no highp)");
  Result<GstRef<GstGLSLStage>> stages[2] = {make_stage(context, dialect, vertex, false, defines),
                                            make_stage(context, dialect, fragment, true, defines)};
  GstRef<GstGLShader> program(gst_gl_shader_new(context));
  for (Result<GstRef<GstGLSLStage>>& stage : stages) {
    if (!stage) return stage.error();
    // Compiled already; attaching takes a reference of its own.
    if (!gst_gl_shader_attach(program.get(), stage->get()))
      return failed("GL can't make a program");
  }
  for (size_t i = 0; i < attributes.size(); ++i)
    gst_gl_shader_bind_attribute_location(program.get(), static_cast<guint>(i), attributes[i]);
  g_autoptr(GError) error = nullptr;
  if (!gst_gl_shader_link(program.get(), &error))
    return failed(std::string("the shaders '") + vertex + "' and '" + fragment +
                  "' can't be linked: " + error->message);
  return program;
}

}  // namespace sphere

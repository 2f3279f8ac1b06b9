// SPDX-License-Identifier: LGPL-2.1-or-later
// Times an element on the GPU alone: its pictures come as textures and stay textures. Prints one
// line of JSON: time a picture, and how long the GPU takes to copy a texture of that many bytes,
// which is the least that memory allows.
//
// gpu SOURCE ELEMENT FRAMES
// SOURCE makes one picture, which is uploaded once; ELEMENT gets it FRAMES times.

#include <gst/gl/gl.h>
#include <gst/gl/gstglfuncs.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gst/sphere/base/gobject.h"

namespace {

using sphere::GstRef;

// Not measured: the first pictures, while shaders are built and pools are filled.
constexpr int warm_up = 20;
constexpr int copies = 200;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "gpu: %s\n", what);
  std::exit(1);
}

struct Timing {
  GstElement* element;
  int frames;
  int seen = 0;
  gint64 begin = 0, end = 0;
};

GstRef<GstGLContext> context_of(GstElement* element) {
  GstGLContext* context = nullptr;
  g_object_get(element, "context", &context, nullptr);
  if (!context) give_up("the element has no GL context");
  return GstRef<GstGLContext>(context);
}

/// The moment at which the GPU has done all that it was told.
gint64 finished(GstElement* element) {
  const GstRef<GstGLContext> context = context_of(element);
  gst_gl_context_thread_add(
      context.get(), [](GstGLContext* one, gpointer) { one->gl_vtable->Finish(); }, nullptr);
  return g_get_monotonic_time();
}

GstPadProbeReturn count(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* timing = static_cast<Timing*>(data);
  ++timing->seen;
  if (timing->seen == warm_up) timing->begin = finished(timing->element);
  if (timing->seen == warm_up + timing->frames) timing->end = finished(timing->element);
  return GST_PAD_PROBE_OK;
}

/// A copy from one texture to another: `bytes` are read, and as many are written.
struct Copy {
  gsize bytes;
  double ms = 0;
};

void measure_copy(GstGLContext* context, gpointer data) {
  using CopyImage = void (*)(GLuint, GLenum, GLint, GLint, GLint, GLint, GLuint, GLenum, GLint,
                             GLint, GLint, GLint, GLsizei, GLsizei, GLsizei);
  const auto copy_image =
      reinterpret_cast<CopyImage>(gst_gl_context_get_proc_address(context, "glCopyImageSubData"));
  if (!copy_image) return;
  auto* copy = static_cast<Copy*>(data);
  const GstGLFuncs* gl = context->gl_vtable;
  constexpr GLsizei width = 4096;
  const GLsizei height = std::max<GLsizei>(static_cast<GLsizei>(copy->bytes / 4 / width), 1);
  GLuint textures[2];
  gl->GenTextures(2, textures);
  for (const GLuint texture : textures) {
    gl->BindTexture(GL_TEXTURE_2D, texture);
    gl->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
    gl->TexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                   nullptr);
  }
  gint64 begin = 0;
  for (int i = -warm_up; i < copies; ++i) {
    if (i == 0) {
      gl->Finish();
      begin = g_get_monotonic_time();
    }
    copy_image(textures[0], GL_TEXTURE_2D, 0, 0, 0, 0, textures[1], GL_TEXTURE_2D, 0, 0, 0, 0,
               width, height, 1);
  }
  gl->Finish();
  if (gl->GetError() == GL_NO_ERROR)
    copy->ms = static_cast<double>(g_get_monotonic_time() - begin) / 1e3 / copies;
  gl->DeleteTextures(2, textures);
}

gsize frame_bytes(GstPad* pad) {
  const sphere::CapsRef caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps.get())) give_up("there are no caps");
  return GST_VIDEO_INFO_SIZE(&info);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) give_up("usage: gpu SOURCE ELEMENT FRAMES");
  const int frames = std::atoi(argv[3]);
  if (frames < 1) give_up("FRAMES must be at least 1");
  const std::string line = std::string(argv[1]) + " ! glupload ! imagefreeze num-buffers=" +
                           std::to_string(frames + warm_up) + " ! " + argv[2] +
                           " name=timed ! fakesink name=sink sync=false";
  g_autoptr(GError) error = nullptr;
  GstElement* made =
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!made) give_up(error->message);
  const GstRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(made)));
  const GstRef<GstElement> timed(gst_bin_get_by_name(GST_BIN(made), "timed"));
  const GstRef<GstPad> in(gst_element_get_static_pad(timed.get(), "sink"));
  const GstRef<GstPad> out(gst_element_get_static_pad(timed.get(), "src"));
  Timing timing{timed.get(), frames};
  gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_BUFFER, count, &timing, nullptr);

  gst_element_set_state(made, GST_STATE_PLAYING);
  const GstRef<GstBus> bus(gst_element_get_bus(made));
  const sphere::MessageRef message(
      gst_bus_timed_pop_filtered(bus.get(), 300 * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  if (!message || GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_EOS || !timing.end)
    give_up("the pipeline did not come to its end");

  Copy copy{(frame_bytes(in.get()) + frame_bytes(out.get())) / 2};
  gst_gl_context_thread_add(context_of(timed.get()).get(), measure_copy, &copy);
  std::printf("{\"ms\": %.4f, \"copy_ms\": %.4f, \"mbytes\": %.1f}\n",
              static_cast<double>(timing.end - timing.begin) / 1e3 / frames, copy.ms,
              2e-6 * static_cast<double>(copy.bytes));
  gst_element_set_state(made, GST_STATE_NULL);
  return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// What comes as DMABuf is stitched on the GPU and leaves as DMABuf without being mapped on the way.
//
// Software GL can't import or export one, so this process has an EGL that does: it stands between
// GStreamer and Mesa, and copies where a driver would share. What counts is who asks it for what.

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/check/pipeline.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <gmodule.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/app/gstappsrc.h>
#include <gst/gl/gl.h>

#include "gst/sphere/gl/headless.h"

namespace {

std::atomic<int> imported{0}, exported{0};

template <typename Function>
Function real(const char* name) {
  static auto* get =
      reinterpret_cast<decltype(&eglGetProcAddress)>(dlsym(RTLD_NEXT, "eglGetProcAddress"));
  return reinterpret_cast<Function>(get(name));
}

/// The functions of OpenGL that are needed here. To be made while a context is current.
struct Gl {
  void (*gen_textures)(int, unsigned*) = real<void (*)(int, unsigned*)>("glGenTextures");
  void (*bind_texture)(unsigned, unsigned) = real<void (*)(unsigned, unsigned)>("glBindTexture");
  void (*pixel_store)(unsigned, int) = real<void (*)(unsigned, int)>("glPixelStorei");
  void (*tex_image)(unsigned, int, int, int, int, int, unsigned, unsigned, const void*) =
      real<void (*)(unsigned, int, int, int, int, int, unsigned, unsigned, const void*)>(
          "glTexImage2D");
  void (*get_tex_image)(unsigned, int, unsigned, unsigned, void*) =
      real<void (*)(unsigned, int, unsigned, unsigned, void*)>("glGetTexImage");
  void (*get_level)(unsigned, int, unsigned, int*) =
      real<void (*)(unsigned, int, unsigned, int*)>("glGetTexLevelParameteriv");
};

constexpr unsigned gl_texture_2d = 0x0DE1, gl_unsigned_byte = 0x1401, gl_red = 0x1903,
                   gl_rg = 0x8227, gl_rgba = 0x1908, gl_r8 = 0x8229, gl_rg8 = 0x822B,
                   gl_rgba8 = 0x8058, gl_unpack_alignment = 0x0CF5, gl_pack_alignment = 0x0D05,
                   gl_texture_width = 0x1000, gl_texture_height = 0x1001,
                   gl_texture_internal_format = 0x1003;

struct Form {
  uint32_t fourcc;  // DRM's
  unsigned internal, format;
  int bytes;
};
constexpr std::array forms = {
    Form{0x20203852 /* R8 */, gl_r8, gl_red, 1},
    Form{0x38385247 /* GR88 */, gl_rg8, gl_rg, 2},
    Form{0x34324241 /* AB24 */, gl_rgba8, gl_rgba, 4},
};

std::mutex mutex;
std::map<EGLImage, unsigned> textures;  // of the images

EGLImage image_of(EGLDisplay display, unsigned texture) {
  const auto create =
      real<EGLImage (*)(EGLDisplay, EGLContext, EGLenum, EGLClientBuffer, const EGLint*)>(
          "eglCreateImageKHR");
  const std::array<EGLint, 3> level = {EGL_GL_TEXTURE_LEVEL, 0, EGL_NONE};
  EGLImage image =
      create(display, eglGetCurrentContext(), EGL_GL_TEXTURE_2D,
             reinterpret_cast<EGLClientBuffer>(static_cast<uintptr_t>(texture)), level.data());
  const std::lock_guard lock(mutex);
  if (image != EGL_NO_IMAGE) textures[image] = texture;
  return image;
}

/// Makes a context current for a while, because imports come from any thread.
class TemporaryContext {
 public:
  explicit TemporaryContext(EGLDisplay display)
      : display_(display), api_(eglQueryAPI()), before_(eglGetCurrentContext()) {
    eglBindAPI(EGL_OPENGL_API);
    own_ = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, nullptr);
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, own_);
  }
  ~TemporaryContext() {
    eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, before_);
    eglDestroyContext(display_, own_);
    eglBindAPI(api_);
  }

 private:
  const EGLDisplay display_;
  const EGLenum api_;
  const EGLContext before_;
  EGLContext own_;
};

EGLImage import(EGLDisplay display, std::map<EGLAttrib, EGLAttrib> said) {
  const auto fourcc = static_cast<uint32_t>(said[EGL_LINUX_DRM_FOURCC_EXT]);
  const auto* form = std::find_if(forms.begin(), forms.end(),
                                  [&](const Form& one) { return one.fourcc == fourcc; });
  if (form == forms.end()) return EGL_NO_IMAGE;
  const auto width = static_cast<int>(said[EGL_WIDTH]), height = static_cast<int>(said[EGL_HEIGHT]);
  const auto pitch = static_cast<size_t>(said[EGL_DMA_BUF_PLANE0_PITCH_EXT]);
  const auto offset = static_cast<size_t>(said[EGL_DMA_BUF_PLANE0_OFFSET_EXT]);
  const size_t size = offset + pitch * static_cast<size_t>(height);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED,
                      static_cast<int>(said[EGL_DMA_BUF_PLANE0_FD_EXT]), 0);
  if (memory == MAP_FAILED) return EGL_NO_IMAGE;
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(form->bytes);
  std::vector<uint8_t> pixels(row * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y)
    std::memcpy(pixels.data() + row * static_cast<size_t>(y),
                static_cast<uint8_t*>(memory) + offset + pitch * static_cast<size_t>(y), row);
  munmap(memory, size);
  const TemporaryContext current(display);
  const Gl gl;
  unsigned texture = 0;
  gl.gen_textures(1, &texture);
  gl.bind_texture(gl_texture_2d, texture);
  gl.pixel_store(gl_unpack_alignment, 1);
  gl.tex_image(gl_texture_2d, 0, static_cast<int>(form->internal), width, height, 0, form->format,
               gl_unsigned_byte, pixels.data());
  gl.pixel_store(gl_unpack_alignment, 4);
  gl.bind_texture(gl_texture_2d, 0);
  ++imported;
  return image_of(display, texture);
}

/// Binds the texture of an image, and returns its size and form.
const Form* read_form(EGLImage image, const Gl& gl, int& width, int& height) {
  {
    const std::lock_guard lock(mutex);
    gl.bind_texture(gl_texture_2d, textures.at(image));
  }
  int internal = 0;
  gl.get_level(gl_texture_2d, 0, gl_texture_width, &width);
  gl.get_level(gl_texture_2d, 0, gl_texture_height, &height);
  gl.get_level(gl_texture_2d, 0, gl_texture_internal_format, &internal);
  for (const Form& form : forms)
    if (form.internal == static_cast<unsigned>(internal)) return &form;
  return nullptr;
}

EGLBoolean query_export(EGLDisplay, EGLImage image, int* fourcc, int* planes,
                        EGLuint64KHR* modifiers) {
  const Gl gl;
  int width = 0, height = 0;
  const Form* form = read_form(image, gl, width, height);
  gl.bind_texture(gl_texture_2d, 0);
  if (!form) return EGL_FALSE;
  if (fourcc) *fourcc = static_cast<int>(form->fourcc);
  if (planes) *planes = 1;
  if (modifiers) *modifiers = 0;  // linear
  return EGL_TRUE;
}

EGLBoolean export_image(EGLDisplay, EGLImage image, int* fds, EGLint* strides, EGLint* offsets) {
  const Gl gl;
  int width = 0, height = 0;
  const Form* form = read_form(image, gl, width, height);
  if (!form) return EGL_FALSE;
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(height * form->bytes);
  std::vector<uint8_t> pixels(size);
  gl.pixel_store(gl_pack_alignment, 1);
  gl.get_tex_image(gl_texture_2d, 0, form->format, gl_unsigned_byte, pixels.data());
  gl.pixel_store(gl_pack_alignment, 4);
  gl.bind_texture(gl_texture_2d, 0);
  const int fd = memfd_create("exported", MFD_CLOEXEC);
  if (fd < 0 || write(fd, pixels.data(), size) != static_cast<ssize_t>(size)) return EGL_FALSE;
  *fds = fd;
  *strides = width * form->bytes;
  *offsets = 0;
  ++exported;
  return EGL_TRUE;
}

/// For EGL 1.5 and for the extension, whose attributes are of a smaller type.
template <typename Attribute>
EGLImage create_image(EGLDisplay display, EGLContext, EGLenum target, EGLClientBuffer buffer,
                      const Attribute* attributes) {
  if (target != EGL_LINUX_DMA_BUF_EXT)
    return image_of(display, static_cast<unsigned>(reinterpret_cast<uintptr_t>(buffer)));
  std::map<EGLAttrib, EGLAttrib> said;
  for (const Attribute* at = attributes; *at != EGL_NONE; at += 2) said[at[0]] = at[1];
  return import(display, said);
}

using Any = __eglMustCastToProperFunctionPointerType;

Any stand_in(const char* name) {
  if (std::strcmp(name, "eglCreateImage") == 0)
    return reinterpret_cast<Any>(create_image<EGLAttrib>);
  if (std::strcmp(name, "eglCreateImageKHR") == 0)
    return reinterpret_cast<Any>(create_image<EGLint>);
  if (std::strcmp(name, "eglExportDMABUFImageQueryMESA") == 0)
    return reinterpret_cast<Any>(query_export);
  if (std::strcmp(name, "eglExportDMABUFImageMESA") == 0)
    return reinterpret_cast<Any>(export_image);
  return nullptr;
}

}  // namespace

// The linker finds these before the functions of Mesa and GLib. GStreamer looks functions up in the
// library EGL, and asks EGL for them.
#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED const char* eglQueryString(EGLDisplay display, EGLint name) {
  static auto* query =
      reinterpret_cast<decltype(&eglQueryString)>(dlsym(RTLD_NEXT, "eglQueryString"));
  const char* answer = query(display, name);
  if (name != EGL_EXTENSIONS || display == EGL_NO_DISPLAY || !answer) return answer;
  static std::string more;
  more = std::string(answer) + " EGL_EXT_image_dma_buf_import EGL_MESA_image_dma_buf_export";
  return more.c_str();
}

EXPORTED gboolean g_module_symbol(GModule* module, const char* name, gpointer* symbol) {
  *symbol = reinterpret_cast<gpointer>(stand_in(name));
  if (*symbol) return TRUE;
  static auto* find =
      reinterpret_cast<decltype(&g_module_symbol)>(dlsym(RTLD_NEXT, "g_module_symbol"));
  return find(module, name, symbol);
}

EXPORTED Any eglGetProcAddress(const char* name) {
  const Any ours = stand_in(name);
  return ours ? ours : real<Any>(name);
}

using namespace sphere;
using namespace sphere::test;

namespace {

/// A picture in a memory that has a file descriptor.
BufferRef in_dmabuf(GstSample* sample) {
  GstMapInfo map;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READ));
  const int fd = memfd_create("picture", MFD_CLOEXEC);
  fail_unless(fd >= 0 && write(fd, map.data, map.size) == static_cast<ssize_t>(map.size));
  g_autoptr(GstAllocator) allocator = gst_dmabuf_allocator_new();
  GstMemory* memory = gst_dmabuf_allocator_alloc(allocator, fd, map.size);
  gst_buffer_unmap(buffer, &map);
  BufferRef out(gst_buffer_new());
  gst_buffer_append_memory(out.get(), memory);
  GstVideoInfo info;
  fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  gst_buffer_add_video_meta_full(out.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info),
                                 GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
  GST_BUFFER_PTS(out.get()) = 0;
  return out;
}

}  // namespace

GST_START_TEST(in_and_out_without_a_copy) {
  // The replacement for the driver knows only this version of GL.
  g_setenv("GST_GL_API", "opengl3", TRUE);
  const GlProbe& gl = probe_gl();
  if (!gl.usable) {
    g_print("skip: there is no GL here: %s\n", gl.reason.c_str());
    return;
  }
  if (!gl.software) {
    g_print(
        "skip: functions of a driver are replaced here, and only Mesa's software one allows it\n");
    return;
  }
  const std::string lens = "glspherestitch lens=dual-190 yaw=20 match=gain ";
  for (const char* format : {"NV12", "RGBA"}) {
    const std::string caps = std::string("format=") + format + ",width=320,height=160";
    const SampleRef picture =
        sample_of("spheretestsrc num-buffers=1 supersample=1 ! video/x-raw," + caps);
    const SampleRef copied =
        sample_of("spheretestsrc num-buffers=1 supersample=1 ! video/x-raw," + caps +
                  " ! glupload ! " + lens + "! gldownload ! video/x-raw");
    imported = exported = 0;
    Pipeline p("appsrc name=src format=time caps=\"video/x-raw(memory:DMABuf)," + caps +
               ",framerate=30/1\" ! glupload ! " + lens +
               "! gldownload ! video/x-raw(memory:DMABuf) ! appsink name=sink sync=false");
    p.play();
    auto* source = GST_APP_SRC(p.child("src").get());
    gst_app_src_push_buffer(source, in_dmabuf(picture.get()).release());
    const SampleRef shared = p.pull();
    fail_unless(shared != nullptr, "%s: %s", format, p.wait().c_str());
    const int planes = std::strcmp(format, "NV12") == 0 ? 2 : 1;
    fail_unless_equals_int(imported, planes);
    fail_unless_equals_int(exported, planes);
    GstBuffer* out = gst_sample_get_buffer(shared.get());
    for (guint i = 0; i < gst_buffer_n_memory(out); ++i)
      fail_unless(gst_is_dmabuf_memory(gst_buffer_peek_memory(out, i)));
    const double db = psnr(component_of(copied.get(), 0), component_of(shared.get(), 0));
    fail_unless(db > 60, "%s: %g dB", format, db);
    gst_app_src_end_of_stream(source);
    const std::string error = p.wait();
    fail_unless(error.empty(), "%s: %s", format, error.c_str());
  }
  // A thread that has used libEGL cleans up in there when it ends, and crashes if exit() unloads
  // the library at that moment. This process has nothing to clean up.
  const char* fork = g_getenv("CK_FORK");
  if (!fork || std::string(fork) != "no") _exit(EXIT_SUCCESS);
}
GST_END_TEST;

static Suite* dmabuf_suite() {
  Suite* suite = suite_create("dmabuf");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, in_and_out_without_a_copy);
  return suite;
}

GST_CHECK_MAIN(dmabuf)

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/gl/headless.h"

// X11's names are not wanted.
#define EGL_NO_X11
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <gst/gl/egl/gstgldisplay_egl_device.h>
#include <gst/gl/gstglfuncs.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace sphere {

namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool answers(const std::string& path, bool in_file_system = true) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t offset = in_file_system ? 0 : 1;
  if (path.size() + offset >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path + offset, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + offset +
                                             path.size() + (in_file_system ? 1 : 0));
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0;
  close(fd);
  return connected;
}

bool wayland_answers() {
  if (is_set("WAYLAND_SOCKET")) return true;
  const char* name = std::getenv("WAYLAND_DISPLAY");
  // Its name when nobody gave it one.
  if (!name) name = "wayland-0";
  if (!*name) return false;
  if (*name == '/') return answers(name);
  return is_set("XDG_RUNTIME_DIR") &&
         answers(std::string(std::getenv("XDG_RUNTIME_DIR")) + "/" + name);
}

bool x11_answers() {
  if (!is_set("DISPLAY")) return false;
  const std::string_view name = std::getenv("DISPLAY");
  // Only a server on this machine can be asked without waiting; others are taken at their word.
  if (name.front() != ':' && name.rfind("unix:", 0) != 0) return true;
  const size_t number = name.find(':') + 1;
  const std::string path =
      "/tmp/.X11-unix/X" + std::string(name.substr(number, name.find('.', number) - number));
  return answers(path, false) || answers(path);
}

bool has_word(const char* words, std::string_view word) {
  std::string_view rest = words ? words : "";
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == word) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

template <typename Function>
Function egl_function(const char* name) {
  return reinterpret_cast<Function>(eglGetProcAddress(name));
}

/// The first device that can be opened, GPUs first; null if none can.
EGLDeviceEXT find_device() {
  const char* extensions = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
  const bool enumerable = has_word(extensions, "EGL_EXT_device_base") ||
                          (has_word(extensions, "EGL_EXT_device_enumeration") &&
                           has_word(extensions, "EGL_EXT_device_query"));
  const auto query_devices = egl_function<PFNEGLQUERYDEVICESEXTPROC>("eglQueryDevicesEXT");
  const auto query_string = egl_function<PFNEGLQUERYDEVICESTRINGEXTPROC>("eglQueryDeviceStringEXT");
  const auto get_display =
      egl_function<PFNEGLGETPLATFORMDISPLAYEXTPROC>("eglGetPlatformDisplayEXT");
  if (!enumerable || !has_word(extensions, "EGL_EXT_platform_device") || !query_devices ||
      !query_string || !get_display)
    return nullptr;

  EGLint count = 0;
  if (!query_devices(0, nullptr, &count) || count < 1) return nullptr;
  std::vector<EGLDeviceEXT> devices(count);
  if (!query_devices(count, devices.data(), &count)) return nullptr;
  devices.resize(std::max(count, 0));
  std::stable_partition(devices.begin(), devices.end(), [&](EGLDeviceEXT device) {
    return !has_word(query_string(device, EGL_EXTENSIONS), "EGL_MESA_device_software");
  });
  for (EGLDeviceEXT device : devices) {
    // A device may be listed and yet closed to this user. What is opened here is what GstGL opens:
    // EGL has one display for a device.
    const EGLDisplay display = get_display(EGL_PLATFORM_DEVICE_EXT, device, nullptr);
    if (display != EGL_NO_DISPLAY && eglInitialize(display, nullptr, nullptr)) return device;
  }
  return nullptr;
}

/// Kept for good. GstGL closes EGL's display together with its own; a second one made while the
/// first is on its way out would be closed under its user.
GstGLDisplay* device_display() {
  static GstGLDisplay* const display = []() -> GstGLDisplay* {
    EGLDeviceEXT device = find_device();
    if (!device) return nullptr;
    GstGLDisplayEGLDevice* made = gst_gl_display_egl_device_new_with_egl_device(device);
    GST_OBJECT_FLAG_SET(made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    return GST_GL_DISPLAY(made);
  }();
  return display;
}

void read_renderer(GstGLContext* context, gpointer data) {
  const auto* text = reinterpret_cast<const char*>(context->gl_vtable->GetString(GL_RENDERER));
  static_cast<GlProbe*>(data)->renderer = to_string(text);
}

GlProbe probe() {
  GlProbe result;
  GstRef<GstGLDisplay> display = headless_display();
  if (!display) display.reset(gst_gl_display_new());
  if (!display) {
    result.reason = "there is no display for GL";
    return result;
  }
  const GstRef<GstGLContext> context(gst_gl_context_new(display.get()));
  g_autoptr(GError) error = nullptr;
  if (!context || !gst_gl_context_create(context.get(), nullptr, &error)) {
    result.reason = error ? error->message : "no GL context can be made";
    return result;
  }
  gst_gl_context_thread_add(context.get(), read_renderer, &result);
  result.usable = true;
  result.software = is_software_renderer(result.renderer);
  return result;
}

}  // namespace

GstRef<GstGLDisplay> headless_display() {
  if (is_set("GST_GL_WINDOW") || is_set("GST_GL_PLATFORM") || wayland_answers() || x11_answers())
    return nullptr;
  GstGLDisplay* display = device_display();
  return GstRef<GstGLDisplay>(display ? static_cast<GstGLDisplay*>(gst_object_ref(display))
                                      : nullptr);
}

void ensure_display(GstGLBaseFilter* filter) {
  if (filter->display) return;
  const GstRef<GstGLDisplay> display = headless_display();
  if (!display) return;
  GstElement* element = GST_ELEMENT(filter);
  // An application that has a display comes first, as with every GL element.
  gst_element_post_message(
      element, gst_message_new_need_context(GST_OBJECT(filter), GST_GL_DISPLAY_CONTEXT_TYPE));
  if (filter->display) return;
  g_autoptr(GstContext) context = gst_context_new(GST_GL_DISPLAY_CONTEXT_TYPE, TRUE);
  gst_context_set_gl_display(context, display.get());
  gst_element_set_context(element, context);
  gst_element_post_message(
      element, gst_message_new_have_context(GST_OBJECT(filter), gst_context_ref(context)));
}

void prepare_context_query(GstGLBaseFilter* filter, GstQuery* query) {
  const gchar* type = nullptr;
  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && gst_query_parse_context_type(query, &type) &&
      std::strcmp(type, GST_GL_DISPLAY_CONTEXT_TYPE) == 0)
    ensure_display(filter);
}

bool is_software_renderer(const std::string& renderer) {
  std::string lower = renderer;
  std::transform(lower.begin(), lower.end(), lower.begin(), g_ascii_tolower);
  constexpr std::array names = {"llvmpipe", "softpipe", "swrast", "swiftshader", "software"};
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return lower.find(name) != std::string::npos; });
}

const GlProbe& probe_gl() {
  static const GlProbe result = probe();
  return result;
}

}  // namespace sphere

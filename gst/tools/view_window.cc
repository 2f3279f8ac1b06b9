// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/view_window.h"

#include <utility>

#if HAVE_X11

#include <gst/video/navigation.h>

#include <algorithm>

// Xlib defines words such as Status and None as macros: it comes last, and nothing of ours that has
// these words is included here.
#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>

namespace sphere::tool {

namespace {

// Mice have no wheel event in X: these buttons stand for it, up, down, left and right.
constexpr unsigned wheel_up = 4, wheel_down = 5, last_wheel = 7;
constexpr long input_events = KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask |
                              PointerMotionMask | StructureNotifyMask | ExposureMask;

/// A source of the main loop that has something to do when the display has events.
struct EventSource {
  GSource source;
  Display* display;
};

gboolean has_events(EventSource* source) { return XPending(source->display) > 0; }

}  // namespace

struct ViewWindow::Impl {
  explicit Impl(Listener to) : listener(std::move(to)) {}
  ~Impl() {
    if (source) {
      g_source_destroy(source);
      g_source_unref(source);
    }
    if (window) XDestroyWindow(display, window);
    XCloseDisplay(display);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Atom atom(const char* name) const { return XInternAtom(display, name, False); }

  /// Whether a window manager fills the screen when it is asked to.
  bool manager_fills() const {
    const Atom wanted = atom("_NET_WM_STATE_FULLSCREEN");
    Atom type = 0;
    int format = 0;
    unsigned long count = 0, left = 0;
    unsigned char* data = nullptr;
    constexpr long most_atoms = 1024;
    bool found = false;
    if (XGetWindowProperty(display, DefaultRootWindow(display), atom("_NET_SUPPORTED"), 0,
                           most_atoms, False, XA_ATOM, &type, &format, &count, &left,
                           &data) == Success &&
        data && type == XA_ATOM && format == 32) {
      const auto* atoms = reinterpret_cast<const Atom*>(data);
      found = std::find(atoms, atoms + count, wanted) != atoms + count;
    }
    if (data) XFree(data);
    return found;
  }

  void fill_screen(bool fill) {
    if (fill == full) return;
    full = fill;
    if (manager_fills()) {
      XEvent event = {};
      event.xclient.type = ClientMessage;
      event.xclient.window = window;
      event.xclient.message_type = atom("_NET_WM_STATE");
      event.xclient.format = 32;
      event.xclient.data.l[0] = fill ? 1 : 0;  // add, or remove
      event.xclient.data.l[1] = static_cast<long>(atom("_NET_WM_STATE_FULLSCREEN"));
      event.xclient.data.l[3] = 1;  // an application asks
      XSendEvent(display, DefaultRootWindow(display), False,
                 SubstructureRedirectMask | SubstructureNotifyMask, &event);
    } else if (fill) {
      XWindowAttributes now;
      if (XGetWindowAttributes(display, window, &now))
        before = {now.x, now.y, now.width, now.height};
      const int screen = DefaultScreen(display);
      XMoveResizeWindow(display, window, 0, 0, static_cast<unsigned>(DisplayWidth(display, screen)),
                        static_cast<unsigned>(DisplayHeight(display, screen)));
      XRaiseWindow(display, window);
    } else {
      XMoveResizeWindow(display, window, before.x, before.y, static_cast<unsigned>(before.width),
                        static_cast<unsigned>(before.height));
    }
    XFlush(display);
  }

  void handle_events() {
    while (XPending(display) > 0) {
      XEvent event;
      XNextEvent(display, &event);
      handle(&event);
    }
  }

  void press_key(XKeyEvent* event) const {
    char text[16];
    KeySym symbol = 0;
    XLookupString(event, text, sizeof text, &symbol, nullptr);
    const char* name = XKeysymToString(symbol);
    if (!name) return;
    listener.acted(event->type == KeyPress
                       ? gst_navigation_event_new_key_press(name, GST_NAVIGATION_MODIFIER_NONE)
                       : gst_navigation_event_new_key_release(name, GST_NAVIGATION_MODIFIER_NONE));
  }

  void press_button(const XButtonEvent& event) const {
    const double x = event.x, y = event.y;
    const auto button = static_cast<int>(event.button);
    constexpr auto none = GST_NAVIGATION_MODIFIER_NONE;
    const bool press = event.type == ButtonPress;
    if (event.button >= wheel_up && event.button <= last_wheel) {
      if (press && event.button <= wheel_down)
        listener.acted(gst_navigation_event_new_mouse_scroll(
            x, y, 0, event.button == wheel_up ? 1 : -1, none));
      return;
    }
    listener.acted(press ? gst_navigation_event_new_mouse_button_press(button, x, y, none)
                         : gst_navigation_event_new_mouse_button_release(button, x, y, none));
  }

  void handle(XEvent* event) {
    switch (event->type) {
      case KeyPress:
      case KeyRelease:
        return press_key(&event->xkey);
      case ButtonPress:
      case ButtonRelease:
        return press_button(event->xbutton);
      case MotionNotify:
        return listener.acted(gst_navigation_event_new_mouse_move(
            event->xmotion.x, event->xmotion.y, GST_NAVIGATION_MODIFIER_NONE));
      case ConfigureNotify:
        if (event->xconfigure.width == width && event->xconfigure.height == height) return;
        width = event->xconfigure.width;
        height = event->xconfigure.height;
        return listener.resized(width, height);
      case Expose:
        if (event->xexpose.count == 0) listener.uncovered();
        return;
      case ClientMessage:
        if (static_cast<Atom>(event->xclient.data.l[0]) == atom("WM_DELETE_WINDOW"))
          listener.closed();
        return;
      default:
        return;
    }
  }

  Listener listener;
  Display* display = nullptr;
  Window window = 0;
  GSource* source = nullptr;
  int width = 0, height = 0;
  bool full = false;
  struct {
    int x = 0, y = 0, width = 0, height = 0;
  } before;  // without a window manager: where it was before it filled the screen
};

ViewWindow::ViewWindow(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ViewWindow::~ViewWindow() = default;

std::unique_ptr<ViewWindow> ViewWindow::open(const char* title, int width, int height,
                                             Listener listener) {
  Display* display = XOpenDisplay(nullptr);
  if (!display) return nullptr;
  auto impl = std::make_unique<Impl>(std::move(listener));
  impl->display = display;
  impl->width = width;
  impl->height = height;
  const int screen = DefaultScreen(display);
  impl->window =
      XCreateSimpleWindow(display, RootWindow(display, screen), 0, 0, static_cast<unsigned>(width),
                          static_cast<unsigned>(height), 0, 0, BlackPixel(display, screen));
  XStoreName(display, impl->window, title);
  Atom closing = impl->atom("WM_DELETE_WINDOW");
  XSetWMProtocols(display, impl->window, &closing, 1);
  XSelectInput(display, impl->window, input_events);
  XFlush(display);

  static GSourceFuncs functions = {+[](GSource* source, gint* timeout) -> gboolean {
                                     *timeout = -1;
                                     return has_events(reinterpret_cast<EventSource*>(source));
                                   },
                                   +[](GSource* source) -> gboolean {
                                     return has_events(reinterpret_cast<EventSource*>(source));
                                   },
                                   +[](GSource*, GSourceFunc, gpointer self) -> gboolean {
                                     static_cast<Impl*>(self)->handle_events();
                                     return G_SOURCE_CONTINUE;
                                   },
                                   nullptr,
                                   nullptr,
                                   nullptr};
  impl->source = g_source_new(&functions, sizeof(EventSource));
  reinterpret_cast<EventSource*>(impl->source)->display = display;
  g_source_add_unix_fd(impl->source, ConnectionNumber(display), G_IO_IN);
  g_source_set_callback(impl->source, nullptr, impl.get(), nullptr);
  g_source_attach(impl->source, nullptr);
  return std::unique_ptr<ViewWindow>(new ViewWindow(std::move(impl)));
}

uintptr_t ViewWindow::handle() const { return impl_->window; }

void ViewWindow::show() {
  XMapRaised(impl_->display, impl_->window);
  XFlush(impl_->display);
}

void ViewWindow::fill_screen(bool fill) { impl_->fill_screen(fill); }
bool ViewWindow::fills_screen() const { return impl_->full; }

}  // namespace sphere::tool

#else

namespace sphere::tool {

struct ViewWindow::Impl {};

ViewWindow::ViewWindow(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ViewWindow::~ViewWindow() = default;
std::unique_ptr<ViewWindow> ViewWindow::open(const char*, int, int, Listener) { return nullptr; }
uintptr_t ViewWindow::handle() const { return 0; }
void ViewWindow::show() {}
void ViewWindow::fill_screen(bool) {}
bool ViewWindow::fills_screen() const { return false; }

}  // namespace sphere::tool

#endif

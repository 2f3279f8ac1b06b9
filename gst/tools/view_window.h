// SPDX-License-Identifier: LGPL-2.1-or-later
// A window on an X display, for sinks that draw into one which they are given. Those of GStreamer
// that open a window themselves can neither fill the screen nor tell their size.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace sphere::tool {

/// All is called, and calls, in the thread of the default main context.
class ViewWindow {
 public:
  struct Listener {
    /// What a person did in it; takes the event. Positions are pixels of the window.
    std::function<void(GstEvent*)> acted;
    /// It has this size now.
    std::function<void(int width, int height)> resized;
    /// What it showed has to be drawn again.
    std::function<void()> uncovered;
    std::function<void()> closed;
  };

  /// A window that is not shown yet. Null if there is no X display, or if this program was built
  /// without X.
  static std::unique_ptr<ViewWindow> open(const char* title, int width, int height,
                                          Listener listener);
  ~ViewWindow();
  ViewWindow(const ViewWindow&) = delete;
  ViewWindow& operator=(const ViewWindow&) = delete;

  /// For gst_video_overlay_set_window_handle().
  uintptr_t handle() const;
  void show();
  /// Over the whole screen, or back.
  void fill_screen(bool fill);
  bool fills_screen() const;

 private:
  struct Impl;
  explicit ViewWindow(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sphere::tool

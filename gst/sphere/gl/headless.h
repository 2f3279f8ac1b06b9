// SPDX-License-Identifier: LGPL-2.1-or-later
// GL where there is no display server: a server's GPU, a container, a test. GstGL 1.22 finds no
// display there by itself; with one from here, all of it works.

#pragma once

#include <gst/gl/gl.h>

#include <string>

#include "gst/sphere/base/gobject.h"

namespace sphere {

/// The first EGL device that works, a GPU before software; null where a display server answers,
/// where the user decided otherwise (GST_GL_WINDOW, GST_GL_PLATFORM), and where EGL knows no
/// devices. One display for the whole process.
GstRef<GstGLDisplay> headless_display();

/// Gives the filter a headless display if it has no display yet, nobody else offers one, and there
/// is need. To be called before it goes to READY, and before it answers a query for a context:
/// neighbours such as gldownload ask on their own way to READY, which is before ours.
void ensure_display(GstGLBaseFilter* filter);

/// Calls ensure_display() if the query is for the display; the base class then answers it.
void prepare_context_query(GstGLBaseFilter* filter, GstQuery* query);

/// What GL there is.
struct GlProbe {
  bool usable = false;
  bool software = false;  ///< drawn by the CPU, so that there is nothing to gain
  std::string renderer;   ///< what the driver calls itself
  std::string reason;     ///< why it is not usable
};

/// Whether a driver of this name draws on the CPU.
bool is_software_renderer(const std::string& renderer);

/// Makes a GL context on the display that would be used, once in a process.
const GlProbe& probe_gl();

}  // namespace sphere

// SPDX-License-Identifier: LGPL-2.1-or-later
// The buffers of elements that draw all planes of a picture with GL.

#pragma once

#include <gst/gl/gl.h>
#include <gst/video/video.h>

#include <functional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

/// The formats that such an element takes and makes.
#define SPHERE_GL_CAPS                                                       \
  GST_VIDEO_CAPS_MAKE_WITH_FEATURES(GST_CAPS_FEATURE_MEMORY_GL_MEMORY,       \
                                    "{ NV12, I420, Y444, RGBA, P010_10LE }") \
  ", texture-target=(string)" GST_GL_TEXTURE_TARGET_2D_STR

namespace sphere {

/// One buffer of textures; null if there is no memory for it.
BufferRef make_gl_buffer(GstGLContext* context, const GstVideoInfo& info);

/// For get_unit_size of GstBaseTransform.
gboolean gl_unit_size(GstBaseTransform* transform, GstCaps* caps, gsize* size);

/// For propose_allocation: offers upstream a pool of textures.
bool propose_gl_allocation(GstGLBaseFilter* filter, GstQuery* query);

/// For decide_allocation, after the base class's: takes a pool of textures that this context can
/// use, the one of downstream if it is such a pool.
bool decide_gl_allocation(GstGLBaseFilter* filter, GstQuery* query);

/// Calls draw() on the GL thread of the filter, and waits for it. Posts an element error if it
/// fails, or if there is no GL.
bool draw_on_gl_thread(GstGLBaseFilter* filter,
                       const std::function<Status(GstGLContext* context)>& draw);

}  // namespace sphere

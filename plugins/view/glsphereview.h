// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gl/gstglbasefilter.h>

G_BEGIN_DECLS

#define GST_TYPE_GL_SPHERE_VIEW (gst_gl_sphere_view_get_type())
G_DECLARE_FINAL_TYPE(GstGLSphereView, gst_gl_sphere_view, GST, GL_SPHERE_VIEW, GstGLBaseFilter)

GST_ELEMENT_REGISTER_DECLARE(glsphereview)

G_END_DECLS

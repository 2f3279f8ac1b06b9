// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gl/gstglbasefilter.h>

G_BEGIN_DECLS

#define GST_TYPE_GL_SPHERE_STITCH (gst_gl_sphere_stitch_get_type())
G_DECLARE_FINAL_TYPE(GstGLSphereStitch, gst_gl_sphere_stitch, GST, GL_SPHERE_STITCH,
                     GstGLBaseFilter)

GST_ELEMENT_REGISTER_DECLARE(glspherestitch)

G_END_DECLS

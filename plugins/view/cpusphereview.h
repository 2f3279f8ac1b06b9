// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_CPU_SPHERE_VIEW (gst_cpu_sphere_view_get_type())
G_DECLARE_FINAL_TYPE(GstCpuSphereView, gst_cpu_sphere_view, GST, CPU_SPHERE_VIEW, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE(cpusphereview)

G_END_DECLS

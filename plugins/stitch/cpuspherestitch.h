// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_CPU_SPHERE_STITCH (gst_cpu_sphere_stitch_get_type())
G_DECLARE_FINAL_TYPE(GstCpuSphereStitch, gst_cpu_sphere_stitch, GST, CPU_SPHERE_STITCH,
                     GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE(cpuspherestitch)

G_END_DECLS

// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_STITCH (gst_sphere_stitch_get_type())
G_DECLARE_FINAL_TYPE(GstSphereStitch, gst_sphere_stitch, GST, SPHERE_STITCH, GstBin)

GST_ELEMENT_REGISTER_DECLARE(spherestitch)

G_END_DECLS

// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_CAM_SRC (gst_sphere_cam_src_get_type())
G_DECLARE_FINAL_TYPE(GstSphereCamSrc, gst_sphere_cam_src, GST, SPHERE_CAM_SRC, GstBin)
GST_ELEMENT_REGISTER_DECLARE(spherecamsrc)

G_END_DECLS
